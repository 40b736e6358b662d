"""Platforms and warehouses that do not let us in, or do not take what they are told."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db.models import Count, Max, Min, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from apps.catalog.models import Publication, StockFeed
from apps.integrations.models import Integration
from apps.orders import repeating
from apps.orders.models import Fulfillment, Parcel
from apps.shops.models import Connection
from apps.syncs import sentences as of_syncs
from apps.syncs.models import Drift, OrderFeed, SyncFailure, SyncRun

from ..causes import Kind, Who
from .amounts import left_out, orders, parcels, products, stores, warehouses

type Refs = Mapping[str, Any]
OF_ORGANIZATION = {"organization": "organization"}
OF_INTEGRATION = OF_ORGANIZATION | {"integration": "integration"}
OF_SHOPS_INTEGRATION = OF_ORGANIZATION | {"integration": "shop__integration"}
OF_SHOP = OF_SHOPS_INTEGRATION | {"shop": "shop"}


def _platform(refs: Refs) -> dict[str, str]:
    return {"platform": str(refs["integration"]), "portal": settings.PORTAL_NAME}


def _why_called(refs: Refs) -> str:
    return str(of_syncs.RUN.get(refs["error"], of_syncs.OTHER_CALL)) % _platform(refs)


def _why_parcel(refs: Refs) -> str:
    return of_syncs.why_parcel(refs["error"], **_platform(refs))


def _last_runs() -> QuerySet[SyncRun]:
    """Each live store's last run of each kind: a later one mends an earlier one. Found from the stores, of which there
    are fewer than of runs by far."""
    newest = Q()
    for kind in SyncRun.Kind.values:
        of_store = SyncRun.objects.filter(organization=OuterRef("organization"), shop=OuterRef("shop"), kind=kind)
        last = Subquery(of_store.newest_first().values("pk")[:1])
        newest |= Q(pk__in=Connection.objects.live().values_list(last, flat=True))
    return SyncRun.objects.filter(newest)


def _left_out() -> QuerySet[SyncFailure]:
    runs = _last_runs().filter(failed_count__gt=0).exclude(state=SyncRun.State.FAILED)
    return SyncFailure.objects.filter(run__in=runs)


def _lost() -> QuerySet[Integration]:
    return Integration.objects.kept().filter(state=Integration.State.NEEDS_RECONNECT)


def _owed_there() -> Coalesce:
    """Orders that a warehouse would be told of, if it let us in."""
    owed = repeating.untold(Fulfillment.objects.filter(integration=OuterRef("pk")).exclude(state__in=Fulfillment.FINAL))
    counted = owed.order_by().values("integration").annotate(n=Count("pk"))
    return Coalesce(Subquery(counted.values("n")), 0)


OF_SYSTEMS = [
    Kind(
        code="login-lost",
        name=_("Logins that were lost"),
        title=_("%(integration)s does not let us in any more"),
        who=Who.OWNER,
        model=Integration,
        found=_lost,
        by=OF_ORGANIZATION | {"integration": "pk"},
        first=Min("updated_at"),
        last=Max("updated_at"),
        amount=stores,
        count=Count("connections", filter=Q(connections__state=Connection.State.ACTIVE)),
        orders=_owed_there(),
    ),
    Kind(
        code="failed-sync",
        name=_("Syncs that fail"),
        title=_("Syncs with %(integration)s fail. %(why)s"),
        who=Who.US,
        model=SyncRun,
        found=lambda: _last_runs().filter(state=SyncRun.State.FAILED),
        by=OF_INTEGRATION | {"error": "error"},
        first=Min("created_at"),
        last=Max("created_at"),
        amount=stores,
        count=Count("shop", distinct=True),
        why=_why_called,
        shown=lambda rows: rows.select_related("shop"),
        repeats=True,
    ),
    Kind(
        code="left-out",
        name=_("Items that syncs leave out"),
        title=_("Syncs with %(integration)s leave items out. %(why)s"),
        who=Who.OWNER,
        model=SyncFailure,
        found=_left_out,
        by=OF_ORGANIZATION | {"integration": "run__integration", "error": "code"},
        first=Min("run__created_at"),
        last=Max("run__created_at"),
        amount=left_out,
        why=lambda refs: of_syncs.why_item(refs["error"]),
        repeats=True,
    ),
    Kind(
        code="untaken-order",
        name=_("Orders their warehouse does not take"),
        title=_("%(integration)s does not take orders. %(why)s"),
        who=Who.US,
        model=Fulfillment,
        found=lambda: repeating.failing(Fulfillment.objects.all()),
        by=OF_INTEGRATION | {"error": "error"},
        first=Min("created_at"),
        last=Max("created_at"),
        amount=orders,
        orders=Count("pk"),
        why=_why_called,
        shown=lambda rows: rows.select_related("order", "location"),
    ),
    Kind(
        code="silent-warehouse",
        name=_("Warehouses that cannot be told of orders"),
        title=_("%(integration)s cannot be told of orders. %(why)s"),
        who=Who.PLATFORM,
        model=OrderFeed,
        found=lambda: OrderFeed.objects.troubled(),
        by=OF_INTEGRATION | {"error": "error"},
        first=Min(Coalesce("told_at", "created_at")),
        last=Max(Coalesce("told_at", "created_at")),
        amount=warehouses,
        why=_why_called,
    ),
    Kind(
        code="untold-parcel",
        name=_("Parcels their platform does not know of"),
        title=_("%(integration)s does not take news of parcels. %(why)s"),
        who=Who.OWNER,
        model=Parcel,
        found=lambda: repeating.failing(Parcel.objects.all()),
        by=OF_SHOPS_INTEGRATION | {"error": "error"},
        first=Min("shipped_at"),
        last=Max("shipped_at"),
        amount=parcels,
        why=_why_parcel,
    ),
    Kind(
        code="drift",
        name=_("Stock that differs"),
        title=_("Stock at %(shop)s is not what it is here"),
        who=Who.US,
        model=Drift,
        found=lambda: Drift.objects.confirmed(),
        by=OF_SHOP,
        first=Min("found_at"),
        last=Max("found_at"),
        amount=products,
        shown=lambda rows: rows.select_related("product"),
    ),
    Kind(
        code="untaken-stock",
        name=_("Stock a platform does not take"),
        title=_("%(integration)s does not take our stock of some products. %(why)s"),
        who=Who.OWNER,
        model=Publication,
        found=lambda: Publication.objects.failed(),
        by=OF_SHOPS_INTEGRATION | {"error": "error"},
        first=Min(Coalesce("told_at", "shop__created_at")),
        last=Max(Coalesce("told_at", "shop__created_at")),
        amount=products,
        why=lambda refs: of_syncs.why_item(refs["error"]),
        shown=lambda rows: rows.select_related("listing__shop"),
    ),
    Kind(
        code="untold-stock",
        name=_("Platforms that do not hear our stock"),
        title=_("%(integration)s cannot be told our stock. %(why)s"),
        who=Who.PLATFORM,
        model=StockFeed,
        found=lambda: StockFeed.objects.troubled().exclude(error=""),
        by=OF_SHOPS_INTEGRATION | {"error": "error"},
        first=Min(Coalesce("told_at", "created_at")),
        last=Max(Coalesce("told_at", "created_at")),
        amount=stores,
        why=_why_called,
        shown=lambda rows: rows.select_related("shop"),
    ),
]
