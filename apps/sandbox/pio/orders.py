"""`/api/v1/orders`: what shops want sent (contracts 1.7). Paths, bodies and some codes are gaps, filled here.

POST takes {"ext_order_id": "1001", "ext_fulfillment_order_id": "0197-…", "order_number": "#1001",
 "lines": [{"sku": "HAT-1", "quantity": 3, "ext_order_line_item_id": "a"}], "tags": ["vip"], "notes": "Gift wrap",
 "shipping_method": "express", "destination_address": {"first_name": "Ann", "address1": "Main St 1", …}}
and answers 200 with the order: the same, with `id`, `state`, `created_at`, and `sent` of each line. Nothing is prepared
within the request; see preparing.py.

An order's `state` follows from its fulfilment: open, blocked, in_progress, partly_fulfilled, fulfilled, or deviated
when the port has rejected it. A deleted order is found no more, and its pair of external ids is free again.
"""

from collections.abc import Mapping

from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone

from apps.sandbox.errors import Refused
from apps.sandbox.json_body import json_object
from apps.sandbox.pio.bodies import OrderChangeForm, OrderForm, accepted
from apps.sandbox.pio.fulfillments import changed, line_shown
from apps.sandbox.pio.models import Fulfillment, Order, OrderLine, Product, Shop
from apps.sandbox.pio.paging import page_of
from apps.sandbox.pio.prioritizing import judge
from apps.sandbox.pio.reserving import release
from apps.sandbox.pio.turns import writing

PAIR = ("ext_order_id", "ext_fulfillment_order_id")
CHANGEABLE = list(OrderChangeForm.base_fields)
STATES = {"picking": "in_progress", "rejected": "deviated"}


def orders_of(shop: Shop) -> QuerySet[Order]:
    """The orders that the shop has not deleted, with their lines."""
    living = Order.objects.filter(shop=shop).exclude(step=Order.Step.DELETED).select_related("fulfillment")
    return living.prefetch_related(Prefetch("lines", OrderLine.objects.order_by("pk")))


def own_order(request: HttpRequest, order_id: int) -> Order:
    """Raises Refused (404) unless it is the calling shop's."""
    order = orders_of(request.token.shop).filter(pk=order_id).first()
    if order is None:
        raise Refused(404, "There is no such order in this shop", code="order_not_found")
    return order


def page(request: HttpRequest) -> HttpResponse:
    """The orders of the shop; each of its external ids finds some."""
    shop = request.token.shop
    wanted = {name: request.GET[name] for name in PAIR if name in request.GET}
    return page_of(orders_of(shop).filter(**wanted), request=request, scope=f"orders of {shop.pk}", shown=shown)


def read(request: HttpRequest, *, order_id: int) -> HttpResponse:
    return JsonResponse(shown(own_order(request, order_id)))


def add(request: HttpRequest) -> HttpResponse:
    """Accept an order. Raises Refused: 400 for a pair of external ids that is taken, 422 for an unknown SKU."""
    given, shop = accepted(OrderForm, request), request.token.shop
    lines = given.pop("lines")
    with writing():
        check_pair(shop, given)
        products = products_by_sku(shop, lines)
        order = Order.objects.create(shop=shop, accepted_at=timezone.now(), **given)
        OrderLine.objects.bulk_create(OrderLine(order=order, product=products[line["sku"]], **line) for line in lines)
    return read(request, order_id=order.pk)


def check_pair(shop: Shop, given: Mapping[str, object]) -> None:
    """Raises Refused (400) when an order of the shop has these external ids."""
    if orders_of(shop).filter(**{name: given[name] for name in PAIR}).exists():
        raise Refused(400, "There is an order with these external ids", code="order_already_exists")


def products_by_sku(shop: Shop, lines: list[dict]) -> dict[str, Product]:
    """The products of the lines. Raises Refused (422) when the shop has not linked one of them."""
    skus = {line["sku"] for line in lines}
    known = Product.objects.filter(organization=shop.organization_id, sku__in=skus, mappings__shop=shop)
    found = {product.sku: product for product in known}
    if missing := skus - found.keys():
        problems = dict.fromkeys(sorted(missing), "is no product of this shop")
        raise Refused(422, "A line has an unknown SKU", code="product_not_found", details=problems)
    return found


def change(request: HttpRequest, *, order_id: int) -> HttpResponse:
    """Change tags, notes and destination, those that are given. Raises Refused (422) for anything else."""
    fixed = json_object(request).keys() - set(CHANGEABLE)
    if fixed:
        problems = dict.fromkeys(sorted(fixed), "cannot be changed: delete the order and create it anew")
        raise Refused(
            422, f"Only {', '.join(CHANGEABLE)} can be changed", code="field_not_changeable", details=problems
        )
    with writing():
        order = own_order(request, order_id)
        check_unfinished(order)
        before = {name: getattr(order, name) for name in CHANGEABLE}
        for name, value in accepted(OrderChangeForm, request, over=before).items():
            setattr(order, name, value)
        order.save(update_fields=CHANGEABLE)
        if has_fulfillment(order):
            judge(order.fulfillment)
    return read(request, order_id=order_id)


def check_unfinished(order: Order) -> None:
    """Raises Refused (422) when all that was to leave has left."""
    if has_fulfillment(order) and order.fulfillment.is_closed and order.fulfillment.state != Fulfillment.State.REJECTED:
        raise Refused(422, "This order is fulfilled", code="order_already_fulfilled")


def remove(request: HttpRequest, *, order_id: int) -> HttpResponse:
    """Delete the order and give its reservation back: 204. Raises Refused (422) from the first pick on."""
    with writing():
        order = own_order(request, order_id)
        check_unpicked(order)
        order.step = Order.Step.DELETED
        order.save(update_fields=["step"])
        if has_fulfillment(order) and not order.fulfillment.is_closed:
            release(order.lines.all())
            changed(order.fulfillment, state=Fulfillment.State.CANCELLED, is_closed=True)
    return HttpResponse(status=204)


def check_unpicked(order: Order) -> None:
    """Raises Refused (422) while it is picked, and when some of it has left: then only a return helps."""
    state = order.fulfillment.state if has_fulfillment(order) else ""
    if state == Fulfillment.State.PICKING:
        raise Refused(422, "Somebody is picking this order", code="picking_in_progress")
    if state in (Fulfillment.State.PARTLY_FULFILLED, Fulfillment.State.FULFILLED):
        raise Refused(422, "This order has been picked", code="order_already_fulfilled")


def has_fulfillment(order: Order) -> bool:
    return hasattr(order, "fulfillment")


def shown(order: Order) -> dict:
    """An order of `orders_of` in the words of the API."""
    columns = (*PAIR, "order_number", "tags", "notes", "shipping_method", "destination_address")
    return {
        "id": order.pk,
        **{column: getattr(order, column) for column in columns},
        "state": state_of(order),
        "lines": [line_shown(line) for line in order.lines.all()],
        "created_at": order.accepted_at.isoformat(),
    }


def state_of(order: Order) -> str:
    if not has_fulfillment(order):
        return "open"
    state = order.fulfillment.state
    is_blocked = order.fulfillment.is_blocked and state == Fulfillment.State.OPEN
    return "blocked" if is_blocked else STATES.get(state, state)
