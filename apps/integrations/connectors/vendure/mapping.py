"""Vendure's words in ours: seller = brand, channel = store, product variant = product. Pure functions.

They read the `data` of an answer, and raise one of UNREADABLE when it does not have the published form
(@vendure/core 3.7, dist/api/schema).
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Self
from urllib.parse import urlsplit

from ..base import (
    BadItem,
    Page,
    Rejected,
    RemoteBrand,
    RemoteOrganization,
    RemoteProduct,
    RemoteStock,
    RemoteStore,
    StockRow,
)

UNREADABLE = (KeyError, TypeError, ValueError, AttributeError, RecursionError)
DEFAULT_CHANNEL = "__default_channel__"
NO_SELLER = {"id": "no-seller", "name": "No seller"}  # a channel may have none
MOST_DECIMALS = 10
LONGEST_REF = 255
LARGEST = 2**53  # the whole numbers every JSON reader agrees on (RFC 8259 6)


@dataclass(frozen=True, slots=True)
class Channel:
    store: RemoteStore
    brand: RemoteBrand
    token: str


@dataclass(frozen=True, slots=True)
class Channels:
    items: list[Channel]
    next_cursor: str


@dataclass(frozen=True, slots=True)
class Variants:
    """One raw page of variants, from position `skip`, with the server's settings that say how to read it."""

    skip: int
    items: list[dict[str, Any]]
    total: int
    precision: int
    counts_stock: bool


@dataclass(frozen=True, slots=True)
class Place:
    """Where reading variants goes on: how many were read, of how many."""

    read: int = 0
    total: int = 0

    @classmethod
    def of(cls, cursor: str) -> Self:
        """Raises Rejected for a cursor that is not one of ours."""
        read, _, total = cursor.partition(":")
        return cls(offset(read), offset(total))

    def without(self, gone: int) -> "Place":
        return Place(max(0, self.read - gone), self.total - gone)


def errors(answer: dict[str, Any]) -> dict[str, str]:
    """The messages of a GraphQL answer's errors by Vendure's code; empty when there are none."""
    return {
        str((error.get("extensions") or {}).get("code", "")): str(error.get("message", ""))[:300]
        for error in answer.get("errors") or []
    }


def offset(cursor: str) -> int:
    """How many to skip. Raises Rejected for a cursor that is not one of ours."""
    if cursor and not (cursor.isdecimal() and len(cursor) < 10):
        raise Rejected(f"Not a place in a list: {cursor:.40}", code="bad_cursor")
    return int(cursor or 0)


def is_logged_in(data: dict[str, Any]) -> bool:
    return data["login"]["__typename"] == "CurrentUser"


def organization(data: dict[str, Any], *, address: str) -> RemoteOrganization:
    """Vendure has no name for a whole server, so people know it by its host."""
    return RemoteOrganization(id=_text(data["activeChannel"]["token"]), name=urlsplit(address).netloc)


def channel(data: dict[str, Any]) -> Channel | None:
    return _channel(data["channel"]) if data["channel"] else None


def channels(data: dict[str, Any], *, skip: int) -> Channels:
    page = data["channels"]
    read = _read(page, skip=skip)
    return Channels(
        items=[_channel(item) for item in page["items"]],
        next_cursor=str(read) if read < _total(page) else "",
    )


def brands(page: Channels) -> Page[RemoteBrand]:
    return Page(list(dict.fromkeys(channel.brand for channel in page.items)), next_cursor=page.next_cursor)


def stores(page: Channels, *, brand_id: str) -> Page[RemoteStore]:
    ours = [channel.store for channel in page.items if channel.brand.id == brand_id]
    return Page(ours, next_cursor=page.next_cursor)


def variants(data: dict[str, Any], *, skip: int) -> Variants:
    settings, page = data["globalSettings"], data["productVariants"]
    _read(page, skip=skip)
    for item in page["items"]:
        _text(item["id"])
    return Variants(
        skip=skip,
        items=page["items"],
        total=_total(page),
        precision=whole(settings["serverConfig"]["moneyStrategyPrecision"], most=MOST_DECIMALS),
        counts_stock=settings["trackInventory"],
    )


def products(page: Variants) -> Page[RemoteProduct]:
    """Each variant as a product, or as a bad item."""
    found = [product(item, precision=page.precision, counts_stock=page.counts_stock) for item in page.items]
    read = page.skip + len(page.items)
    return Page(
        items=[item for item in found if isinstance(item, RemoteProduct)],
        bad=[item for item in found if isinstance(item, BadItem)],
        next_cursor=f"{read}:{page.total}" if read < page.total else "",
        total=page.total,
    )


def stock(products: Iterable[RemoteProduct]) -> list[RemoteStock]:
    """The numbers of those that have one."""
    return [
        RemoteStock(item.sku, item.quantity, item.ext_product_id, item.ext_variant_id)
        for item in products
        if item.quantity is not None
    ]


def product(item: dict[str, Any], *, precision: int, counts_stock: bool) -> RemoteProduct | BadItem:
    """One variant. `precision` is the number of decimals in the server's prices, whatever the currency
    (Vendure's MoneyStrategy; it sends whole numbers).

    The price is the one without tax, in the channel's default currency. Stock is what may still be sold, over
    all locations, and unknown where Vendure is told not to count it.
    """
    try:
        known = RemoteProduct(
            ext_product_id=_text(item["productId"]),
            ext_variant_id=item["id"],
            sku=_text(item["sku"]) if (item["sku"] or "").strip() else "",
            name=_text(item["name"]),
            price=Decimal(whole(item["price"])).scaleb(-precision),
            currency=_text(item["currencyCode"]),
            image_src=_picture(item["featuredAsset"], item["product"]["featuredAsset"]),
        )
        quantity = _available(item["stockLevels"]) if _is_counted(item, counts_stock=counts_stock) else None
    except UNREADABLE as error:
        return BadItem(item["id"][:LONGEST_REF], "unreadable", f"{error!r:.200}")
    return replace(known, quantity=quantity) if known.sku else BadItem(known.name[:LONGEST_REF], "no_sku")


type Change = dict[str, Any]  # an UpdateProductVariantInput


def stock_changes(data: dict[str, Any], rows: Iterable[StockRow]) -> tuple[dict[str, str], dict[str, Change]]:
    """By variant: the code of why no stock of it can be set, "" when it can; and what sets it, where that is needed."""
    found = {item["id"]: item for item in data["productVariants"]["items"]}
    codes = {row.ext_variant_id: _why_untold(found.get(row.ext_variant_id), data["globalSettings"]) for row in rows}
    told = [row for row in rows if not codes[row.ext_variant_id]]
    changes = {row.ext_variant_id: _stock_change(found[row.ext_variant_id], row.quantity) for row in told}
    return codes, {variant: change for variant, change in changes.items() if change}


def _why_untold(item: dict[str, Any] | None, settings: dict[str, Any]) -> str:
    if item is None:
        return "not_found"
    return "" if _is_counted(item, counts_stock=settings["trackInventory"]) else "not_counted"


def _stock_change(item: dict[str, Any], quantity: int) -> Change | None:
    """All of it goes to one place of the channel, the oldest; the others keep what is allocated there."""
    levels = sorted(item["stockLevels"], key=lambda level: (len(level["stockLocationId"]), level["stockLocationId"]))
    if not levels:
        return {"id": item["id"], "stockOnHand": quantity}
    allocated = [whole(level["stockAllocated"]) for level in levels]
    wanted = [quantity + allocated[0], *allocated[1:]]
    changes = [
        {"stockLocationId": level["stockLocationId"], "stockOnHand": pieces}
        for level, pieces in zip(levels, wanted, strict=True)
        if whole(level["stockOnHand"]) != pieces
    ]
    return {"id": item["id"], "stockLevels": changes} if changes else None


def updated(data: dict[str, Any]) -> list[str]:
    return [item["id"] for item in data["updateProductVariants"] if item]


def _channel(item: dict[str, Any]) -> Channel:
    seller, code = item["seller"] or NO_SELLER, _text(item["code"])
    return Channel(
        store=RemoteStore(id=_text(item["id"]), name="Default channel" if code == DEFAULT_CHANNEL else code),
        brand=RemoteBrand(id=_text(seller["id"]), name=_text(seller["name"])),
        token=_header(item["token"]),
    )


def _read(page: dict[str, Any], *, skip: int) -> int:
    """How many of the list are read with this page."""
    read = skip + len(page["items"])
    if not page["items"] and read < _total(page):
        raise ValueError("an empty page before the end of the list")
    return read


def _total(page: dict[str, Any]) -> int:
    return whole(page["totalItems"])


def _picture(*assets: dict[str, Any] | None) -> str:
    """The preview of the first asset there is, when it is something a browser may load as a picture."""
    previews = [asset["preview"] for asset in assets if asset]
    return previews[0] if previews and urlsplit(previews[0]).scheme in {"http", "https"} else ""


def _is_counted(item: dict[str, Any], *, counts_stock: bool) -> bool:
    """Whether Vendure is told to count this variant's stock; it may leave that to the server's settings."""
    return item["trackInventory"] == "TRUE" or (item["trackInventory"] == "INHERIT" and counts_stock)


def _available(levels: Iterable[dict[str, Any]]) -> int:
    return sum(whole(level["stockOnHand"]) - whole(level["stockAllocated"]) for level in levels)


def _text(value: Any) -> str:
    """A text with something in it, of characters that a database can store."""
    if not value.strip() or "\x00" in value:
        raise ValueError(f"not a text: {value!r:.40}")
    value.encode()  # raises UnicodeEncodeError, a ValueError, for half of a surrogate pair
    return value


def _header(value: Any) -> str:
    """A text that can travel in a request's header (RFC 9110 5.5)."""
    if not (_text(value).isascii() and value.isprintable()):
        raise ValueError("a character no header can carry")
    return value


def whole(value: Any, *, most: int = LARGEST) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) > most:
        raise ValueError(f"not a usable whole number: {value!r:.40}")
    return value
