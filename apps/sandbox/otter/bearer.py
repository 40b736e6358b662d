"""Who is calling: bearer tokens, scopes, and the store that `X-Store-Id` names."""

from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from apps.sandbox.credentials import digest
from apps.sandbox.errors import Refused
from apps.sandbox.faults import take
from apps.sandbox.otter import rate_limits
from apps.sandbox.otter.models import Connection, Store, Token


def call(*, scope: str, per_minute: int = 32, methods: tuple[str, ...] = ("GET",)) -> Callable:
    """Make a view a call of the API: it then has `request.token`, alive and with the scope.

    Raises Refused: 401 without saying why, 403 without the scope, 405, 429 when rate limits are switched on.
    """

    def decorate(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @csrf_exempt
        @wraps(view)
        def answer(request: HttpRequest, **ids: object) -> HttpResponse:
            request.token = presented_token(request)
            rate_limits.count(request, endpoint=view.__name__, per_minute=per_minute)
            require(request, scope=scope, methods=methods)
            return view(request, **ids)

        return answer

    return decorate


def presented_token(request: HttpRequest) -> Token | None:
    """The living access token in the Authorization header, or None."""
    kind, _, value = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "bearer":
        return None
    tokens = Token.alive().filter(digest=digest(value.strip()), is_refresh=False)
    token = tokens.select_related("application", "grant__user__organization").first()
    if token and take(request, "expire_token"):
        Token.objects.filter(pk=token.pk).update(revoked_at=timezone.now())
        return None
    return token


def require(request: HttpRequest, *, scope: str, methods: tuple[str, ...]) -> None:
    """Raises Refused unless there is a token, it has the scope, and the method is known."""
    if request.token is None:
        raise Refused(401, "Unauthorized")
    if scope not in request.token.scope.split():
        raise Refused(403, f"The scope {scope} is required")
    if request.method not in methods:
        raise Refused(405, "Method not allowed")


def connected_store(request: HttpRequest) -> Store:
    """The store that the X-Store-Id header names to this application.

    Raises Refused: 422 missing, 403 unknown.
    """
    store_id = request.headers.get("X-Store-Id")
    if not store_id:
        raise Refused(422, "The request is not valid", details={"X-Store-Id": "is required"})
    connections = Connection.objects.select_related("store")
    connection = connections.filter(application=request.token.application_id, partner_id=store_id).first()
    if connection is None:
        raise Refused(403, "account could not be found")
    return connection.store
