"""Otter's webhooks about orders, in our words. Pure functions; contracts part 3.5, and the published `Order` (v1).

Gaps: what `skuId` is an id of; which id an item has that the seller's system does not know; what happens to an order
whose `orders.new_order` nobody acknowledges.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from apps.moments import in_utc

from ..base import LONGEST_ID, BadSignature, Webhook, is_storable
from ..orders import Address, OrderCancelled, OrderNews, RemoteLine, RemoteOrder
from .mapping import UNREADABLE

type News = list[OrderNews | OrderCancelled]

SIGNATURE = "x-hmac-sha256"
OVER = ("CANCELED", "REJECTED")
GONE = ("PICKED_UP", "FULFILLED")  # whoever was to ship it has done so
BETWEEN = "/"  # source and id of an order in our id of it; a source is a word such as ubereats
MOST_PIECES = 1_000  # of one item, as published


def verify(headers: Mapping[str, str], body: bytes, *, secrets: Sequence[str]) -> Webhook:
    """The signature over the raw body, then the envelope. Raises BadSignature, and nothing else.

    How long Otter tries again is not published, so a delivery may be of any age; one that comes twice counts once.
    """
    given = {name.lower(): value for name, value in headers.items()}
    signature = given.get(SIGNATURE, "").encode("utf-8", "backslashreplace")
    if not any(hmac.compare_digest(_signature(body, secret=secret), signature) for secret in secrets if secret):
        raise BadSignature("The signature does not fit.")
    try:
        envelope = json.loads(body)
        return Webhook(
            remote_id=_id(envelope["eventId"]),
            event_type=_id(envelope["eventType"]),
            shop_ref=_id(envelope["metadata"]["storeId"]),
        )
    except (*UNREADABLE, RecursionError) as error:
        raise BadSignature(f"Signed, but no message of Otter's: {error!r}") from error


def _signature(body: bytes, *, secret: str) -> bytes:
    return base64.b64encode(hmac.digest(secret.encode(), body, hashlib.sha256))


def news(event_type: str, body: bytes) -> News | None:
    """What a message says of orders: nothing for those that tell what we or others did with one.

    None for an event that we know nothing of. Raises ValueError for a body that cannot be read.
    """
    read = EVENTS.get(event_type)
    if read is None:
        return None
    try:
        return read(json.loads(body, parse_float=Decimal))
    except (*UNREADABLE, RecursionError) as error:
        raise ValueError(f"not a message about an order: {error!r}") from error


def _nothing(envelope: Mapping[str, Any]) -> News:
    return []


def _told(envelope: Mapping[str, Any]) -> News:
    """An order of which all has left says nothing new: it must not be shipped once more if we never heard of it."""
    payload = envelope["metadata"]["payload"]
    if payload["status"] in GONE:
        return []
    return [OrderNews(order(payload, changed_at=moment(envelope.get("eventTime"))))]


def _cancelled(envelope: Mapping[str, Any]) -> News:
    payload = envelope["metadata"]["payload"]
    reason = str(payload.get("cancellationReason") or "")
    return [OrderCancelled(order_id(payload["externalIdentifiers"]), reason=reason)]


EVENTS: dict[str, Callable[[Mapping[str, Any]], News]] = {
    "orders.new_order": _told,
    "orders.update": _told,
    "orders.cancel_order": _cancelled,
    "orders.confirm": _nothing,
    "orders.order_ready": _nothing,
    "orders.order_handed_off": _nothing,
    "orders.order_fulfilled": _nothing,
    "orders.order_status_update": _nothing,
    "orders.pos_injection_state_update": _nothing,
    "ping.ping": _nothing,
}


def order(data: Mapping[str, Any], *, changed_at: datetime | None = None) -> RemoteOrder:
    """Otter's way of shipping is its `fulfillmentMode`, DELIVERY unless it says otherwise."""
    named = data["externalIdentifiers"]
    total = data.get("orderTotal") or {}
    return RemoteOrder(
        ext_order_id=order_id(named),
        lines=tuple(line(item) for item in data["items"]),
        number=_text(named.get("friendlyId")),
        destination=destination(data),
        customer=_person(data.get("customer")),
        shipping_method=_text((data.get("fulfillmentInfo") or {}).get("fulfillmentMode")) or "DELIVERY",
        tags=tuple(filter(None, [_text(named.get("source"))])),
        notes="\n".join(_notes(data)),
        currency=_text(data.get("currencyCode")),
        total=_amount(total.get("total")),
        shipping_price=_amount(total.get("deliveryFee")),
        tax=_amount(total.get("tax")),
        discount=_discount(total.get("discount")),
        placed_at=moment(data.get("orderedAt")),
        changed_at=changed_at,
        is_cancelled=data["status"] in OVER,
    )


def order_id(named: Mapping[str, Any]) -> str:
    """Its source and its id there: the id is the source's own, and Otter's calls ask for both."""
    return BETWEEN.join(filter(None, [_text(named.get("source")), _id(named["id"])]))


def source_and_id(ext_order_id: str) -> tuple[str, str]:
    """What `order_id` was made of; the source is empty for an order that came without."""
    source, _, id_there = ext_order_id.partition(BETWEEN)
    return (source, id_there) if id_there else ("", source)


def line(item: Mapping[str, Any]) -> RemoteLine:
    """An item's `id` is the seller's own, as in the inventory: its SKU."""
    return RemoteLine(
        sku=_text(item.get("id") or item.get("skuId")),
        quantity=_pieces(item["quantity"]),
        name=_text(item.get("name")),
        ext_line_id=_text(item.get("lineItemId")),
        price=_amount(item.get("price")),
    )


def destination(data: Mapping[str, Any]) -> Address:
    """Where it is delivered, to the customer; empty where nothing is delivered. One who has one name has no last."""
    place = (data.get("deliveryInfo") or {}).get("destination") or {}
    person = _person(data.get("customer"))
    first, _, last = person.get("name", "").partition(" ")
    lines = place.get("addressLines") or place.get("linesOfAddress") or [place.get("fullAddress")]
    street, *more = [_text(one) for one in lines]
    return Address(
        first_name=first,
        last_name=last,
        address1=street,
        address2=", ".join(filter(None, more)),
        city=_text(place.get("city")),
        province=_text(place.get("state")),
        zip=_text(place.get("postalCode")),
        country=_text(place.get("countryCode")),
        phone=person.get("phone", ""),
        email=person.get("email", ""),
    )


def _person(data: Mapping[str, Any] | None) -> dict[str, str]:
    said = {key: _text((data or {}).get(key)) for key in ("name", "email", "phone")}
    return {key: text for key, text in said.items() if text}


def _notes(data: Mapping[str, Any]) -> Iterator[str]:
    """What the customer asks for, of the whole, of its way and of single items; and what they want done to these."""
    for said in (data.get("customerNote"), (data.get("deliveryInfo") or {}).get("note")):
        if said:
            yield _text(said)
    for item in data["items"]:
        wishes = [*map(_wish, item.get("modifiers") or []), *filter(None, [_text(item.get("note"))])]
        if wishes:
            yield f"{_text(item.get('name') or item.get('id'))}: {', '.join(wishes)}"


def _wish(modifier: Mapping[str, Any]) -> str:
    within = [_wish(one) for one in modifier.get("modifiers") or []]
    said = f"{_pieces(modifier['quantity'])} × {_text(modifier.get('name') or modifier.get('id'))}"
    return f"{said} ({', '.join(within)})" if within else said


def moment(value: Any) -> datetime | None:
    if value is None:
        return None
    return in_utc(datetime.fromisoformat(value))


def _id(value: Any) -> str:
    text = _text(value)
    if not 0 < len(text) <= LONGEST_ID:
        raise ValueError("an id is missing, or far too long")
    return text


def _text(value: Any) -> str:
    """Empty for nothing. ValueError for what is no text, or could not be stored."""
    if value is None:
        return ""
    if not isinstance(value, str) or not is_storable(value):
        raise ValueError("not a text")
    return value


def _pieces(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= MOST_PIECES:
        raise ValueError("a quantity is not a number of pieces")
    return value


def _amount(value: Any) -> Decimal | None:
    """Otter's numbers are of the currency's major unit."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or not Decimal(value).is_finite():
        raise ValueError("not an amount")
    return Decimal(value)


def _discount(value: Any) -> Decimal | None:
    """Otter's is negative, ours is what is taken off."""
    amount = _amount(value)
    return None if amount is None else abs(amount)
