"""Shops (Pio: contracts 1.4), and the connection of a store to the calling application (Otter: contracts 3.2)."""

from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.response import Response

from apps.accounts.api import store_of
from apps.accounts.models import Store
from apps.api.bodies import Strict, Text, checked
from apps.api.errors import Problem, invalid
from apps.api.paging import LINKED_QUERY, linked_page
from apps.api.principals import Call
from apps.api.routes import operation

from . import opening, partnering
from .models import Connection, Shop, ShopQuerySet, printable_ascii

SHOPS, CONNECTION = "Shops", "Connection"
SHOP = OpenApiParameter(
    "shop_id", OpenApiTypes.UUID, description="For a key, which of its shops; a shop's own token has no need of it."
)
OF_SHOPS = ["shop_required", "shop_not_found", "conflict"]
FROM_PLATFORM = "What this shop has comes from its platform: change it there."


class NewShop(Strict):
    """`ext_shop_id` is your own id of the shop, unique in the organization. Without a `name` it is called by it."""

    ext_shop_id = Text(trim_whitespace=False, validators=[printable_ascii])
    name = Text(max_length=200, required=False)


class ShopBody(serializers.Serializer):
    id = serializers.UUIDField()
    name = serializers.CharField()
    ext_shop_id = serializers.CharField()
    store_id = serializers.UUIDField(allow_null=True)
    is_active = serializers.BooleanField()
    created_at = serializers.DateTimeField()


class OpenedShop(ShopBody):
    """`access_token` is there when the call came with an integration key: the shop's own token, shown this once."""

    access_token = serializers.CharField(required=False)


class ShopPage(serializers.Serializer):
    data = ShopBody(many=True)  # type: ignore[assignment]
    prev = serializers.URLField(allow_null=True)
    next = serializers.URLField(allow_null=True)
    per_page = serializers.IntegerField()


@operation(
    "Open a shop",
    tag=SHOPS,
    body=NewShop,
    answers={200: OpenedShop},
    errors=["access_token_already_created_store", "ext_shop_id_already_exists"],
    writes=True,
)
def open_shop(request: Call) -> Response:
    """Binds the calling access token to the new shop: one token, one shop. From then on it no longer expires.

    The id of a shop that you closed brings the same shop back.
    """
    principal, body = request.user, checked(NewShop, request.data)
    wanted = {"name": body["ext_shop_id"][:200]} | body | {"actor": principal.actor}
    if principal.authorization:
        return Response(ShopBody(opening.open_with_token(principal.authorization, **wanted)).data)
    shop, token = opening.open_with_key(principal.integration, grants=principal.grants, **wanted)
    return Response(ShopBody(shop).data | {"access_token": token})


@operation("List shops", tag=SHOPS, answers={200: ShopPage}, query=LINKED_QUERY)
def list_shops(request: Call) -> Response:
    """With a shop's own token: that shop. With a key: those of the integration."""
    return linked_page(request, Shop.objects.for_principal(request), shape=lambda shop: ShopBody(shop).data)


def _shop(request: Call, shop_id: UUID) -> Shop:
    return get_object_or_404(Shop.objects.for_principal(request).select_related("integration"), pk=shop_id)


def shops_named(request: Call) -> ShopQuerySet:
    """The caller's, or the one of them that the address names. Raises Problem shop_not_found."""
    shops = Shop.objects.for_principal(request).select_related("integration__partner")
    if "shop_id" not in request.query_params:
        return shops
    named = shops.filter(pk=_uuid(request.query_params["shop_id"]))
    if not named.exists():
        raise Problem("shop_not_found")
    return named


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise invalid("shop_id", "Must be the id of a shop.") from None


def shop_for_new(request: Call) -> Shop:
    """The one that what is added belongs to (behaviour 49): the token's own, the one that is named, or the only one.

    Raises Problem: shop_required, shop_not_found, conflict for a shop whose platform tells us what it has.
    """
    if request.user.authorization:
        opening.shop_of(request.user)
    found = list(shops_named(request).active().filter(integration__partner__isnull=False)[:2])
    if not found:
        raise Problem("conflict", FROM_PLATFORM) if "shop_id" in request.query_params else Problem("shop_required")
    if len(found) > 1:
        raise invalid("shop_id", "This key has several shops: name one of them.")
    return found[0]


@operation("Read a shop", tag=SHOPS, answers={200: ShopBody})
def read_shop(request: Call, shop_id: UUID) -> Response:
    return Response(ShopBody(_shop(request, shop_id)).data)


@operation("Close a shop", tag=SHOPS, answers={204: None}, writes=True)
def close_shop(request: Call, shop_id: UUID) -> Response:
    """Deactivates it: its token is void at once, and no other's."""
    opening.close(_shop(request, shop_id), actor=request.user.actor)
    return Response(status=204)


class Connected(Strict):
    """`storeId` is your own id of the store: 1 to 255 printable ASCII characters."""

    storeId = Text(trim_whitespace=False, validators=[printable_ascii], source="ext_shop_id")


def _store(request: Call, brand_id: UUID, store_id: UUID) -> Store:
    """Raises Problem forbidden for an integration of a platform that we ourselves connect stores at."""
    if not request.user.integration.partner_id:
        raise Problem("forbidden", "Stores of this integration are connected in the portal.")
    return store_of(request, brand_id, store_id)


def _connection(request: Call, store: Store) -> Connection:
    """The caller's own, whatever else connects the store (behaviour 55). Raises Problem not_connected."""
    held = Connection.objects.held_stores().filter(integration=request.user.integration, store=store)
    found = held.with_everything().first()
    if found is None:
        raise Problem("not_connected")
    return found


@operation("Read a store's connection", tag=CONNECTION, answers={200: Connected}, errors=["not_connected"])
def read_connection(request: Call, brand_id: UUID, store_id: UUID) -> Response:
    """Under which id of yours the store is connected to you."""
    connection = _connection(request, _store(request, brand_id, store_id))
    return Response({"storeId": connection.ext_shop_id})


@operation(
    "Connect a store",
    tag=CONNECTION,
    body=Connected,
    answers={204: None},
    errors=["already_connected", "store_id_taken"],
    writes=True,
)
def connect_store(request: Call, brand_id: UUID, store_id: UUID) -> Response:
    """Under your own id of it. To replace the id, delete the connection first."""
    store = _store(request, brand_id, store_id)
    body: dict[str, Any] = checked(Connected, request.data)
    partnering.connect(store, integration=request.user.integration, **body, actor=request.user.actor)
    return Response(status=204)


@operation("Disconnect a store", tag=CONNECTION, answers={204: None}, errors=["not_connected"], writes=True)
def disconnect_store(request: Call, brand_id: UUID, store_id: UUID) -> Response:
    """Its products stay, and it can be connected again."""
    connection = _connection(request, _store(request, brand_id, store_id))
    if not partnering.disconnect(connection, actor=request.user.actor):
        raise Problem("not_connected")
    return Response(status=204)
