"""Pio's words as ours, and ours as Pio's. Pure functions; contracts part 1.

Fields that Pio does not publish (marked as gaps there) are read where they come, and missed by nobody.
"""

import base64
import hashlib
import hmac
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import requests

from apps.moments import in_utc

from ..base import (
    LONGEST_ID,
    BadItem,
    BadSignature,
    BadTime,
    Page,
    RemoteOrganization,
    RemoteProduct,
    RemoteStock,
    StockNews,
    Unreachable,
    Webhook,
    is_storable,
)
from ..orders import FulfillmentNews, FulfillmentPage, HandedOrder, RemoteService, Step, Tracking

UNREADABLE = (KeyError, TypeError, ValueError, AttributeError, ArithmeticError)
LONGEST_CODE = 50
MOST_PIECES, MOST_CHANGES = 2**31 - 1, 2**63 - 1  # what our tables can hold
# Pio's codes that are longer than a code may be here, and those that everybody knows under another name.
CODES = {
    "product_sku_already_exists_and_in_use_by_other_product": "sku_in_use",
    "ext_shop_id_already_exists": "id_taken",
}
STOCK_EVENTS = ("inventory_levels.update", "inventory_log.create")
FULFILLMENT_EVENTS = ("fulfillments.create", "fulfillments.update")
STEPS = {
    "open": Step.TAKEN,
    "picking": Step.PICKING,
    "partly_fulfilled": Step.SHIPPED,
    "fulfilled": Step.SHIPPED,
    "rejected": Step.REJECTED,
    "cancelled": Step.CANCELLED,
}
# Where a reading of fulfilments goes on: within a list of Pio's, or at a moment.
WITHIN, SINCE = "cursor:", "since:"
LONGEST_NOTE, LONGEST_ADDRESS = 1000, 2000
# A delivery is tried again for 24 hours (contracts 1.8), and nobody knows whether with the time of its first try. One
# that comes twice counts once, however old it is.
OLDEST, FASTEST = timedelta(hours=25), timedelta(minutes=5)
HEADERS = (
    "X-Pio-Event-Type", "X-Pio-Delivery-Id", "X-Pio-Timestamp", "X-Pio-Shop-Id", "X-Pio-Ext-Shop-Id",
)  # fmt: skip


def code(response: requests.Response) -> str:
    """Pio's own code for a refusal, e.g. product_not_found; empty when the answer names none."""
    try:
        named = response.json()["code"]
    except UNREADABLE:
        return ""
    return CODES.get(named, named[:LONGEST_CODE]) if isinstance(named, str) and is_storable(named) else ""


def organization(shop: Mapping[str, Any] | None) -> RemoteOrganization:
    """Whose token it is. Pio names nobody before there is a shop (a gap): there is one account of Pio's for us then."""
    told = (shop or {}).get("organization")
    named = told if isinstance(told, Mapping) else {}
    return _or_garbled(lambda: RemoteOrganization(str(named.get("id") or "pio"), str(named.get("name") or "Pio")))


def connected_as(shop: Any) -> str:
    """The id of ours that the token's shop has."""
    return _or_garbled(lambda: _text(shop["ext_shop_id"]))


def product_body(product: RemoteProduct) -> dict[str, Any]:
    """All that Pio may know of a product, and never its stock (contracts 1.5). Empty fields empty those there."""
    body: dict[str, Any] = {"name": product.name, "sku": product.sku, "ext_product_id": product.ext_product_id}
    if product.ext_variant_id:
        body["ext_variant_id"] = product.ext_variant_id
    measures = {name: getattr(product, name) for name in ("weight", "length", "width", "height")}
    return body | {
        "image_src": product.image_src,
        "barcodes": list(product.barcodes),
        "brand": product.brand,
        "type": product.type,
        "tags": list(product.tags),
        "hs_code": product.hs_code,
        "country_of_origin": product.country_of_origin,
        **{name: float(value) for name, value in measures.items() if value is not None},
    }


def remote_id(data: Any) -> str:
    return _or_garbled(lambda: _text(data["id"]))


def hooks(data: Any) -> list[dict[str, str]]:
    """The hooks of the shop: id, event_type and target_url of each."""
    keys = ("id", "event_type", "target_url")
    return _or_garbled(lambda: [{key: _text(hook[key]) for key in keys} for hook in _items(data)])


def inventory(data: Any) -> Page[RemoteStock]:
    """A page of the stock. An unreadable line fails alone."""
    found: list[RemoteStock] = []
    bad: list[BadItem] = []
    for line in _or_garbled(lambda: _items(data)):
        try:
            found.append(_stock(line))
        except UNREADABLE as error:
            bad.append(BadItem(_ref(line, "sku", "product_id"), "unreadable", repr(error)))
    return Page(found, _or_garbled(lambda: _after(data)), bad=bad)


def _stock(line: Mapping[str, Any]) -> RemoteStock:
    return RemoteStock(
        sku=_text(line["sku"]),
        on_hand=_pieces(line["in_stock"]),
        ext_product_id=str(line.get("ext_product_id") or ""),
        ext_variant_id=str(line.get("ext_variant_id") or ""),
        version=_version(line.get("version")),
    )


def verify(headers: Mapping[str, str], body: bytes, *, secrets: Sequence[str], now: datetime) -> Webhook:
    """The six headers of version 1 (contracts 1.8, behaviours 83 and 84). Raises BadSignature, and nothing else."""
    given = {name.lower(): value for name, value in headers.items()}
    parts = [given.get(name.lower(), "") for name in HEADERS]
    event, delivery, timestamp, _, ext_shop_id = parts
    if not (event and delivery and timestamp) or max(map(len, parts)) > LONGEST_ID:
        raise BadSignature("A header is missing, or far too long.")
    signed = ":".join(parts).encode("utf-8", "backslashreplace") + b":" + body
    signature = given.get("x-pio-hmac-sha256", "").encode("utf-8", "backslashreplace")
    if not any(hmac.compare_digest(_signature(signed, secret=secret), signature) for secret in secrets if secret):
        raise BadSignature("The signature does not fit.")
    if not all(map(is_storable, parts)):
        raise BadSignature("A header holds what cannot be stored.")
    if not _is_timely(timestamp, now=now):
        raise BadTime.told(timestamp, now=now)
    return Webhook(remote_id=delivery, event_type=event, shop_ref=ext_shop_id)


def _signature(message: bytes, *, secret: str) -> bytes:
    return base64.b64encode(hmac.digest(secret.encode(), message, hashlib.sha256))


def _is_timely(timestamp: str, *, now: datetime) -> bool:
    try:
        sent = datetime.fromtimestamp(float(timestamp), UTC)
    except (ValueError, OverflowError, OSError):
        return False
    return now - OLDEST <= sent <= now + FASTEST


def news(event_type: str, body: bytes) -> list[Any] | None:
    """What a message says of stock, as the whole number there is now, or of a fulfilment. None for another event.

    The two events of each have one format (contracts 1.6, 1.7). Raises ValueError when it cannot be read.
    """
    if event_type in STOCK_EVENTS:
        return _said(body, about="stock", read=lambda data: [_news(data)])
    if event_type in FULFILLMENT_EVENTS:
        return _said(body, about="a fulfilment", read=fulfillment)
    return None


def _said(body: bytes, *, about: str, read: Callable[[Any], list[Any]]) -> list[Any]:
    try:
        return read(json.loads(body))
    except (*UNREADABLE, RecursionError) as error:
        raise ValueError(f"not a message about {about}: {error!r}") from error


def _news(data: Mapping[str, Any]) -> StockNews:
    product, storage = data.get("product") or data, data.get("storage") or {}
    words = [data.get("reason"), storage.get("kind"), storage.get("name")]
    return StockNews(
        sku=_text(product["sku"]),
        on_hand=_pieces(data["in_stock"]),
        version=_version(data.get("version")),
        occurred_at=_moment(data.get("occurred_at")),
        note=" ".join(str(word) for word in words if word),
    )


def order_body(order: HandedOrder) -> dict[str, Any]:
    """An order as Pio takes it (contracts 1.7). Our `reference` makes the pair of external ids one of a kind.

    Pio has no word for our priority: its own rules put orders in their order, by tag, shop and shipping method.
    """
    return order_changes(order) | {
        "ext_order_id": order.ext_order_id,
        "ext_fulfillment_order_id": order.reference,
        "order_number": order.number,
        "shipping_method": order.shipping_method,
        "lines": [
            {"sku": line.sku, "quantity": line.quantity, "ext_order_line_item_id": line.line_id} for line in order.lines
        ],
    }


def order_changes(order: HandedOrder) -> dict[str, Any]:
    """All that Pio lets change of an order (contracts 1.7)."""
    return {"tags": list(order.tags), "notes": order.notes, "destination_address": asdict(order.destination)}


def order_id(data: Any, *, reference: str) -> str | None:
    """The id of the order in a list that has this reference of ours, whatever else is in it; None without one."""
    own = (order for order in _or_garbled(lambda: _items(data)) if order["ext_fulfillment_order_id"] == reference)
    return _or_garbled(lambda: next((_text(order["id"]) for order in own), None))


def services(data: Any) -> list[RemoteService]:
    """The shipping rates, by the id that an order names."""
    return _or_garbled(lambda: [RemoteService(_text(rate["id"]), _text(rate["name"])) for rate in _items(data)])


def fulfillments_query(cursor: str) -> dict[str, str]:
    """What to ask the list of fulfilments for; the empty cursor means all of it."""
    if cursor.startswith(WITHIN):
        return {"cursor": cursor.removeprefix(WITHIN)}
    return {"updated_since": cursor.removeprefix(SINCE)} if cursor else {}


def fulfillments(data: Any, *, cursor: str) -> FulfillmentPage:
    """A page of the fulfilments, in the order of their last changes; an unreadable one fails alone.

    The next reading begins at the last change that was read, which is then read once more.
    """
    items = _or_garbled(lambda: _items(data))
    found: list[FulfillmentNews] = []
    bad: list[BadItem] = []
    for item in items:
        try:
            found += fulfillment(item)
        except UNREADABLE as error:
            bad.append(BadItem(_ref(item, "ext_fulfillment_order_id", "id"), "unreadable", repr(error)))
    after = _or_garbled(lambda: _after(data))
    if after:
        return FulfillmentPage(found, WITHIN + after, bad=bad)
    newest = max(filter(None, (one.occurred_at for one in found)), default=None)
    return FulfillmentPage(found, bad=bad, resume_from=SINCE + newest.isoformat() if newest else cursor)


def fulfillment(data: Mapping[str, Any]) -> list[FulfillmentNews]:
    """What Pio says of a fulfilment: how it stands now, and before that each parcel but the last.

    So no parcel is missed when the message about it was lost. Raises one of UNREADABLE.
    """
    parcels = data.get("parcels") or []
    now = FulfillmentNews(
        step=STEPS[data["state"]],
        reference=_id(data["ext_fulfillment_order_id"]) if data.get("ext_fulfillment_order_id") else "",
        remote_id=_id(data["order_id"]),
        shipped=_sent(data["lines"]) if data.get("lines") is not None else None,
        is_final=data.get("closed") is True,
        reason=str(data.get("reason") or "")[:LONGEST_NOTE],
        version=_version(data.get("version")),
        occurred_at=_moment(data.get("updated_at")),
    )
    if not is_storable(now.reason):
        raise ValueError("unusable reason")
    earlier = [_as_parcel(now, parcels[: n + 1]) for n in range(len(parcels) - 1)]
    return [*earlier, replace(now, tracking=_tracking(parcels[-1]), entry=_id(parcels[-1]["id"])) if parcels else now]


def _as_parcel(now: FulfillmentNews, parcels: Sequence[Mapping[str, Any]]) -> FulfillmentNews:
    """How it stood when the last of these parcels left."""
    last = parcels[-1]
    lines = [line for parcel in parcels for line in parcel["lines"]]
    return replace(
        now,
        step=Step.SHIPPED,
        shipped=_sent([{**line, "sent": line["quantity"]} for line in lines]),
        tracking=_tracking(last),
        is_final=False,
        reason="",
        version=_version(last.get("version")),
        occurred_at=_moment(last.get("shipped_at")),
        entry=_id(last["id"]),
    )


def _sent(lines: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """The pieces that have left, by our id of the line; what has none left is not named."""
    pieces: Counter[str] = Counter()
    for line in lines:
        pieces[_id(line["ext_order_line_item_id"])] += _pieces(line["sent"])
    return {line: _pieces(quantity) for line, quantity in pieces.items() if quantity}


def _tracking(parcel: Mapping[str, Any]) -> Tracking:
    """People are shown it, and led to its address: one that is not of the web, or far too long, is left out."""
    carrier, number, url = (str(parcel.get(name) or "") for name in ("carrier", "number", "url"))
    if not all(map(is_storable, (carrier, number, url))):
        raise ValueError("unusable tracking")
    is_usable = url.startswith(("https://", "http://")) and len(url) <= LONGEST_ADDRESS
    return Tracking(carrier[:LONGEST_ID], number[:LONGEST_ID], url if is_usable else "")


def _moment(value: Any) -> datetime | None:
    if value is None:
        return None
    return in_utc(datetime.fromisoformat(value))


def _items(data: Any) -> list[Mapping[str, Any]]:
    items = data["data"] if isinstance(data, Mapping) else data
    if not isinstance(items, list):
        raise TypeError("data is not a list")
    return items


def _after(data: Mapping[str, Any]) -> str:
    following = str(data.get("next") or "")
    if not is_storable(following):
        raise ValueError("unusable cursor")
    return following


def _ref(item: Any, *names: str) -> str:
    """What to call an item that cannot be read: by the first of these that it has."""
    known = item if isinstance(item, Mapping) else {}
    ref = next((str(known[name]) for name in names if known.get(name)), "?")[:LONGEST_ID]
    return ref if is_storable(ref) else "?"


def _text(value: Any) -> str:
    if value is None or value == "" or isinstance(value, dict | list | bool) or not is_storable(str(value)):
        raise ValueError("a required text is missing")
    return str(value)


def _id(value: Any) -> str:
    text = _text(value)
    if len(text) > LONGEST_ID:
        raise ValueError("an id is too long")
    return text


def _pieces(value: Any, *, most: int = MOST_PIECES) -> int:
    if isinstance(value, bool) or int(value) != float(value) or not 0 <= int(value) <= most:
        raise ValueError("a quantity is not a whole number of pieces")
    return int(value)


def _version(value: Any) -> int | None:
    return None if value is None else _pieces(value, most=MOST_CHANGES)


def _or_garbled[Result](read: Callable[[], Result]) -> Result:
    try:
        return read()
    except UNREADABLE as error:
        raise Unreachable(f"Pio's answer cannot be read: {error!r}", code="garbled") from error
