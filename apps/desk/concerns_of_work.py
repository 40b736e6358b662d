"""What may be wrong with integrations, syncs, stock and orders, for the first page of the 3PL's own people."""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.catalog.models import StockFeed, WaitingSku
from apps.integrations.models import Integration
from apps.orders import repeating, waiting
from apps.orders.models import Fulfillment, Hindrance, Order, Parcel
from apps.shops.models import Connection
from apps.syncs import attention
from apps.syncs.models import Drift, OrderFeed, SyncRun

from .causes import Who
from .concern import Concern, Rows, concern, orders_of

OF_ORDERS = [SyncRun.Kind.ORDERS, SyncRun.Kind.FULFILLMENTS]  # the runs without which orders stand still


def concerns() -> list[Concern]:
    waiting_orders = [_held(*reason) for reason in REASONS]
    return [*_of_integrations(), *_of_syncs(), *_of_stock(), *waiting_orders, *_of_orders()]


def _of_integrations() -> list[Concern]:
    lost = Integration.objects.kept().filter(state=Integration.State.NEEDS_RECONNECT)
    return [
        concern(
            "lost",
            _("Permission lost"),
            Who.OWNER,
            _("They log in at their platform again. The integration's page has the link to send them."),
            lost,
            "state__exact=needs_reconnect&deleted_at__isnull=1",
            "updated_at",
            orders=orders_of(lost.order_by().values("pk")),
            kind="login-lost",
        ),
        concern(
            "hanging",
            _("Connections that hang"),
            Who.PLATFORM,
            _("Nothing yet: we ask the platform again by ourselves."),
            Connection.objects.hanging(),
            "needs=hanging",
            "lease_until",
        ),
    ]


def _of_syncs() -> list[Concern]:
    failed, overdue = attention.failed(), attention.overdue()
    return [
        concern(
            "failed",
            _("Failed syncs"),
            Who.US,
            _("Read the reason, and run them again when it is mended."),
            failed,
            "needs=failed",
            "created_at",
            orders=orders_of(failed.order_by().filter(kind__in=OF_ORDERS).values("integration")),
            kind="failed-sync",
        ),
        concern(
            "overdue",
            _("Syncs nobody works on"),
            Who.US,
            _("Look after the workers. These could have begun a minute ago."),
            overdue,
            "needs=overdue",
            "next_attempt_at",
            orders=orders_of(overdue.order_by().filter(kind__in=OF_ORDERS).values("integration")),
        ),
    ]


def _of_stock() -> list[Concern]:
    skus = WaitingSku.objects.open()
    return [
        concern(
            "drift",
            _("Stock that differs"),
            Who.US,
            _("See which side is right, and put it right; or let their owners do it."),
            Drift.objects.confirmed(),
            "times__gte=2",
            "found_at",
            kind="drift",
        ),
        concern(
            "deaf",
            _("Platforms that do not hear our stock"),
            Who.US,
            _("Read the reason. A permission or a product that is missing there is its owner's to mend."),
            StockFeed.objects.troubled(),
            "needs=untold",
            "since",
        ),
        concern(
            "skus",
            _("SKUs nobody knows"),
            Who.OWNER,
            _("They, or you, say which product each is. What came with them waits."),
            skus,
            "is_ignored__exact=0",
            "began_at",
            parts=[],
            oldest=skus.order_by("began_at").values_list("pk", "began_at", "sku", "organization__name"),
            tells=True,
            orders=[_hindered([Code.UNKNOWN_SKU]).values_list("order")],
            kind="unknown-sku",
        ),
    ]


Code = Hindrance.Code
# With the choice in the filter of the orders' list, and the kind of problem.
REASONS: list[tuple[Any, Who, Any, str, Sequence[str], str]] = [
    (
        _("Orders with a SKU nobody knows"),
        Who.OWNER,
        _("They, or you, say which product it is. The orders go on by themselves."),
        Code.UNKNOWN_SKU,
        [Code.UNKNOWN_SKU],
        "unknown-sku",
    ),
    (
        _("Orders without a complete address"),
        Who.OWNER,
        _("They complete it on the order's page, or at their platform."),
        Code.INCOMPLETE_ADDRESS,
        [Code.INCOMPLETE_ADDRESS],
        "incomplete-address",
    ),
    (
        _("Orders with no place to ship from"),
        Who.US,
        _("Set up a location, or a rule that allows one."),
        Code.NO_LOCATION,
        [Code.NO_LOCATION],
        "no-location",
    ),
    (
        _("Orders a warehouse refused"),
        Who.US,
        _("Mend what the warehouse says, and route them again."),
        Code.REJECTED,
        [Code.REJECTED],
        "refused-order",
    ),
    (
        _("Orders changed or cancelled too late"),
        Who.US,
        _("See what the warehouse can still do, and tell their owners. Each is shown for three days."),
        "late",
        waiting.LATE,
        "too-late",
    ),
    (_("Orders we broke down on"), Who.US, _("Tell whoever looks after the portal."), Code.BUG, [Code.BUG], "bug"),
    (
        _("Shipping methods nobody knows"),
        Who.OWNER,
        _("They, or you, say which service each is. Their orders wait."),
        Code.UNMAPPED_METHOD,
        [Code.UNMAPPED_METHOD],
        "unmapped-method",
    ),
]


def _of_orders() -> list[Concern]:
    """What other systems did not take, or by the fallback."""
    silent = OrderFeed.objects.troubled()
    owed = repeating.untold(Fulfillment.objects.filter(integration__in=silent.order_by().values("integration")))
    untaken = repeating.failing(Fulfillment.objects.all())
    untold = repeating.failing(Parcel.objects.all())
    return [
        concern(
            "silent",
            _("Warehouses that cannot be told of orders"),
            Who.PLATFORM,
            _("Ask the warehouse. We try again by ourselves; its orders wait."),
            silent,
            "needs=silent",
            "created_at",
            orders=[owed.order_by().values_list("order")],
            kind="silent-warehouse",
        ),
        concern(
            "untaken",
            _("Orders their warehouse does not take"),
            Who.US,
            _("Read the reason. We go on trying; once it is mended, tell it again at once."),
            untaken,
            "owed=failed",
            "created_at",
            orders=[untaken.order_by().values_list("order")],
            kind="untaken-order",
        ),
        concern(
            "untold",
            _("Parcels their platform does not know of"),
            Who.OWNER,
            _("They, or you, read the reason. Their customers do not know that it is on its way."),
            untold,
            "owed=failed",
            "shipped_at",
            orders=[untold.order_by().values_list("order")],
            kind="untold-parcel",
        ),
        concern(
            "fallback",
            _("Orders shipped by the fallback"),
            Who.US,
            _("See whether it is right for these, and say which service their methods are."),
            Fulfillment.objects.filter(is_fallback=True, finished_at=None),
            "is_fallback__exact=1&finished_at__isnull=1",
            "created_at",
        ),
    ]


def _hindered(codes: Sequence[str]) -> Rows:
    return waiting.current().filter(code__in=codes).order_by()


def _held(title: Any, who: Who, todo: Any, name: str, codes: Sequence[str], kind: str) -> Concern:
    """Orders with one of these hindrances, as old as that is."""
    why = _hindered(codes)
    more: dict[str, Any] = {"parts": [why.values_list("order")], "orders": [why.values_list("order")], "kind": kind}
    more["oldest"] = why.order_by("since").values_list("order", "since")
    found = Order.objects.filter(pk__in=waiting.held(codes))
    return concern(f"orders-{name}", title, who, todo, found, f"hindrance={name}", "created_at", **more)
