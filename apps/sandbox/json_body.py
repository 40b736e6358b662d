"""Reading a JSON request body into an object or into a form; whatever does not fit is a `Refused`."""

import json

from django import forms
from django.http import HttpRequest

from apps.sandbox.errors import Refused


def json_object(request: HttpRequest) -> dict:
    """The body as an object; an empty body is an empty object. Raises Refused (400)."""
    try:
        body = json.loads(request.body or b"{}")
        # A lone surrogate is JSON, but no text that could be stored.
        json.dumps(body, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise Refused(400, "The request body is not JSON") from None
    if not isinstance(body, dict):
        raise Refused(400, "The request body is not a JSON object")
    return body


def cleaned(form: forms.Form) -> dict:
    """What the form accepts of its data.

    Raises Refused (422) with each field's first error, unknown names included.
    """
    problems = {name: "unknown" for name in form.data if name not in form.fields}
    problems |= {name: texts[0] for name, texts in form.errors.items()}
    if problems:
        raise Refused(422, "The request body is not valid", details=problems)
    return form.cleaned_data
