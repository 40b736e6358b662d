"""Who hears of orders and fulfilments, and what they are told of them.

Nobody's name or address: whoever may see those reads the order.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Any
from uuid import UUID

from apps.webhooks.audiences import described_by, heard_by
from apps.webhooks.wording import LONGEST_LIST, amount, beginning, moment

from .models import Fulfillment, FulfillmentLine, Order, OrderLine, Parcel

OF_A_SHOP = """
SELECT happened.event_id, bought.shop_id, shop.integration_id
FROM happened
JOIN orders_order bought ON bought.id = happened.entity_id::uuid
JOIN shops_shop shop ON shop.id = bought.shop_id
WHERE happened.entity = 'order'
"""
# The order's shop hears of it, and the warehouse that does it.
AT_WORK = """
SELECT happened.event_id, bought.shop_id, shop.integration_id
FROM happened
JOIN orders_fulfillment fulfillment ON fulfillment.id = happened.entity_id::uuid
JOIN orders_order bought ON bought.id = fulfillment.order_id
JOIN shops_shop shop ON shop.id = bought.shop_id
WHERE happened.entity = 'fulfillment'
UNION ALL
SELECT happened.event_id, NULL, fulfillment.integration_id
FROM happened
JOIN orders_fulfillment fulfillment ON fulfillment.id = happened.entity_id::uuid
WHERE happened.entity = 'fulfillment' AND fulfillment.integration_id IS NOT NULL
"""

ORDER = (
    "id", "shop_id", "ext_order_id", "ext_fulfillment_order_id", "number", "state", "tags", "shipping_method",
    "currency", "priority", "version",
)  # fmt: skip
ORDER_MOMENTS = ("placed_at", "created_at", "updated_at", "cancel_requested_at", "cancelled_at")
LINE = ("id", "ext_line_id", "sku", "product_id", "quantity", "shipped", "cancelled")
FULFILLMENT = ("id", "order_id", "location_id", "state", "reason", "service", "service_name", "version")
FULFILLMENT_MOMENTS = ("created_at", "updated_at", "finished_at")
ELSEWHERE = {
    "ext_order_id": "order__ext_order_id",
    "ext_fulfillment_order_id": "order__ext_fulfillment_order_id",
    "number": "order__number",
    "shop_id": "order__shop_id",
    "location_name": "location__name",
}
FULFILLED = {
    "line_id": "order_line_id",
    "ext_line_id": "order_line__ext_line_id",
    "sku": "order_line__sku",
    "product_id": "product_id",
    "quantity": "quantity",
    "shipped": "shipped",
}
FEW = 50  # lines: nobody has to look how long these are
LONGEST_PARCEL = 50_000  # bytes of its lines: less than of all parcels, so that the newest is always told
PARCEL = ("id", "carrier", "tracking_number", "tracking_url")


def name_audiences() -> None:
    """Say who hears of what this room knows; once, when the portal starts."""
    heard_by("order", OF_A_SHOP)
    heard_by("fulfillment", AT_WORK)
    described_by("order", orders)
    described_by("fulfillment", fulfillments)


def orders(ids: Collection[str]) -> dict[str, dict[str, Any]]:
    """With their lines."""
    own = [UUID(pk) for pk in ids]
    rows = Order.objects.filter(pk__in=own).values(*ORDER, *ORDER_MOMENTS, "total")
    lines = _by("order_id", OrderLine.objects.filter(order__in=own).values("order_id", *LINE, "price"))
    return {str(row["id"]): _order(row, lines[row["id"]]) for row in rows}


def _order(row: dict[str, Any], lines: list[dict[str, Any]]) -> dict[str, Any]:
    shown = {name: _plain(row[name]) for name in ORDER} | {"total": amount(row["total"])}
    shown |= {name: moment(row[name]) for name in ORDER_MOMENTS}
    told = [{name: line[name] for name in LINE} | {"price": amount(line["price"])} for line in lines]
    return shown | {"line_count": len(lines), "lines": _first(told)}


def fulfillments(ids: Collection[str]) -> dict[str, dict[str, Any]]:
    """With their lines, and what has left of them."""
    own = [UUID(pk) for pk in ids]
    rows = Fulfillment.objects.filter(pk__in=own).values(*FULFILLMENT, *FULFILLMENT_MOMENTS, *ELSEWHERE.values())
    lines = FulfillmentLine.objects.filter(fulfillment__in=own).values("fulfillment_id", *FULFILLED.values())
    parcels = Parcel.objects.filter(fulfillment__in=own).values("fulfillment_id", *PARCEL, "shipped_at", "lines")
    lines_of, parcels_of = _by("fulfillment_id", lines), _by("fulfillment_id", parcels)
    return {str(row["id"]): _fulfillment(row, lines_of[row["id"]], parcels_of[row["id"]]) for row in rows}


def _fulfillment(row: dict[str, Any], lines: list[dict[str, Any]], parcels: list[dict[str, Any]]) -> dict[str, Any]:
    told = [{name: line[path] for name, path in FULFILLED.items()} for line in lines]
    known = {line["line_id"]: line for line in told}
    newest = beginning(_parcel(parcel, known) for parcel in reversed(parcels))
    shown = {name: _plain(row[name]) for name in FULFILLMENT}
    shown |= {name: _plain(row[path]) for name, path in ELSEWHERE.items()}
    shown |= {name: moment(row[name]) for name in FULFILLMENT_MOMENTS}
    shown |= {"line_count": len(told), "lines": _first(told)}
    return shown | {"parcel_count": len(parcels), "parcels": newest[::-1]}


def _parcel(parcel: dict[str, Any], known: dict[int, dict[str, Any]]) -> dict[str, Any]:
    named = ("line_id", "ext_line_id", "sku")
    left = [(known[line], pieces) for line, pieces in parcel["lines"] if line in known]
    lines = [{name: line[name] for name in named} | {"quantity": pieces} for line, pieces in left]
    shown = {name: _plain(parcel[name]) for name in PARCEL}
    return shown | {"shipped_at": moment(parcel["shipped_at"]), "lines": _first(lines, most=LONGEST_PARCEL)}


def _first(lines: list[dict[str, Any]], *, most: int = LONGEST_LIST) -> list[dict[str, Any]]:
    return lines if len(lines) <= FEW else beginning(lines, most=most)


def _plain(value: Any) -> Any:
    """Ids as texts."""
    return value if isinstance(value, str | int | list) else str(value)


def _by(key: str, rows: Iterable[dict[str, Any]]) -> defaultdict[Any, list[dict[str, Any]]]:
    found = defaultdict(list)
    for row in rows:
        found[row[key]].append(row)
    return found
