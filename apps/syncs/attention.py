"""What is broken right now and who must act: the first page of the 3PL's own people."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Now
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise, cached_property
from django.utils.translation import gettext_lazy as _

from apps.catalog.models import StockFeed, WaitingSku
from apps.integrations.models import Integration
from apps.operations import address_of
from apps.orders import repeating, waiting
from apps.orders.models import Fulfillment, Hindrance, Order, Parcel
from apps.shops.models import Connection

from .models import Drift, OrderFeed, SyncRun, SyncRunQuerySet

OVERDUE = timedelta(minutes=1)
NAMED = 5  # rows of each kind that the first page names


def failed() -> SyncRunQuerySet:
    """Runs that failed and are the last word on a connected store: a later run mends an earlier one.

    Found from the stores, of which there are fewer than of runs by far.
    """
    newest = Q()
    for kind in SyncRun.Kind.values:
        of_store = SyncRun.objects.filter(organization=OuterRef("organization"), shop=OuterRef("shop"), kind=kind)
        last = Subquery(of_store.newest_first().values("pk")[:1])
        newest |= Q(pk__in=Connection.objects.live().values_list(last, flat=True))
    return SyncRun.objects.filter(newest, state=SyncRun.State.FAILED)


def overdue() -> SyncRunQuerySet:
    """Runs that nobody works on though they could be worked on: the workers are down, or too few."""
    waiting = Q(state=SyncRun.State.QUEUED, next_attempt_at__lt=Now() - OVERDUE)
    abandoned = Q(state=SyncRun.State.RUNNING, lease_until__lt=Now() - OVERDUE)
    return SyncRun.objects.due().filter(waiting | abandoned)


@dataclass(frozen=True, slots=True)
class Row:
    name: str
    link: str
    organization: Any
    since: datetime


@dataclass(frozen=True)
class Concern:
    """One kind of trouble. `dates` names the field it is as old as; `query` lists the same rows on their own page."""

    title: Promise
    who: Promise
    found: QuerySet[Any]
    dates: str
    query: str

    @cached_property
    def count(self) -> int:
        return self.found.count()

    @cached_property
    def rows(self) -> list[Row]:
        """The oldest few."""
        oldest = self.found.select_related("organization").order_by(self.dates)[:NAMED]
        return [Row(str(row), address_of(row), row.organization, getattr(row, self.dates)) for row in oldest]

    @property
    def link(self) -> str:
        model = self.found.model._meta
        return f"{reverse(f'admin:{model.app_label}_{model.model_name}_changelist')}?{self.query}"


def concerns() -> list[Concern]:
    return [
        Concern(
            title=_("Permission lost"),
            who=_("Their owners have to log in at their platform again."),
            found=Integration.objects.kept().filter(state=Integration.State.NEEDS_RECONNECT),
            dates="updated_at",
            query="state__exact=needs_reconnect",
        ),
        Concern(
            title=_("Failed syncs"),
            who=_("You: read the reason, and run them again when it is mended."),
            found=failed().select_related("shop"),
            dates="created_at",
            query="needs=failed",
        ),
        Concern(
            title=_("Syncs nobody works on"),
            who=_("You: look after the workers. These could have begun a minute ago."),
            found=overdue().select_related("shop"),
            dates="next_attempt_at",
            query="needs=overdue",
        ),
        *_of_stock(),
        *_of_orders(),
        *_of_shipping(),
        Concern(
            title=_("Connections that hang"),
            who=_("Nobody yet: we ask the platform again by ourselves."),
            found=Connection.objects.hanging().select_related("store"),
            dates="lease_until",
            query="needs=hanging",
        ),
    ]


def _of_stock() -> list[Concern]:
    return [
        Concern(
            title=_("Stock that differs"),
            who=_("You, or their owners: see which side is right, and put it right."),
            found=Drift.objects.confirmed().select_related("product"),
            dates="found_at",
            query="times__gte=2",
        ),
        Concern(
            title=_("Platforms that do not hear our stock"),
            who=_("You: read the reason. A permission or a product that is missing there is its owner's to mend."),
            found=StockFeed.objects.troubled().select_related("shop"),
            dates="since",
            query="needs=untold",
        ),
        Concern(
            title=_("SKUs nobody knows"),
            who=_("Their owners, or you: say which product each is. What came with them waits."),
            found=WaitingSku.objects.open(),
            dates="seen_at",
            query="is_ignored__exact=0",
        ),
    ]


def _of_orders() -> list[Concern]:
    """What orders wait for, and what other systems did not take."""
    return [
        *(_held(*reason) for reason in REASONS),
        Concern(
            title=_("Warehouses that cannot be told of orders"),
            who=_("You: ask the warehouse. We try again by ourselves; its orders wait."),
            found=OrderFeed.objects.troubled().select_related("integration"),
            dates="created_at",
            query="needs=silent",
        ),
        Concern(
            title=_("Orders their warehouse does not take"),
            who=_("You: read the reason. We go on trying; once it is mended, tell it again at once."),
            found=repeating.failing(Fulfillment.objects.select_related("order", "location")),
            dates="created_at",
            query="owed=failed",
        ),
        Concern(
            title=_("Parcels their platform does not know of"),
            who=_("Their owners, or you: read the reason. Their customers do not know that it is on its way."),
            found=repeating.failing(Parcel.objects.all()),
            dates="shipped_at",
            query="owed=failed",
        ),
    ]


def _held(title: Promise, who: Promise, name: str, codes: Sequence[str]) -> Concern:
    """Orders with one of these hindrances; `name` is that choice in the filter of their list."""
    found = Order.objects.filter(pk__in=waiting.held(codes))
    return Concern(title=title, who=who, found=found, dates="created_at", query=f"hindrance={name}")


Code = Hindrance.Code
REASONS: list[tuple[Any, Any, str, Sequence[str]]] = [
    (
        _("Orders with a SKU nobody knows"),
        _("Their owners, or you: say which product it is. They go on by themselves."),
        Code.UNKNOWN_SKU,
        [Code.UNKNOWN_SKU],
    ),
    (
        _("Orders without a complete address"),
        _("Their owners: complete it on the order's page, or at their platform."),
        Code.INCOMPLETE_ADDRESS,
        [Code.INCOMPLETE_ADDRESS],
    ),
    (
        _("Orders with no place to ship from"),
        _("You: set up a location, or a rule that allows one."),
        Code.NO_LOCATION,
        [Code.NO_LOCATION],
    ),
    (
        _("Orders a warehouse refused"),
        _("You: mend what the warehouse says, and route them again."),
        Code.REJECTED,
        [Code.REJECTED],
    ),
    (
        _("Orders changed or cancelled too late"),
        _("You: see what the warehouse can still do, and tell their owners. Each is shown for three days."),
        "late",
        waiting.LATE,
    ),
    (_("Orders we broke down on"), _("You: tell whoever looks after the portal."), Code.BUG, [Code.BUG]),
]


def _of_shipping() -> list[Concern]:
    """Names of shipping methods that nobody has said the meaning of (behaviour 80)."""
    return [
        _held(
            _("Shipping methods nobody knows"),
            _("You, or their owners: say which service each is. Their orders wait."),
            Code.UNMAPPED_METHOD,
            [Code.UNMAPPED_METHOD],
        ),
        Concern(
            title=_("Orders shipped by the fallback"),
            who=_("You, or their owners: see whether it is right for these, and say which service their methods are."),
            found=Fulfillment.objects.filter(is_fallback=True, finished_at=None).select_related("order", "location"),
            dates="created_at",
            query="is_fallback__exact=1&finished_at__isnull=1",
        ),
    ]


def home_page(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Context of the first page: the concerns this person may look into."""
    may_see = [
        concern
        for concern in concerns()
        if request.user.has_perm(f"{concern.found.model._meta.app_label}.view_{concern.found.model._meta.model_name}")
    ]
    return context | {"concerns": may_see}
