"""Pio's words as ours, and ours as Pio's. Pure functions; contracts part 1.

Fields that Pio does not publish (marked as gaps there) are read where they come, and missed by nobody.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import requests

from ..base import (
    LONGEST_ID,
    BadItem,
    BadSignature,
    Page,
    RemoteOrganization,
    RemoteProduct,
    RemoteStock,
    StockNews,
    Unreachable,
    Webhook,
    is_storable,
)

UNREADABLE = (KeyError, TypeError, ValueError, AttributeError, ArithmeticError)
LONGEST_CODE = 50
MOST_PIECES, MOST_CHANGES = 2**31 - 1, 2**63 - 1  # what our tables can hold
# Pio's codes that are longer than a code may be here, and those that everybody knows under another name.
CODES = {
    "product_sku_already_exists_and_in_use_by_other_product": "sku_in_use",
    "ext_shop_id_already_exists": "id_taken",
}
STOCK_EVENTS = ("inventory_levels.update", "inventory_log.create")
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
            bad.append(BadItem(_ref(line), "unreadable", repr(error)))
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
    if not all(map(is_storable, parts)) or not _is_timely(timestamp, now=now):
        raise BadSignature(f"Its time ({timestamp[:20]!r}) is too far from ours.")
    return Webhook(remote_id=delivery, event_type=event, shop_ref=ext_shop_id)


def _signature(message: bytes, *, secret: str) -> bytes:
    return base64.b64encode(hmac.digest(secret.encode(), message, hashlib.sha256))


def _is_timely(timestamp: str, *, now: datetime) -> bool:
    try:
        sent = datetime.fromtimestamp(float(timestamp), UTC)
    except (ValueError, OverflowError, OSError):
        return False
    return now - OLDEST <= sent <= now + FASTEST


def news(event_type: str, body: bytes) -> list[StockNews] | None:
    """What a message says of stock: the whole number there is now. Both events have one format (contracts 1.6).

    Raises ValueError when it cannot be read.
    """
    if event_type not in STOCK_EVENTS:
        return None
    try:
        data = json.loads(body)
        return [_news(data)]
    except (*UNREADABLE, RecursionError) as error:
        raise ValueError(f"not a message about stock: {error!r}") from error


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


def _moment(value: Any) -> datetime | None:
    if value is None:
        return None
    moment = datetime.fromisoformat(value)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


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


def _ref(line: Any) -> str:
    """What to call a line that cannot be read."""
    found = line.get("sku") or line.get("product_id") if isinstance(line, Mapping) else None
    ref = str(found or "?")[:LONGEST_ID]
    return ref if is_storable(ref) else "?"


def _text(value: Any) -> str:
    if value is None or value == "" or isinstance(value, dict | list | bool) or not is_storable(str(value)):
        raise ValueError("a required text is missing")
    return str(value)


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
