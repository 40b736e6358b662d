"""Paging that all vendors share: a checked `limit`, and opaque signed cursors that hold the last number seen."""

import json

from django.core import signing
from django.http import HttpRequest

from apps.sandbox.errors import Refused

SIGNER = signing.Signer(salt="offset-token")


def cursor_after(number: int, *, scope: str) -> str:
    """The opaque cursor of the page that follows the row of this number, in the list that `scope` names."""
    return SIGNER.sign_object([scope, number])


def number_in(cursor: str, *, scope: str, parameter: str) -> int:
    """The number that `cursor_after` put in, for the same list. Raises Refused (400) when it did not."""
    wrong = Refused(400, f"The {parameter} is not valid", details={parameter: "was not given by this list"})
    try:
        named, number = SIGNER.unsign_object(cursor)
    except (signing.BadSignature, ValueError, json.JSONDecodeError):
        raise wrong from None
    if named != scope:
        raise wrong
    return number


def limit_of(request: HttpRequest, *, most: int, default: int | None = None) -> int:
    """The `limit` of the query.

    Raises Refused (422) when it is not 1 to `most`, or missing without a default.
    """
    text = request.GET.get("limit", "")
    if not text and default:
        return default
    # int() alone would take "١٢", " 5 " and "1_0".
    if not (text.isascii() and text.isdigit() and len(text) < 5 and 1 <= int(text) <= most):
        raise Refused(422, "The request is not valid", details={"limit": f"must be a number from 1 to {most}"})
    return int(text)
