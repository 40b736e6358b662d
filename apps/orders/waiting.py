"""What the orders of an organization wait for: one line for all that wait for the same (peers: "map X, free 41")."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Min, Q, QuerySet
from django.db.models.functions import Now

from apps.accounts.models import Organization
from apps.catalog.models import Location

from . import sentences
from .models import Hindrance, Order, OrderQuerySet
from .standing import PATIENT

URGENT = [code for code in Hindrance.Code if code not in PATIENT]  # a person has to do something about these
LATE = [Hindrance.Code.CANCEL_REFUSED, Hindrance.Code.CANCELLED_LATE, Hindrance.Code.EDITED_LATE]
SEEN = timedelta(days=3)  # after which people have heard of what was too late
NOTHING_TO_DO = Q(code=Hindrance.Code.NOTHING_TO_SHIP)
MOST = 10  # reasons that a page names


@dataclass(frozen=True, slots=True)
class Reason:
    """`count` orders, the oldest of them since `since`, for `text`. `link` is where that is mended, for their owner."""

    code: str
    ref: str
    count: int
    since: datetime
    text: str
    link: str
    link_text: str

    @property
    def is_urgent(self) -> bool:
        return self.code in URGENT


def current() -> QuerySet[Hindrance]:
    """Those that people want to hear of: what was too late for a few days, all else for as long as it is so."""
    return Hindrance.objects.exclude(NOTHING_TO_DO).exclude(code__in=LATE, since__lt=Now() - SEEN)


def hindrances(organization: Organization) -> QuerySet[Hindrance]:
    return current().filter(organization=organization)


def reasons(organization: Organization, *, most: int = MOST) -> list[Reason]:
    """Why orders wait or want a look: what somebody has to do first, and of that what most of them wait for.

    Each group is known by one of its own, which says where it is mended.
    """
    groups = hindrances(organization).order_by().values("code", "ref")
    counted = groups.annotate(count=Count("pk"), since=Min("since"), one=Min("pk"))
    found: list[dict[str, Any]] = list(counted.order_by("-count", "since", "code", "ref")[:most])  # type: ignore[arg-type]
    ones = Hindrance.objects.select_related("order").in_bulk([group.pop("one") for group in found])
    warehouses = _warehouses(organization, ones.values())
    by_what = {(one.code, one.ref): one for one in ones.values()}
    told = [_reason(by_what[group["code"], group["ref"]], warehouses, **group) for group in found]
    return sorted(told, key=lambda reason: not reason.is_urgent)


def _reason(one: Hindrance, warehouses: Mapping[str, Any], **group: Any) -> Reason:
    warehouse = warehouses.get(_place(one))
    link, link_text = sentences.way_out(one.code, integration=one.order.integration_id, warehouse=warehouse)
    text = sentences.grouped(one.code, one.detail.get("sku") or one.ref)
    return Reason(**group, text=text, link=link, link_text=link_text)


def _place(one: Hindrance) -> str:
    """The name of the location whose warehouse does not know a shipping method."""
    return next(iter(one.detail.get("locations", [])), "")


def _warehouses(organization: Organization, found: Iterable[Hindrance]) -> dict[str, Any]:
    """The organization's own integrations that fulfil from the locations that these are about, by their names."""
    names = {place for one in found if (place := _place(one))}
    places = Location.objects.filter(name__in=names, integration__organization=organization)
    return dict(places.values_list("name", "integration")) if names else {}


def troubles(order: Order) -> list[sentences.Trouble]:
    """What is the matter with one order, what to do and where."""
    found = list(order.hindrances.all())
    warehouses = _warehouses(order.organization, found)
    return [sentences.trouble(one, order, warehouse=warehouses.get(_place(one))) for one in found]


def needing(orders: OrderQuerySet, organization: Organization) -> OrderQuerySet:
    """Those of these that somebody has to look at."""
    urgent = hindrances(organization).filter(code__in=URGENT)
    return orders.filter(pk__in=urgent.values("order"))


def because(orders: OrderQuerySet, organization: Organization, *, code: str, ref: str) -> OrderQuerySet:
    """Those of these that wait for this very thing."""
    same = hindrances(organization).filter(code=code, ref=ref)
    return orders.filter(pk__in=same.values("order"))


def held(codes: Iterable[str]) -> QuerySet[Any]:
    """The ids of all orders, of whatever organization, that wait or were flagged for one of these reasons."""
    return current().filter(code__in=list(codes)).values("order")


@dataclass(frozen=True, slots=True)
class Counts:
    open: int
    urgent: int


def counts(organization: Organization, **of: Any) -> Counts:
    """How many orders (of this shop, say) are not over, and how many somebody has to look at."""
    found = Order.objects.filter(organization=organization, **of)
    return Counts(found.open().count(), needing(found, organization).count())
