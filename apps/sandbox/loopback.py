"""Who may steer the sandbox: programs on this machine, and no web page of another site."""

from collections.abc import Callable
from functools import wraps
from ipaddress import ip_address

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from apps.sandbox.errors import Refused


def control(*methods: str) -> Callable:
    """Make a view part of the control endpoint, for these methods. Raises Refused (403, 405)."""

    def decorate(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @csrf_exempt
        @wraps(view)
        def answer(request: HttpRequest, **ids: object) -> HttpResponse:
            # Without a CSRF token, the browser's own word says that another site is asking.
            foreign = request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin")
            if foreign or not ip_address(request.META["REMOTE_ADDR"]).is_loopback:
                raise Refused(403, "The control endpoint is for programs on this machine")
            if request.method not in methods:
                raise Refused(405, f"Use {' or '.join(methods)}")
            return view(request, **ids)

        return answer

    return decorate
