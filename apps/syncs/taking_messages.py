"""Taking in what custom integrations send: our own words, with the bodies of our API, by the functions that take those.

All within the transaction of whoever opens the message. To hear the same again changes nothing.
"""

from collections import Counter
from collections.abc import Callable
from typing import Annotated, Any

from rest_framework.serializers import ValidationError

from apps.api.bodies import checked, read
from apps.api.errors import Problem, problem_of
from apps.api.parsing import StrictModel, parsed, texts
from apps.audit.trail import record
from apps.catalog.models import Location
from apps.catalog.report_bodies import StockReport, take_report
from apps.integrations.connectors.base import Category
from apps.integrations.definitions import category_of
from apps.orders import cancelling, intake
from apps.orders.models import Order
from apps.orders.order_bodies import Id, Needed, NewOrder, as_remote
from apps.orders.timeline import said_by
from apps.shops.models import Shop
from apps.webhooks.models import Receipt

from .parking import UNKNOWN_ORDER, Failed, Parked, newest, open_again

MOST_NAMED = 20  # refused rows of a report


class CancelledOrder(StrictModel):
    """An order that is over where it was sold."""

    ext_order_id: Needed
    ext_fulfillment_order_id: Id = ""
    reason: Annotated[str, texts(255)] = ""


def take_message(receipt: Receipt) -> str:
    """What came of it, for admins. Raises Parked (not_allowed: its grants do not reach so far) or Failed."""
    grant, take = MESSAGES.get(receipt.event_type, ("", None))
    if take is None:
        raise Parked("unknown_event")
    if grant not in receipt.integration.grants:
        raise Parked("not_allowed")
    try:
        return take(receipt, read(bytes(receipt.body)).get("data"))
    except (Problem, ValidationError) as error:
        problem = problem_of(error)
        raise Failed(problem.code, problem.detail) from error


def _order(receipt: Receipt, data: Any) -> str:
    shop, told = _shop(receipt), as_remote(parsed(NewOrder, data))
    (taken,) = intake.take_in(shop, [told])
    order = Order.objects.get(pk=taken.order)
    if taken.is_new:
        record(said_by(receipt.integration), "order.create", on=order)
        open_again(receipt.integration, UNKNOWN_ORDER)
    return f"{order}: {'new' if taken.is_new else 'known'}"


def _cancelled(receipt: Receipt, data: Any) -> str:
    shop, told = _shop(receipt), parsed(CancelledOrder, data)
    ours = newest(shop, told.ext_order_id, told.ext_fulfillment_order_id)
    if ours is None:
        raise Parked(UNKNOWN_ORDER)
    return f"{ours}: {cancelling.cancel(ours, by=said_by(receipt.integration), reason=told.reason).state}"


def _shop(receipt: Receipt) -> Shop:
    """The one that is named; the only one, where none is."""
    named = {"ext_shop_id": receipt.shop_ref} if receipt.shop_ref else {}
    shops = Shop.objects.active().filter(organization=receipt.organization, integration=receipt.integration, **named)
    found = list(shops.select_related("integration__partner")[:2])
    if len(found) != 1:
        raise Parked("unknown_shop")
    return found[0]


def _stock(receipt: Receipt, data: Any) -> str:
    """A report that says no time is of when it came, which may be long ago. Raises Failed when none of it is taken."""
    integration = receipt.integration
    if category_of(integration) != Category.LOGISTICS:
        raise Problem("stock_is_read_only")
    asked: dict[str, Any] = {"observed_at": receipt.received_at, "reference": str(receipt.pk)} | checked(
        StockReport, data
    )
    location = Location.objects.filter(integration=integration, pk=asked["location_id"]).first()
    if location is None:
        raise Problem("location_not_found")
    told = take_report(integration, asked, location=location)
    refused = [f"{row.sku}: {outcome.error or outcome.result}" for row, outcome in told if outcome.refused]
    if refused and len(refused) == len(told):
        raise Failed("refused", "\n".join(refused[:MOST_NAMED]))
    counts = Counter(str(outcome.result) for _row, outcome in told)
    record(said_by(integration), "inventory.report", on=location, after=dict(counts))
    return "\n".join([", ".join(f"{n} {result}" for result, n in sorted(counts.items())), *refused[:MOST_NAMED]])


MESSAGES: dict[str, tuple[str, Callable[[Receipt, Any], str]]] = {
    "order.created": ("orders:write", _order),
    "order.cancelled": ("orders:write", _cancelled),
    "stock.reported": ("inventory:write", _stock),
}
