"""Otter's words as ours. Pure functions; contracts part 3.2 and 3.7."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from ..base import (
    LONGEST_ID,
    BadItem,
    Page,
    RemoteBrand,
    RemoteOrganization,
    RemoteProduct,
    RemoteStore,
    StockRow,
    Unreachable,
    is_storable,
)

UNREADABLE = (KeyError, TypeError, ValueError, AttributeError, ArithmeticError)


def organization(data: Any) -> RemoteOrganization:
    return _or_garbled(lambda: RemoteOrganization(_text(data["id"]), _text(data["name"])))


def brand(data: Mapping[str, Any]) -> RemoteBrand:
    return RemoteBrand(_text(data["id"]), _text(data["name"]))


def store(data: Mapping[str, Any]) -> RemoteStore:
    return RemoteStore(_text(data["id"]), _text(data["name"]), address(data.get("address")))


def one_store(data: Any) -> RemoteStore:
    return _or_garbled(lambda: store(data))


def address(data: Mapping[str, Any] | None) -> str:
    """One line. `fullAddress` when there is one, else what the parts give; the address as a whole may be null."""
    if not isinstance(data, Mapping):
        return ""
    if data.get("fullAddress"):
        return str(data["fullAddress"])
    lines = data.get("addressLines") or data.get("linesOfAddress") or []
    town = " ".join(str(data[key]) for key in ("postalCode", "city") if data.get(key))
    return ", ".join(part for part in [*map(str, lines), town, str(data.get("countryCode") or "")] if part)


def after(data: Mapping[str, Any]) -> str:
    """The token of the next page; absent, null or empty on the last. Lists and summaries name it differently.

    Raises ValueError for one that could be neither stored nor sent back.
    """
    token = str(data.get("offsetToken") or data.get("nextToken") or "")
    if not is_storable(token):
        raise ValueError("unusable token")
    return token


def page[Item](data: Any, item: Callable[[Mapping[str, Any]], Item]) -> Page[Item]:
    """A list of Otter's: `items`, and `offsetToken` only while more pages exist. An unreadable item fails alone."""
    found: list[Item] = []
    bad: list[BadItem] = []
    for entry in _or_garbled(lambda: _items(data)):
        try:
            found.append(item(entry))
        except UNREADABLE as error:
            bad.append(BadItem(_ref(entry), "unreadable", repr(error)))
    return Page(found, _or_garbled(lambda: after(data)), bad=bad)


def products(data: Any) -> Page[RemoteProduct]:
    """A page of inventory summaries."""
    return page(data, product)


def product(data: Mapping[str, Any]) -> RemoteProduct:
    """An inventory summary. `externalId` is the SKU; where there is none, Otter's own id names the thing.

    Price and picture are not in the published contract; they are taken where an installation sends them.
    """
    price = data.get("price") or {}
    return RemoteProduct(
        ext_product_id=_text(data["id"]),
        sku=str(data.get("externalId") or data["id"]),
        name=_text(data["name"]),
        barcodes=(str(data["gtin"]),) if data.get("gtin") else (),
        price=Decimal(str(price["amount"])) if price.get("amount") is not None else None,
        currency=str(price.get("currencyCode") or ""),
        image_src=str(data.get("imageUrl") or ""),
        quantity=_pieces(data.get("sellableQuantity")),
    )


def availability(rows: Sequence[StockRow], *, is_there: bool) -> tuple[str, dict[str, Any]]:
    """The last word of the address, and the body, that take these rows' items off sale or put them back."""
    ids = {"entityIds": [row.sku for row in rows]}
    if is_there:
        return "unsuspend", ids | {"note": "In stock again"}
    return "suspend", ids | {"note": "Out of stock", "status": {"isIndefinite": True}}


def connected_as(data: Any) -> str:
    """The `storeId` of a connection: the id we gave."""
    return _or_garbled(lambda: _text(data["storeId"]))


def _items(data: Any) -> Iterable[Mapping[str, Any]]:
    # Guide and published specification disagree on what the list of summaries is called; both are taken.
    items = data["inventorySummaries"] if "inventorySummaries" in data else data["items"]
    if not isinstance(items, list):
        raise TypeError("items is not a list")
    return items


def _ref(entry: Any) -> str:
    """What to call an item that cannot be read."""
    found = entry.get("id") or entry.get("externalId") if isinstance(entry, Mapping) else None
    ref = str(found or "?")[:LONGEST_ID]
    return ref if is_storable(ref) else "?"


def _text(value: Any) -> str:
    if value is None or value == "" or isinstance(value, dict | list | bool):
        raise ValueError("a required text is missing")
    return str(value)


def _pieces(value: Any) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or int(value) != float(value):
        raise ValueError("a quantity is not a whole number")
    return int(value)


def _or_garbled[Result](read: Callable[[], Result]) -> Result:
    try:
        return read()
    except UNREADABLE as error:
        raise Unreachable(f"Otter's answer cannot be read: {error!r}", code="garbled") from error
