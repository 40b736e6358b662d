"""Who is calling: the bearer token of a shop, or an integration's own credentials."""

from collections.abc import Callable
from secrets import compare_digest

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from apps.sandbox.credentials import basic_pairs, digest
from apps.sandbox.errors import Refused
from apps.sandbox.faults import take
from apps.sandbox.pio.ending import revoke
from apps.sandbox.pio.models import Integration, Token


def call(*, needs_shop: bool = True, **views: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """The view of one address: a function per method, called with `request.token`.

    Raises Refused: 401 and 403 by `presented_token`, 404 while the token has no shop, 405.
    """

    @csrf_exempt
    def answer(request: HttpRequest, **ids: object) -> HttpResponse:
        request.token = presented_token(request)
        if request.method not in views:
            raise Refused(405, "Method not allowed")
        if needs_shop and request.token.shop is None:
            raise Refused(404, "This access token has no shop yet", code="shop_not_found")
        return views[request.method](request, **ids)

    return answer


def presented_token(request: HttpRequest) -> Token:
    """The living token in the Authorization header.

    Raises Refused: 401 `unauthorized` without one or with one that was ended, 403 `could_not_validate_credentials`
    with something that never was one. The vendor names both codes and not when; this is our reading.
    """
    kind, _, value = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "bearer":
        raise Refused(401, "Unauthorized", code="unauthorized")
    token = Token.objects.select_related("shop", "organization").filter(digest=digest(value.strip())).first()
    if token is None:
        raise Refused(403, "Could not validate credentials", code="could_not_validate_credentials")
    if token.revoked_at is None and take(request, "expire_token"):
        token = revoke(token)
    if token.revoked_at:
        raise Refused(401, "Unauthorized", code="unauthorized")
    return token


def own_integration(request: HttpRequest) -> Integration:
    """The active integration whose credentials the request carries by HTTP Basic. Raises Refused (401)."""
    kind, _, value = request.headers.get("Authorization", "").partition(" ")
    found = proven(basic_pairs(value)) if kind.lower() == "basic" else None
    if found is None:
        raise Refused(401, "Unauthorized", code="unauthorized")
    return found


def proven(pairs: list[tuple[str, str]]) -> Integration | None:
    """The active integration that one of the pairs of id and secret names and proves."""
    for client_id, secret in pairs:
        found = Integration.objects.filter(pk=client_id, deactivated_at=None).first()
        if found and compare_digest(found.client_secret.encode(), secret.encode(errors="replace")):
            return found
    return None
