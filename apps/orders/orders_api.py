"""Orders over the API (Pio: contracts 1.7; behaviours 70 to 72 and 77). Paging is by the id, which grows with time."""

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.response import Response

from apps.api.bodies import checked
from apps.api.errors import Problem
from apps.api.paging import LINKED_QUERY, linked_page
from apps.api.parsing import all_wrong, parsed
from apps.api.principals import Call
from apps.api.routes import operation
from apps.audit.trail import record
from apps.integrations.connectors.orders import RemoteOrder
from apps.shops.api import OF_SHOPS, SHOP, shop_for_new, shops_named
from apps.shops.models import Shop

from . import cancelling, revising
from .intake import Taken, take_in
from .models import Order, OrderLine, OrderQuerySet
from .order_bodies import (
    ChangedOrder,
    ManyOrders,
    NewOrder,
    OrderBody,
    OrderOutcomes,
    OrderPage,
    OrderQuery,
    OrderTaken,
    WholeOrder,
    as_remote,
    as_stored,
)

TAG = "Orders"
TEXT = {"type": "string", "minLength": 1, "maxLength": 255}
FILTERS = [
    SHOP,
    OpenApiParameter("state", {"type": "string", "enum": Order.State.values}),
    OpenApiParameter("ext_order_id", TEXT, description="Exactly this one."),
    OpenApiParameter("number", TEXT, description="Exactly this one."),
    OpenApiParameter("q", TEXT, description="Of exactly this number, ext_order_id or e-mail address."),
    OpenApiParameter("tag", TEXT, description="Those that have this one among theirs."),
    OpenApiParameter("sku", TEXT, description="Those with a line of exactly this SKU."),
    OpenApiParameter("country", TEXT | {"maxLength": 2}, description="Those that go there (ISO 3166)."),
    OpenApiParameter("created_since", OpenApiTypes.DATETIME, description="Taken in then or later."),
    OpenApiParameter("updated_since", OpenApiTypes.DATETIME, description="Changed then or later."),
]
LOOKUPS = {
    "state": "state",
    "ext_order_id": "ext_order_id",
    "number": "number",
    "country": "destination__country",
    "created_since": "created_at__gte",
    "updated_since": "updated_at__gte",
}
FIXED = "This cannot be changed any more: cancel the order and create it again."
NO_PROBLEM = {"code": "", "message": "", "details": []}


def _order(request: Call, order_id: UUID) -> Order:
    """Raises Problem order_not_found."""
    found = Order.objects.for_principal(request).filter(pk=order_id).first()
    if found is None:
        raise Problem("order_not_found")
    return found


def _whole(request: Call, order_id: UUID) -> dict[str, Any]:
    parts = ("lines", "hindrances", "fulfillments__parcels")
    return WholeOrder(Order.objects.for_principal(request).prefetch_related(*parts).get(pk=order_id)).data


@operation(
    "Create an order",
    tag=TAG,
    body=NewOrder,
    query=[SHOP],
    answers={200: OrderTaken},
    errors=[*OF_SHOPS, "order_already_exists"],
    writes=True,
)
def create_order(request: Call) -> Response:
    """Stored at once, whatever is still missing: a SKU that nobody knows and an address that is not complete are waited
    for. It is prepared in the background, and held for some minutes first, so that you can still change it.
    """
    body = parsed(NewOrder, request.data)
    shop = shop_for_new(request)
    (taken,) = take_in(shop, [as_remote(body)])
    if not taken.is_new:
        raise Problem("order_already_exists")
    order = _named(body, taken, shop)
    record(request.user.actor, "order.create", on=order)
    return Response(OrderTaken(order).data)


def _named(body: NewOrder, taken: Taken, shop: Shop) -> Order:
    """As it was stored, as far as its caller is told: nothing is read for it."""
    return Order(
        pk=taken.order,
        organization_id=shop.organization_id,
        integration_id=shop.integration_id,
        ext_order_id=body.ext_order_id,
        ext_fulfillment_order_id=body.ext_fulfillment_order_id,
        number=body.number or body.ext_order_id,
    )


@operation(
    "Create many orders",
    tag=TAG,
    body=ManyOrders,
    query=[SHOP],
    answers={200: OrderOutcomes},
    errors=OF_SHOPS,
    writes=True,
)
def create_orders(request: Call) -> Response:
    """Up to 500 at once, with an outcome for each: one that is wrong fails alone, and the others are taken."""
    items, shop = parsed(ManyOrders, request.data).orders, shop_for_new(request)
    read = [_read(item) for item in items]
    taken = take_in(shop, [one for one in read if not isinstance(one, Problem)])
    results = list(_outcomes(read, iter(taken)))
    counts = {status: sum(one["status"] == status for one in results) for status in ("created", "exists", "failed")}
    record(request.user.actor, "order.create", on=shop, after=counts)
    return Response({"results": results})


def _read(item: Any) -> RemoteOrder | Problem:
    """An order, or what is wrong with it."""
    try:
        return as_remote(parsed(NewOrder, item))
    except Problem as problem:
        return problem


def _outcomes(read: Sequence[RemoteOrder | Problem], taken: Iterator[Taken]) -> Iterator[dict[str, Any]]:
    """Each as OrderOutcome has it."""
    for index, one in enumerate(read):
        if isinstance(one, Problem):
            said = one.body()
            yield {"index": index, "status": "failed", "id": None} | {name: said[name] for name in NO_PROBLEM}
        else:
            found = next(taken)
            status = "created" if found.is_new else "exists"
            yield {"index": index, "status": status, "id": str(found.order)} | NO_PROBLEM


@operation(
    "List orders",
    tag=TAG,
    answers={200: OrderPage},
    query=[*LINKED_QUERY, *FILTERS],
    errors=["shop_not_found"],
)
def list_orders(request: Call) -> Response:
    """The newest first. Those of your shops; with a key that sees its organization, all of it."""
    asked = checked(OrderQuery, request.query_params.dict())
    orders = _narrowed(request, asked).prefetch_related("hindrances")
    return linked_page(request, orders, shape=lambda order: OrderBody(order).data)


def _narrowed(request: Call, asked: dict[str, Any]) -> OrderQuerySet:
    orders = Order.objects.for_principal(request)
    if "shop_id" in request.query_params:
        orders = orders.filter(shop__in=shops_named(request))
    orders = orders.filter(**{lookup: asked[name] for name, lookup in LOOKUPS.items() if name in asked})
    if "tag" in asked:
        orders = orders.filter(tags__contains=[asked["tag"]])
    if "sku" in asked:
        orders = orders.filter(pk__in=OrderLine.objects.for_principal(request).filter(sku=asked["sku"]).values("order"))
    return orders.matching(asked["q"]) if "q" in asked else orders


@operation("Read an order", tag=TAG, answers={200: WholeOrder}, errors=["order_not_found"])
def read_order(request: Call, order_id: UUID) -> Response:
    """Where it stands: what it waits for, what each location does about it, and what has left."""
    return Response(_whole(request, _order(request, order_id).pk))


@operation(
    "Update an order",
    tag=TAG,
    body=ChangedOrder,
    answers={200: WholeOrder},
    errors=["order_not_found", "order_already_fulfilled"],
    writes=True,
)
def update_order(request: Call, order_id: UUID) -> Response:
    """Its tags, its notes and its destination; for anything else cancel it and create it again, under the same ids.

    One that waited goes on by itself. A warehouse that has it already is told in the background.
    """
    order, changes = _order(request, order_id), _changes(request.data)
    revising.revise(order, changes, by=request.user.actor)
    return Response(_whole(request, order_id))


def _changes(data: Any) -> dict[str, Any]:
    """What is to be, as it is stored. Raises Problem validation_error, for everything that cannot change as well."""
    fixed = sorted(NewOrder.model_fields.keys() - ChangedOrder.model_fields.keys())
    if isinstance(data, dict) and (named := [name for name in fixed if name in data]):
        raise all_wrong((name, FIXED) for name in named)
    body = parsed(ChangedOrder, data)
    changes = {name: getattr(body, name) for name in body.model_fields_set}
    return changes | ({"destination": as_stored(body.destination)} if "destination" in changes else {})


@operation(
    "Cancel an order",
    tag=TAG,
    answers={204: None},
    errors=["order_not_found", "order_already_fulfilled", "picking_in_progress"],
    writes=True,
)
def cancel_order(request: Call, order_id: UUID) -> Response:
    """Frees its stock. One that a warehouse has already is cancelling until the warehouse says that it has stopped.

    To cancel it once more changes nothing. What has left comes back as a return.
    """
    cancelling.cancel(_order(request, order_id), by=request.user.actor)
    return Response(status=204)
