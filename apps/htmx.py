"""The two choices every htmx view makes: how much of a page to send, and how to move on."""

from collections.abc import Callable
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


def move_on_as_a_whole(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable:
    """Middleware: redirects made elsewhere, like that to the sign-in page when a session has ended, go as `go` does."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if request.htmx and 300 <= response.status_code < 400 and "Location" in response:  # type: ignore[attr-defined]
            return HttpResponseClientRedirect(response["Location"])
        return response

    return middleware
