"""What no part of Crossdock can store or look up, refused before any view sees it."""

from collections.abc import Callable

from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse


def refuse_unstorable_text(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable:
    """Answer 400 to an address or a cookie with a NUL in it: PostgreSQL has no such character.

    Forms check their own fields.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        values = [request.path, *request.GET, *(v for vs in request.GET.lists() for v in vs[1])]
        if any("\x00" in value for value in [*values, *request.COOKIES.values()]):
            raise SuspiciousOperation("NUL in the address or a cookie")
        return get_response(request)

    return middleware
