"""The one box that finds things by what people have at hand: a number, an id, how a code or the words of a name begin.

Each kind of row costs one statement (products two), and each reads a few entries of indexes however many rows there
are: migration 0015 has them, by the same expressions.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib.postgres.search import SearchQuery, SearchVector
from django.db.models import QuerySet, Value
from django.db.models.functions import Collate, Left, Lower, Upper

from apps.accounts.models import Invitation, Organization, Store, User
from apps.api.bodies import is_storable
from apps.api.tokens import is_wellformed
from apps.audit.models import Entry
from apps.catalog.matching import LONGEST_START
from apps.catalog.models import Location, Product, WaitingSku
from apps.integrations.keying import SHOWN
from apps.integrations.models import ApiKey, Integration, PartnerConnector
from apps.orders.models import Fulfillment, Order, Parcel
from apps.shops.models import Connection, Shop
from apps.syncs.models import SyncRun
from apps.webhooks.addressing import without_query
from apps.webhooks.models import Delivery, Endpoint, Event, Hook, Receipt

SHORTEST, LONGEST = 2, 255  # letters of a text that is looked for
MOST = 8  # of each kind, in the box
MOST_LISTED = 1000  # of a kind, in its list
LAST = "\U0010ffff"  # no text that begins like another sorts behind that one with this added
LARGEST = 2**63 - 1
NUMBER = re.compile(r"[0-9]{1,19}")
MESSAGE = re.compile(r"(?:msg|out)_([0-9]{1,19})")

type Part = Callable[[Any, str], QuerySet | None]  # rows called so; None of a text that can be no such name


def meant(typed: str) -> str:
    """The text to look for; empty for one that cannot be. Of a whole key only its beginning: it is a secret."""
    text = typed.strip()
    if is_wellformed(text):
        text = text[:SHOWN]
    return text if SHORTEST <= len(text) <= LONGEST and is_storable(text) else ""


# ---- What rows are called


def begins(name: str) -> Part:
    """The code begins with the text, in whatever case. What is called just so comes first: it is the shortest."""

    def part(rows: Any, text: str) -> QuerySet:
        code = rows.alias(code=Collate(Upper(name), "C")).exclude(**{name: ""})
        return code.filter(code__gte=Upper(Value(text)), code__lt=Upper(Value(text + LAST))).order_by("code")

    return part


def numbered(rows: Any, text: str) -> QuerySet | None:
    """By its number with the # that some shops write before it, or without it."""
    return begins("number")(rows, text[1:] or text if text.startswith("#") else f"#{text}")


def has_words(column: Any) -> Part:
    """A word of it begins with each word of the text."""

    def part(rows: Any, text: str) -> QuerySet | None:
        if uuid_of(text):
            return None
        words = " & ".join(f"'{word}':*" for word in re.sub(r"['\\]", " ", text).split())
        asked = SearchQuery(words, config="simple", search_type="raw")
        return rows.alias(words=SearchVector(column, config="simple")).filter(words=asked) if words else None

    return part


def has_id(rows: Any, text: str) -> QuerySet | None:
    pk = uuid_of(text)
    return rows.filter(pk=pk) if pk else None


def has_number(rows: Any, text: str) -> QuerySet | None:
    return rows.filter(pk=min(int(text), LARGEST)) if NUMBER.fullmatch(text) else None


def has_receipt_id(rows: Any, text: str) -> QuerySet | None:
    return has_id(rows, text.removeprefix("in_"))


def has_message_id(rows: Any, text: str) -> QuerySet | None:
    """As its receiver knows it, or as the log shows it."""
    named = MESSAGE.fullmatch(text)
    return rows.filter(pk=min(int(named[1]), LARGEST)) if named else None


def has_barcode(rows: Any, text: str) -> QuerySet | None:
    """By a statement of its own without a limit: with one, PostgreSQL would look at product after product instead."""
    if uuid_of(text):
        return None
    named = list(rows.filter(barcodes__contains=[text]).values_list("pk", flat=True))
    return rows.filter(pk__in=named[: MOST_LISTED + 1]) if named else None


def has_name(rows: Any, text: str) -> QuerySet:
    """The name begins with the text. Asked of each organization's products, as their index begins with it."""
    named = rows.alias(start=Lower(Left("name", LONGEST_START))).filter(
        organization__in=Organization.objects.order_by()
    )
    return named.filter(start__startswith=text[:LONGEST_START].lower())


def has_buyers_email(rows: Any, text: str) -> QuerySet | None:
    return rows.filter(email=text.lower()).exclude(email="") if "@" in text else None


def has_sku(rows: Any, text: str) -> QuerySet | None:
    return None if uuid_of(text) else rows.filter(sku=text)


def has_request_id(rows: Any, text: str) -> QuerySet | None:
    """The id that an error page shows."""
    pk = uuid_of(text)
    return rows.filter(request_id=pk.hex).exclude(request_id="").order_by("-pk") if pk else None


def has_client_id(rows: Any, text: str) -> QuerySet | None:
    return rows.filter(application__client_id=text)


def uuid_of(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


# ---- Kinds


@dataclass(frozen=True, slots=True)
class Kind:
    """What the rows of a model are found by.

    `whole` names what an exact hit has the text in. A bare number may be many things: `is_vague` hits give way to
    others. `related` is read along, `unread` is not: it may be large. `is_long`: its list looks at other columns only
    when nobody is called so; with parts of its own, `in_list`, at none.
    """

    model: Any
    parts: tuple[Part, ...]
    whole: tuple[str, ...] = ("pk",)
    related: tuple[str, ...] = ("organization",)
    unread: tuple[str, ...] = ()
    is_vague: bool = False
    is_long: bool = False
    in_list: tuple[Part, ...] = ()

    def rows(self, text: str, *, most: int = MOST) -> list[Any]:
        """Those called so, exact hits first; a few more than `most` when there are more."""
        found = self.found(text, most=most + 1)
        if not found:
            return []
        one = found[0] if len(found) == 1 else self.model.objects.order_by().filter(pk__in=_union(found))
        named = (one.select_related(*self.related) if self.related else one).defer(*self.unread)
        return sorted(named, key=lambda row: (not self.is_exact(row, text), str(row).casefold(), str(row.pk)))

    def listed(self, rows: QuerySet, text: str) -> tuple[QuerySet, bool]:
        """Those of `rows` called so, for a list that goes on from there; and whether there may be more of them."""
        ids = self.ids(text, among=rows, also=self.in_list)
        named = ORDERS.ids(text) if has_order in self.in_list else []
        return rows.filter(pk__in=ids), max(len(ids), len(named)) > MOST_LISTED

    def ids(self, text: str, *, among: Any = None, also: tuple[Part, ...] = ()) -> list[Any]:
        """By a statement of its own: inside another, PostgreSQL would read rows in their order until some fit. More
        than MOST_LISTED when these may not be all."""
        found = self.found(text, most=MOST_LISTED + 1, among=among, also=also)
        return list(_union(found).values_list("pk", flat=True)) if found else []

    def found(self, text: str, *, most: int, among: Any = None, also: tuple[Part, ...] = ()) -> list[QuerySet]:
        """What each part finds, of any one no more than so many. Only `among` these, if given: else what a filter hides
        would take the places of what it shows."""
        rows = (self.model.objects if among is None else among).order_by()
        parts = (part(rows, text) for part in self.parts + also)
        return [part[:most] for part in parts if part is not None]

    def is_exact(self, row: Any, text: str) -> bool:
        """Whether it is called just so, not only beginning like it."""
        pk = uuid_of(text.removeprefix("in_"))
        wanted = {text.casefold().removeprefix("#"), *([str(pk), pk.hex] if pk else [])}
        return any(name.casefold().removeprefix("#") in wanted for name in self._names(row))

    def _names(self, row: Any) -> Iterator[str]:
        for attribute in self.whole:
            value = getattr(row, attribute)
            yield from map(str, value if isinstance(value, list) else [value])


def _union(found: list[QuerySet]) -> QuerySet:
    first, *others = (part.values("pk") for part in found)
    return first.union(*others).order_by() if others else first


ORDERS = Kind(Order, (has_id, begins("number"), numbered, begins("ext_order_id"), has_buyers_email),
              whole=("pk", "number", "ext_order_id", "email"), is_long=True)  # fmt: skip


def has_order(rows: Any, text: str) -> QuerySet | None:
    """It belongs to an order that is called so."""
    named = ORDERS.ids(text)
    return rows.filter(order__in=named) if named else None


NAMED = has_words("name")
KINDS = (
    ORDERS,
    Kind(Parcel, (has_id, begins("tracking_number")), whole=("pk", "tracking_number"), is_long=True,
         in_list=(has_order,)),
    Kind(Fulfillment, (has_id, begins("remote_id")), whole=("pk", "remote_id"),
         related=("organization", "order"), is_long=True, in_list=(has_order,)),
    Kind(Product, (begins("sku"), has_barcode), whole=("sku", "barcodes"), is_long=True, in_list=(has_name,)),
    Kind(WaitingSku, (has_sku,), whole=("sku",)),
    Kind(Organization, (has_id, NAMED), whole=("pk", "name"), related=()),
    Kind(Store, (has_id, begins("ext_id"), NAMED), whole=("pk", "ext_id", "name")),
    Kind(Connection, (has_id, begins("ext_shop_id"), NAMED), whole=("pk", "ext_shop_id", "name"),
         related=("organization", "store")),
    Kind(Shop, (has_id, begins("ext_shop_id"), NAMED), whole=("pk", "ext_shop_id", "name")),
    Kind(Integration, (has_id, begins("account_ref"), NAMED), whole=("pk", "account_ref", "name"),
         related=("organization", "partner")),
    Kind(PartnerConnector, (has_id, has_client_id, NAMED), whole=("pk", "name"), related=("organization",)),
    Kind(ApiKey, (has_id, begins("prefix")), whole=("pk", "prefix")),
    Kind(Location, (has_id,)),
    Kind(Endpoint, (has_id, NAMED, has_words(without_query("url"))), whole=("pk", "name", "url")),
    Kind(Hook, (has_id,), related=("organization", "endpoint")),
    Kind(Delivery, (has_message_id,), whole=("message_id",), related=("organization", "hook")),
    Kind(Receipt, (has_receipt_id, begins("remote_id")), whole=("pk", "remote_id"),
         unread=("body", "headers"), is_long=True),
    Kind(Event, (has_number,), unread=("data",), is_vague=True, is_long=True),
    Kind(SyncRun, (has_id,), related=("organization", "shop")),
    Kind(Entry, (has_request_id,), whole=("request_id",), related=(), is_long=True),
    Kind(User, (begins("email"),), whole=("email",), related=("membership__organization",)),
    Kind(Invitation, (begins("email"),), whole=("email",)),
)  # fmt: skip
