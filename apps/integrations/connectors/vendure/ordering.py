"""Vendure's orders in our words, and our parcels in its own: a parcel is a fulfillment there. Pure functions.

They read the `data` of an answer, and raise one of UNREADABLE when it does not have the published form
(@vendure/core 3.7, dist/api/schema).
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Self

from apps.moments import in_utc

from ..base import BadItem, Rejected, StoreRef
from ..orders import Address, OrderPage, ParcelNote, RemoteLine, RemoteOrder, RemoteService
from .mapping import LONGEST_REF, MOST_DECIMALS, UNREADABLE, whole

FIRST = timedelta(days=30)  # how far back the first reading of a store goes
TICK = timedelta(milliseconds=1)  # Vendure's answers name no smaller part of a second
# Not paid, or not at rest. An authorized payment is no payment yet: Vendure ships nothing before it is settled
# (dist/config/order/default-order-process). What a shop adds to these states of its own is taken for paid.
UNREADY = (
    *("Created", "Draft", "AddingItems", "ArrangingPayment", "PaymentAuthorized"),
    *("Modifying", "ArrangingAdditionalPayment"),
)
OVER = ("Shipped", "Delivered", "Cancelled")  # nothing is left to do
HANDLER = "manual-fulfillment"  # the one that every Vendure has
HAS_LEFT = ("Shipped", "Delivered", "Cancelled")  # of a fulfillment; one that somebody there took back stays so
REFUSED = {
    "ItemsAlreadyFulfilledError": "already_fulfilled",
    "InsufficientStockOnHandError": "too_few_there",
    "InvalidFulfillmentHandlerError": "cannot_be_fulfilled",
}


@dataclass(frozen=True, slots=True)
class Place:
    """How far orders are read: none placed before `floor`, and from `after` on. Many may be placed in one moment;
    so many of those are `skip`ped.
    """

    floor: datetime
    after: datetime
    skip: int = 0

    @classmethod
    def of(cls, cursor: str) -> Self:
        """Raises Rejected for a cursor that is not one of ours."""
        if not cursor:
            began = datetime.now(UTC) - FIRST
            return cls(began, began)
        try:
            floor, after, skip = cursor.split()
            return cls(datetime.fromisoformat(floor), datetime.fromisoformat(after), int(skip))
        except ValueError:
            raise Rejected(f"Not a place in a list: {cursor:.40}", code="bad_cursor") from None

    def __str__(self) -> str:
        return f"{_stamp(self.floor)} {_stamp(self.after)} {self.skip}"

    def beyond(self, last: datetime, read: int) -> "Place":
        """The place after a page that ended with an order placed at `last`; that moment's others may follow."""
        after = last - TICK
        return Place(self.floor, after) if after > self.after else Place(self.floor, self.after, self.skip + read)

    @property
    def start(self) -> "Place":
        return Place(self.floor, self.floor)

    @property
    def filter(self) -> dict[str, Any]:
        """Those that are ready to be shipped and not over, and were placed since."""
        return _whole_orders() | {
            "orderPlacedAt": {"after": _stamp(self.after)},
            "state": {"notIn": [*UNREADY, *OVER]},
        }


def named(ids: Sequence[str]) -> dict[str, Any]:
    """The filter of these orders, but for those that are not at rest."""
    return _whole_orders() | {"id": {"in": list(ids)}, "state": {"notIn": list(UNREADY)}}


def _whole_orders() -> dict[str, Any]:
    """An order of several sellers is there in parts too, one for each; these are what is shipped."""
    return {"type": {"notEq": "Aggregate"}}


def page(data: dict[str, Any], place: Place, *, store: StoreRef, take: int) -> OrderPage:
    raw, found = data["orders"]["items"], orders(data, store=store)
    if len(raw) < take:
        return replace(found, resume_from=str(place.start))
    return replace(found, next_cursor=str(place.beyond(datetime.fromisoformat(raw[-1]["orderPlacedAt"]), len(raw))))


def orders(data: dict[str, Any], *, store: StoreRef) -> OrderPage:
    """Each order as ours, or as a bad item."""
    precision = whole(data["globalSettings"]["serverConfig"]["moneyStrategyPrecision"], most=MOST_DECIMALS)
    found = [_order_or_bad(item, precision, store) for item in data["orders"]["items"]]
    return OrderPage(
        items=[item for item in found if isinstance(item, RemoteOrder)],
        bad=[item for item in found if isinstance(item, BadItem)],
    )


def _order_or_bad(item: dict[str, Any], precision: int, store: StoreRef) -> RemoteOrder | BadItem:
    try:
        return order(item, precision=precision, store=store)
    except UNREADABLE as error:
        return BadItem(str(item["code"])[:LONGEST_REF], "unreadable_order", f"{error!r:.200}")


def order(item: dict[str, Any], *, precision: int, store: StoreRef) -> RemoteOrder:
    """Amounts are with tax; the price of a piece is the one before discounts. What was cancelled, and what others than
    we have shipped, is not on its lines; with nothing left the order is over.
    """
    left = _left(item, store)
    total = whole(item["totalWithTax"])
    return RemoteOrder(
        ext_order_id=item["id"],
        number=item["code"],
        lines=tuple(_line(line, left.get(line["id"], 0), precision) for line in _lines(item, left)),
        destination=_address(item),
        customer=_customer(item["customer"] or {}),
        shipping_method=_shipping_method(item["shippingLines"]),
        currency=item["currencyCode"],
        total=_amount(total, precision),
        shipping_price=_amount(item["shippingWithTax"], precision),
        tax=_amount(total - whole(item["total"]), precision),
        discount=_amount(-sum(whole(discount["amountWithTax"]) for discount in item["discounts"]), precision),
        placed_at=_moment(item["orderPlacedAt"]),
        changed_at=_moment(item["updatedAt"]),
        is_cancelled=item["state"] == "Cancelled" or not left,
    )


def _left(item: dict[str, Any], store: StoreRef) -> dict[str, int]:
    """The pieces of each line that are for us to ship, or that we have shipped; only lines with any."""
    theirs: Counter[str] = Counter()
    for fulfillment in item["fulfillments"] or ():
        if fulfillment["state"] != "Cancelled" and _signature(store) not in fulfillment["method"]:
            theirs.update({line["orderLineId"]: whole(line["quantity"]) for line in fulfillment["lines"]})
    left = {line["id"]: whole(line["quantity"]) - theirs[line["id"]] for line in item["lines"]}
    return {line: pieces for line, pieces in left.items() if pieces > 0}


def _lines(item: dict[str, Any], left: Mapping[str, int]) -> Iterable[dict[str, Any]]:
    """Those with something left; all when there is none, for what is over is told with what it was about."""
    return [line for line in item["lines"] if line["id"] in left] or item["lines"]


def _line(line: dict[str, Any], left: int, precision: int) -> RemoteLine:
    variant = line["productVariant"]
    return RemoteLine(
        sku=variant["sku"],
        quantity=left or whole(line["orderPlacedQuantity"]),
        name=variant["name"],
        ext_line_id=line["id"],
        ext_product_id=variant["productId"],
        ext_variant_id=variant["id"],
        price=_amount(line["unitPriceWithTax"], precision),
    )


def _address(item: dict[str, Any]) -> Address:
    """Vendure keeps one full name: the first word of it is taken for the first name."""
    given, customer = item["shippingAddress"] or {}, item["customer"] or {}
    first, _, last = (given.get("fullName") or "").strip().partition(" ")
    return Address(
        first_name=first,
        last_name=last.strip(),
        company=given.get("company") or "",
        address1=given.get("streetLine1") or "",
        address2=given.get("streetLine2") or "",
        city=given.get("city") or "",
        province=given.get("province") or "",
        zip=given.get("postalCode") or "",
        country=(given.get("countryCode") or "").upper(),
        phone=given.get("phoneNumber") or customer.get("phoneNumber") or "",
        email=customer.get("emailAddress") or "",
    )


def _customer(given: dict[str, Any]) -> dict[str, str]:
    words = {
        "first_name": "firstName",
        "last_name": "lastName",
        "email": "emailAddress",
        "phone": "phoneNumber",
    }
    return {ours: given[theirs] for ours, theirs in words.items() if given.get(theirs)}


def _shipping_method(lines: Sequence[dict[str, Any]]) -> str:
    return lines[0]["shippingMethod"]["name"] if lines else ""


def services(data: dict[str, Any]) -> list[RemoteService]:
    return [RemoteService(item["code"], item["name"]) for item in data["shippingMethods"]["items"]]


def fulfillment_of(data: dict[str, Any], parcel: ParcelNote, *, store: StoreRef) -> dict[str, Any] | None:
    """The fulfillment that this parcel already is there. Raises Rejected: order_not_found, order_cancelled."""
    found = data["order"]
    if found is None:
        raise Rejected(f"There is no order {parcel.ext_order_id}.", code="order_not_found")
    ours = [item for item in found["fulfillments"] or () if _mark(store, parcel.reference) in item["method"]]
    if not ours and found["state"] == "Cancelled":
        raise Rejected(f"Order {parcel.ext_order_id} is cancelled there.", code="order_cancelled")
    return ours[0] if ours else None


def fulfillment_input(parcel: ParcelNote, *, store: StoreRef) -> dict[str, Any]:
    """A FulfillOrderInput. `method` is who carries it, for the shop's customer to read, and our mark for us to find."""
    method = " ".join(filter(None, (parcel.tracking.carrier, f"({_mark(store, parcel.reference)})")))
    arguments = {"method": method, "trackingCode": parcel.tracking.number}
    return {
        "lines": [{"orderLineId": line, "quantity": pieces} for line, pieces in parcel.lines.items()],
        "handler": {
            "code": HANDLER,
            "arguments": [{"name": name, "value": value} for name, value in arguments.items()],
        },
    }


def fulfilled(data: dict[str, Any]) -> dict[str, Any]:
    """The new fulfillment. Raises Rejected with a code of REFUSED, or without one."""
    return _unless_refused(data["addFulfillmentToOrder"])


def shipped(data: dict[str, Any]) -> str:
    """The id of the fulfillment that has left. Raises Rejected."""
    return _unless_refused(data["transitionFulfillmentToState"])["id"]


def _unless_refused(result: dict[str, Any]) -> dict[str, Any]:
    if (kind := result["__typename"]) != "Fulfillment":
        reason = result.get("reason") or result["message"]
        raise Rejected(f"{kind}: {reason:.300}", code=REFUSED.get(kind, ""))
    return result


def _mark(store: StoreRef, reference: str) -> str:
    return f"{_signature(store)}{reference}"


def _signature(store: StoreRef) -> str:
    """What all our parcels of one connection have in their marks, and those of an earlier connection do not."""
    return f"xd-{hashlib.sha256(store.ext_shop_id.encode()).hexdigest()[:6]}-"


def _amount(value: Any, precision: int) -> Decimal:
    return Decimal(whole(value)).scaleb(-precision)


def _moment(value: str) -> datetime:
    return in_utc(datetime.fromisoformat(value))


def _stamp(moment: datetime) -> str:
    """As Vendure writes moments: UTC, to the millisecond."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
