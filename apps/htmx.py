"""The two choices every htmx view makes: how much of a page to send, and how to move on."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.utils.cache import patch_vary_headers
from django_htmx.http import HttpResponseClientRedirect


def show(request: HttpRequest, template: str, context: dict[str, Any], *, part: str, status: int = 200) -> HttpResponse:
    """The whole page for a browser; only the named part of the same template for htmx."""
    name = f"{template}#{part}" if request.htmx else template  # type: ignore[attr-defined]
    response = render(request, name, context, status=status)
    patch_vary_headers(response, ["HX-Request"])
    return response


def go(request: HttpRequest, to: Any, *args: Any, **kwargs: Any) -> HttpResponse:
    """Move on. htmx would swap a redirect's target into the old page, so it is told to load the new one."""
    if request.htmx:  # type: ignore[attr-defined]
        return HttpResponseClientRedirect(resolve_url(to, *args, **kwargs))
    return redirect(to, *args, **kwargs)
