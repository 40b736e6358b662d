"""The words of orders and fulfilments that both sides share, and what a connector can do about them.

Amounts are exact decimals in the order's currency, quantities are pieces, moments have a time zone.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol, runtime_checkable

from .base import LONGEST_ID, Page, StoreRef, is_storable

MOST_LINES = 1_000  # of one order


@dataclass(frozen=True, slots=True)
class Address:
    """Where an order goes (contracts 1.7). `country` is two letters (ISO 3166); empty is what nobody said."""

    first_name: str = ""
    last_name: str = ""
    company: str = ""
    address1: str = ""
    address2: str = ""
    city: str = ""
    province: str = ""
    zip: str = ""
    country: str = ""
    phone: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True)
class RemoteLine:
    """So many pieces of one thing, in the platform's words. `price` is that of one piece."""

    sku: str
    quantity: int
    name: str = ""
    ext_line_id: str = ""
    ext_product_id: str = ""
    ext_variant_id: str = ""
    price: Decimal | None = None


@dataclass(frozen=True, slots=True)
class RemoteOrder:
    """What a customer bought, as its platform or a partner tells it. ValueError for what could not be stored.

    `number` is what customer and shop call it. `shipping_method` is the platform's own name of it. A `is_cancelled`
    one is over at the platform. `shipped` is what was shipped without us, by ext_line_id. `changed_at` is when the
    platform changed it last.
    """

    ext_order_id: str
    lines: tuple[RemoteLine, ...]
    ext_fulfillment_order_id: str = ""
    number: str = ""
    destination: Address = Address()
    customer: dict[str, str] = field(default_factory=dict)
    shipping_method: str = ""
    tags: tuple[str, ...] = ()
    notes: str = ""
    currency: str = ""
    total: Decimal | None = None
    shipping_price: Decimal | None = None
    tax: Decimal | None = None
    discount: Decimal | None = None
    placed_at: datetime | None = None
    changed_at: datetime | None = None
    is_cancelled: bool = False

    def __post_init__(self) -> None:
        if not 0 < len(self.ext_order_id) <= LONGEST_ID or not is_storable(self.ext_order_id):
            raise ValueError(f"unusable id of an order: {self.ext_order_id[:40]!r}")
        if not 0 < len(self.lines) <= MOST_LINES:
            raise ValueError("an order has between one and a thousand lines")


@dataclass(frozen=True, slots=True)
class HandedLine:
    """What of a line one warehouse is to pick, in the warehouse's own SKU. `line_id` is our id of the line there."""

    line_id: str
    sku: str
    quantity: int
    name: str = ""
    ext_product_id: str = ""
    ext_variant_id: str = ""


@dataclass(frozen=True, slots=True)
class HandedOrder:
    """What one warehouse is to do about an order. `reference` is ours for it: the same one is the same, however often
    it is sent. `remote_id` is the warehouse's own id, empty until it has taken it. A higher `priority` comes first.
    """

    reference: str
    ext_order_id: str
    number: str
    lines: tuple[HandedLine, ...]
    destination: Address
    shipping_method: str = ""
    tags: tuple[str, ...] = ()
    notes: str = ""
    priority: int = 0
    placed_at: datetime | None = None
    remote_id: str = ""


class Step(StrEnum):
    """How far a warehouse is with an order."""

    TAKEN = "taken"
    PICKING = "picking"
    SHIPPED = "shipped"
    CANCELLED = "cancelled"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Tracking:
    carrier: str = ""
    number: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class FulfillmentNews:
    """How far a warehouse is with what it was handed: found by our `reference`, else by its `remote_id`.

    `shipped` is all that has left so far, in pieces by our id of the line; None when the warehouse does not say, which
    with SHIPPED means everything. `version` grows with each change there, if known: what is older says nothing new.
    `is_final`: the warehouse will do no more about it. `entry` names one parcel there, so that it counts once.
    """

    step: Step
    reference: str = ""
    remote_id: str = ""
    shipped: dict[str, int] | None = None
    tracking: Tracking = Tracking()
    is_final: bool = False
    reason: str = ""
    version: int | None = None
    occurred_at: datetime | None = None
    entry: str = ""


@dataclass(frozen=True, slots=True)
class OrderNews:
    """An order as a platform's webhook tells it, new or changed."""

    order: RemoteOrder


@dataclass(frozen=True, slots=True)
class OrderCancelled:
    """A platform's webhook says that its order is over."""

    ext_order_id: str
    ext_fulfillment_order_id: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ParcelNote:
    """What a platform is told of one parcel: the pieces by its own ids of lines. `reference` is ours, always the same.

    `is_last`: with it everything of the order that we ship has left.
    """

    reference: str
    ext_order_id: str
    lines: dict[str, int]
    tracking: Tracking = Tracking()
    is_last: bool = False
    shipped_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RemoteService:
    """A way to ship that the other side offers, or a shipping method that its customers choose."""

    code: str
    name: str


@runtime_checkable
class PullsOrders(Protocol):
    """Orders that changed since the cursor, or all that are open there; page by page, each one whole. Without a cursor
    those that were placed in the last 30 days and are open.

    The last page's `next_cursor` is empty; its `resume_from` is where the next reading begins, so that nothing that
    changes meanwhile is missed: to get some orders once more is harmless.
    """

    def orders(self, store: StoreRef, cursor: str = "") -> "OrderPage": ...


@runtime_checkable
class ReadsSince(Protocol):
    """PullsOrders that can be read from any moment on: the cursor to begin with then."""

    @staticmethod
    def orders_since(moment: datetime) -> str: ...


@dataclass(frozen=True, slots=True)
class OrderPage(Page[RemoteOrder]):
    resume_from: str = ""


@runtime_checkable
class NamesOrders(Protocol):
    """PullsOrders whose pages hold only what is open there, so that it is asked by their ids what became of others.

    Those that are not there any more, or are just being changed, are left out.
    """

    def orders_named(self, store: StoreRef, ids: Sequence[str]) -> OrderPage: ...


@runtime_checkable
class TakesOrders(Protocol):
    """A warehouse that is handed orders.

    `put_order` returns the warehouse's id of it; Rejected with code order_already_exists when it has the reference.
    `find_order` is that id by our reference, or None. `change_order` tells it the tags, notes and destination of now.
    `cancel_order` raises Rejected: picking_in_progress, order_already_fulfilled; one it never had is cancelled.
    """

    def put_order(self, store: StoreRef, order: HandedOrder) -> str: ...
    def find_order(self, store: StoreRef, reference: str) -> str | None: ...
    def change_order(self, store: StoreRef, order: HandedOrder) -> None: ...
    def cancel_order(self, store: StoreRef, order: HandedOrder) -> None: ...


@runtime_checkable
class TellsFulfillments(Protocol):
    """How far the other side is with every order of ours that changed since the cursor; paged as PullsOrders is."""

    def fulfillments(self, store: StoreRef, cursor: str = "") -> "FulfillmentPage": ...


@dataclass(frozen=True, slots=True)
class FulfillmentPage(Page[FulfillmentNews]):
    resume_from: str = ""


@runtime_checkable
class TakesParcels(Protocol):
    """A platform that is told what has left. Returns its id of it; telling it the same reference again changes nothing.

    Raises Rejected: order_not_found, order_cancelled, already_fulfilled (somebody else shipped these lines), or other.
    """

    def put_parcel(self, store: StoreRef, parcel: ParcelNote) -> str: ...


@runtime_checkable
class ListsServices(Protocol):
    """The shipping methods of a platform, or the shipping services of a warehouse or carrier; all at once."""

    def services(self, store: StoreRef) -> Sequence[RemoteService]: ...
