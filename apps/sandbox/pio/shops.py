"""`/api/v1/shops`: the last step of set-up binds the calling token to its shop (contracts 1.4)."""

from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse

from apps.sandbox.errors import Refused
from apps.sandbox.pio.bodies import ShopForm, accepted
from apps.sandbox.pio.ending import deactivate_shops
from apps.sandbox.pio.models import Shop, Token


def create(request: HttpRequest) -> HttpResponse:
    """Make the token's one shop.

    The vendor does not say how a shop goes on whose token was revoked. Here its integration binds a new token to it
    by the same `ext_shop_id`; products, hooks and deliveries stay.
    """
    given = accepted(ShopForm, request)
    with transaction.atomic():
        token = Token.objects.get(pk=request.token.pk)
        if token.shop_id:
            message = "This access token has created its shop already"
            raise Refused(403, message, code="access_token_already_created_store")
        shop = left_behind(token, given["ext_shop_id"]) or Shop(
            organization=token.organization, integration=token.integration, ext_shop_id=given["ext_shop_id"]
        )
        shop.name = given["name"]
        shop.save()
        Token.objects.filter(pk=token.pk).update(shop=shop)
    return JsonResponse(shown(shop))


def left_behind(token: Token, ext_shop_id: str) -> Shop | None:
    """The integration's own shop of that id, if no living token has it. Raises Refused (422) if somebody does."""
    known = Shop.objects.filter(organization=token.organization, ext_shop_id=ext_shop_id, deactivated_at=None).first()
    if known and (known.integration_id != token.integration_id or known.tokens.filter(revoked_at=None).exists()):
        message = "Another shop of this organization has that ext_shop_id"
        raise Refused(422, message, code="ext_shop_id_already_exists", details={"ext_shop_id": "is taken"})
    return known


def own(request: HttpRequest) -> HttpResponse:
    return JsonResponse(shown(request.token.shop))


def deactivate(request: HttpRequest) -> HttpResponse:
    """End the shop and with it this token: 204. Its id may be used again."""
    with transaction.atomic():
        deactivate_shops(Shop.objects.filter(pk=request.token.shop_id))
    return HttpResponse(status=204)


def shown(shop: Shop) -> dict:
    return {"id": shop.pk, "name": shop.name, "ext_shop_id": shop.ext_shop_id}
