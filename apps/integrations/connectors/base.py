"""What every connector is made of: its facts, what it can do, the words both sides share, three ways to fail."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol, Self, runtime_checkable
from urllib.parse import urlencode

import requests
from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

LONGEST_ID = 255  # characters of an id at a remote system


class ConnectorError(Exception):
    """The remote system did not do what we asked.

    `code` is stable and short; owners read a sentence chosen by it. `str(error)` is for admins only.
    """

    def __init__(self, detail: str = "", *, code: str = "") -> None:
        super().__init__(detail)
        self.code = code or self.default_code

    default_code = "failed"


class Unreachable(ConnectorError):
    """Try again later: no answer, 408, 425, 429, 5xx, or an answer that cannot be read.

    `retry_after` is in seconds, and only there when the remote system named a time.
    """

    default_code = "unreachable"

    def __init__(self, detail: str = "", *, code: str = "", retry_after: float | None = None) -> None:
        super().__init__(detail, code=code)
        self.retry_after = retry_after


class Rejected(ConnectorError):
    """Understood, and refused: the same call will be refused again. `status` is the HTTP status, if any."""

    default_code = "rejected"

    def __init__(self, detail: str = "", *, code: str = "", status: int | None = None) -> None:
        super().__init__(detail, code=code)
        self.status = status


class Unauthorized(ConnectorError):
    """Our permission is gone. Only the owner, by logging in again, can bring it back.

    With code application_refused it is the 3PL's own permission, which is the operator's to bring back.
    """

    default_code = "unauthorized"


class Category(TextChoices):
    SHOP = "shop", _("Shop")
    LOGISTICS = "logistics", _("Logistics")
    SHIPPING = "shipping", _("Shipping")
    PAYMENT = "payment", _("Payment")
    ERP = "erp", _("ERP")


@dataclass(frozen=True, slots=True)
class OAuth2:
    """The owner logs in at their platform (RFC 6749 authorization code, RFC 7636 S256).

    `scopes` are asked of the owner; `application_scopes` are those our own client credentials get.
    Paths are relative to the connector's address.
    """

    authorize_path: str
    token_path: str
    scopes: tuple[str, ...]
    application_scopes: tuple[str, ...] = ()

    def authorization_address(self, address: str, **parameters: str) -> str:
        """Where to send the owner's browser (RFC 6749 4.1.1, with the S256 challenge of RFC 7636 4.3)."""
        fixed = {"response_type": "code", "scope": " ".join(self.scopes), "code_challenge_method": "S256"}
        return f"{address}{self.authorize_path}?{urlencode(fixed | parameters)}"


@dataclass(frozen=True, slots=True)
class Question:
    """One thing the owner fills in. `kind` is url, text, email or password; answers to a password stay encrypted."""

    key: str
    label: Any
    kind: str = "text"
    hint: Any = ""
    required: bool = True


@dataclass(frozen=True, slots=True)
class Keys:
    """The owner types an address and a key (or a login) of their own platform.

    `sign_in(session, address, answers)` tries the answers and returns the secrets worth keeping, or raises a
    ConnectorError. `headers(secrets)` turns those into the headers of every later call.
    """

    questions: tuple[Question, ...]
    sign_in: Callable[[requests.Session, str, Mapping[str, str]], dict[str, str]]
    headers: Callable[[Mapping[str, str]], dict[str, str]]


@dataclass(frozen=True, slots=True)
class CallsUs:
    """The other side calls us, with credentials of ours; nobody logs in anywhere, and we call nobody."""


@dataclass(frozen=True, slots=True)
class StockTerms:
    """On what terms a platform is told our stock: `batch` listings to a call; of one account there, `per_second` calls
    in the long run and `burst` at once. Without `counts_pieces` it only takes whether there is any.
    """

    batch: int = 100
    per_second: float = 5
    burst: int = 10
    counts_pieces: bool = True


@dataclass(frozen=True, slots=True)
class Connector:
    """The facts of one kind of remote system. `needs` names the environment keys without which it is not offered.

    `settings_fields` is what its integrations can be set to, each field as a dict (see `fields.py`). `signed_with`
    names the environment keys of the secrets that sign its webhooks: that of now, and the one before.
    """

    slug: str
    name: str
    category: Category
    auth: OAuth2 | Keys | CallsUs
    client: type
    needs: tuple[str, ...]
    summary: Any
    reads: tuple[Any, ...] = ()
    writes: tuple[Any, ...] = ()
    recommended_grants: tuple[str, ...] = ()
    settings_fields: tuple[dict[str, Any], ...] = ()
    stock: StockTerms = StockTerms()
    signed_with: tuple[str, ...] = ("CLIENT_SECRET", "FORMER_SECRET")

    def can(self, capability: type) -> bool:
        return issubclass(self.client, capability)

    @property
    def is_warehouse(self) -> bool:
        """Whether the other side holds goods and sells none: then it has no brands and stores to choose from."""
        return self.category == Category.LOGISTICS

    @property
    def has_one_sender(self) -> bool:
        """Whether what its webhooks tell of all stores comes to one address of ours, named by the stores' ids."""
        return self.can(SignsWebhooks) and not self.can(Subscribes) and self.shares_ids

    @property
    def shares_ids(self) -> bool:
        """Whether one application names the stores of all organizations at it. Who types keys has a server alone."""
        return not isinstance(self.auth, Keys)


def is_storable(text: str) -> bool:
    """Whether PostgreSQL can hold it: its text has neither NUL nor half of a surrogate pair."""
    try:
        return b"\x00" not in text.encode()
    except UnicodeEncodeError:
        return False


@dataclass(frozen=True, slots=True)
class RemoteOrganization:
    """ValueError for an id or a text that could not be stored; so for brands and stores."""

    id: str
    name: str

    def __post_init__(self) -> None:
        _check(self.id, self.name)


@dataclass(frozen=True, slots=True)
class RemoteBrand:
    id: str
    name: str

    def __post_init__(self) -> None:
        _check(self.id, self.name)


@dataclass(frozen=True, slots=True)
class RemoteStore:
    """`address` is one line for people to recognise the store by; empty when the platform has none."""

    id: str
    name: str
    address: str = ""

    def __post_init__(self) -> None:
        _check(self.id, self.name, self.address)


def _check(id: str, *texts: str) -> None:
    if not 0 < len(id) <= LONGEST_ID or not all(map(is_storable, (id, *texts))):
        raise ValueError(f"unusable: {id[:40]!r}")


@dataclass(frozen=True, slots=True)
class StoreRef:
    """A store as a remote system is asked about it: its own two ids, and the id and name we connected it under.

    A warehouse has no brands and stores; there our id is all.
    """

    brand_id: str
    store_id: str
    ext_shop_id: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class RemoteProduct:
    """One sellable thing as the platform lists it.

    Price is per piece in `currency`; quantity in pieces; weight in grams; length, width and height in millimetres;
    `country_of_origin` in two letters (ISO 3166).
    """

    ext_product_id: str
    sku: str
    name: str
    ext_variant_id: str = ""
    barcodes: tuple[str, ...] = ()
    price: Decimal | None = None
    currency: str = ""
    image_src: str = ""
    weight: Decimal | None = None
    length: Decimal | None = None
    width: Decimal | None = None
    height: Decimal | None = None
    hs_code: str = ""
    country_of_origin: str = ""
    brand: str = ""
    type: str = ""
    tags: tuple[str, ...] = ()
    quantity: int | None = None


@dataclass(frozen=True, slots=True)
class RemoteStock:
    """How many pieces a warehouse has of a SKU, in its own words. `version` grows with each change there, if known."""

    sku: str
    on_hand: int
    ext_product_id: str = ""
    ext_variant_id: str = ""
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Handed:
    """A product as a warehouse is to know it, in its own SKU; `remote_id` is its id there, empty before the first time.

    `ext_product_id` is ours for it.
    """

    product: RemoteProduct
    remote_id: str = ""


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one product handed over: its id there, or why it was not taken."""

    remote_id: str = ""
    failure: ConnectorError | None = None


class BadSignature(Exception):
    """A webhook that nobody who knows the secret has sent, or that was altered on its way. The text is for admins."""


class BadTime(BadSignature):
    """The signature holds, but its time is too far from ours: an old message sent anew, or a clock that is wrong."""

    @classmethod
    def told(cls, timestamp: str, *, now: datetime) -> Self:
        return cls(f"Its time is {timestamp[:20]!r}, and ours is {int(now.timestamp())}.")


@dataclass(frozen=True, slots=True)
class Webhook:
    """What a webhook says of itself once its signature holds.

    `remote_id` is the sender's id of the delivery, kept when it is sent again; `shop_ref` is our own id of the shop.
    """

    remote_id: str
    event_type: str
    shop_ref: str


@dataclass(frozen=True, slots=True)
class StockNews:
    """One SKU's stock as a warehouse tells of it, in its own SKU: how many there are (`on_hand`), or by how much it
    changed. `version` grows with each change there; `entry` is the sender's own id of this change.
    """

    sku: str
    on_hand: int | None = None
    change: int | None = None
    version: int | None = None
    occurred_at: datetime | None = None
    entry: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class StockRow:
    """How many pieces of one listing may be sold; `sku` is in the platform's words."""

    ext_product_id: str
    ext_variant_id: str
    sku: str
    quantity: int


@dataclass(frozen=True, slots=True)
class BadItem:
    """An item of a page that could not be understood. It fails alone; `code` says why, `ref` helps to find it."""

    ref: str
    code: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Page[Item]:
    """One page of a list. `next_cursor` is empty on the last page; `total` counts all items, when known."""

    items: list[Item]
    next_cursor: str = ""
    total: int | None = None
    bad: list[BadItem] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Unopened[Item]:
    """A page as it came. Its reading follows from `body` and the cursor it was asked for with, and nothing else."""

    body: bytes
    read: Callable[[], Page[Item]]


@runtime_checkable
class ListsOrganization(Protocol):
    """Which organization, brands and stores the owner may choose from."""

    def organization(self) -> RemoteOrganization: ...
    def brands(self, cursor: str = "") -> Page[RemoteBrand]: ...
    def stores(self, brand_id: str, cursor: str = "") -> Page[RemoteStore]: ...
    def store(self, brand_id: str, store_id: str) -> RemoteStore: ...


@runtime_checkable
class Connects(Protocol):
    """The platform itself remembers that a store is connected to us, and under which id of ours."""

    def connection(self, store: StoreRef) -> str | None: ...
    def connect(self, store: StoreRef) -> None: ...
    def disconnect(self, store: StoreRef) -> None: ...


@runtime_checkable
class PullsProducts(Protocol):
    """The store's catalogue, page by page, in an order that does not change between pages."""

    def products(self, store: StoreRef, cursor: str = "") -> Page[RemoteProduct]: ...


@runtime_checkable
class HandsPagesOver(Protocol):
    """PullsProducts in two steps: a page that came just so before need not be read again."""

    def unopened_products(self, store: StoreRef, cursor: str = "") -> Unopened[RemoteProduct]: ...


@runtime_checkable
class TakesStock(Protocol):
    """A platform that sells only as much as we say there is, or stops selling what there is none of.

    `put_stock` answers for each row: an error code, or "" when the platform has taken it. One bad row fails alone. To
    tell it the same again is harmless.
    """

    def put_stock(self, store: StoreRef, rows: Sequence[StockRow]) -> list[str]: ...


@runtime_checkable
class CountsStock(Protocol):
    """How many pieces the other side has of each SKU, page by page, in an order that does not change between pages."""

    def stock(self, store: StoreRef, cursor: str = "") -> Page[RemoteStock]: ...


@runtime_checkable
class TakesProducts(Protocol):
    """A warehouse that has to know a product before it can store it.

    `put_products` makes or changes each; `drop_products` takes them away again by their ids there, unless some lie
    there still. The answers come in the order of what was handed over. An Unreachable or Unauthorized among them is
    the last one: what follows was not tried.
    """

    def put_products(self, store: StoreRef, items: Sequence[Handed]) -> list[Taken]: ...
    def drop_products(self, store: StoreRef, remote_ids: Sequence[str]) -> list[Taken]: ...


@runtime_checkable
class SignsWebhooks(Protocol):
    """It sends us webhooks whose sender is known by their signature.

    `verify` raises BadSignature unless one of the secrets made it. `news` is what a message of this event says, as
    StockNews or in the words of `orders.py`: None for an event nobody here knows, ValueError for a body that cannot be
    read.
    """

    @staticmethod
    def verify(headers: Mapping[str, str], body: bytes, *, secrets: Sequence[str]) -> Webhook: ...

    @staticmethod
    def news(event_type: str, body: bytes) -> list[Any] | None: ...


@dataclass(frozen=True, slots=True)
class Subscription:
    """The events that the other side tells us of from now on, and those of them that it did not before."""

    events: tuple[str, ...]
    made: tuple[str, ...] = ()


@runtime_checkable
class Subscribes(Protocol):
    """A sender of webhooks that we tell the address of each shop's integration. Others are told one by staff.

    To `subscribe` once more changes nothing where nothing is gone.
    """

    def subscribe(self, store: StoreRef, address: str) -> Subscription: ...
