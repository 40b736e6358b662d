"""Owing a sync, and calling one off; pausing stores, which holds their syncs, and resuming them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.api.errors import Problem
from apps.audit.trail import Actor, record_each
from apps.catalog import importing
from apps.catalog.handing import owed_to
from apps.integrations.connectors import all_connectors
from apps.integrations.connectors.base import CountsStock, PullsProducts, TakesProducts
from apps.integrations.connectors.orders import ListsServices, PullsOrders, TellsFulfillments
from apps.integrations.models import Integration
from apps.shops.models import Connection, ConnectionQuerySet

from .models import ABANDONED, SyncRun
from .offering import can_begin_at, can_compare, check, sync_of, why_not
from .tasks import ring_for

SERVICES_EVERY_SECONDS = 24 * 60 * 60  # shipping services seldom change; somebody who waits for one asks at once
MOST_DUE = 500  # owed in one go
MOST_RINGS = 100  # at once; the sweep rings for the others


@transaction.atomic
def owe(
    connection: Connection,
    *,
    kind: str = SyncRun.Kind.PRODUCTS,
    by: User | None = None,
    accepts_removals: bool = False,
) -> SyncRun:
    """The shop's one unfinished run of this kind: a new one, or the one there is. The doorbell rings after commit.

    With `accepts_removals` somebody vouches that a much shorter list than before is right.
    """
    run = _new_run(connection, kind=kind, asked_by=by, accepts_removals=accepts_removals)
    SyncRun.objects.bulk_create([run], ignore_conflicts=True)
    unfinished = SyncRun.objects.unfinished().filter(integration_id=run.integration_id, shop_id=run.shop_id, kind=kind)
    if by:  # a person does not want to wait for a backoff, and takes back a stop
        unfinished.update(cancel_requested=False)
        unfinished.filter(state=SyncRun.State.QUEUED).update(next_attempt_at=Now())
    if accepts_removals:
        unfinished.update(accepts_removals=True)
    found = unfinished.first()
    if found is None:  # the one in our way ended just now
        return owe(connection, kind=kind, by=by, accepts_removals=accepts_removals)
    ring(found)
    return found


@transaction.atomic
def owe_each(
    connections: Sequence[Connection],
    *,
    kind: str = SyncRun.Kind.PRODUCTS,
    by: User | None = None,
    at_once: bool = False,
) -> list[SyncRun]:
    """`owe` for many stores, in as many statements as for one. `at_once`: somebody asks, and no backoff is waited for.

    A run that ends while we look is not owed again: it has read the store just now.
    """
    new = [_new_run(connection, kind=kind, asked_by=by) for connection in connections]
    SyncRun.objects.bulk_create(new, ignore_conflicts=True)
    shops = [connection.shop_id for connection in connections]
    unfinished = SyncRun.objects.unfinished().filter(shop__in=shops, kind=kind)
    if at_once:
        unfinished.update(cancel_requested=False)
        unfinished.filter(state=SyncRun.State.QUEUED).update(next_attempt_at=Now())
    found = list(unfinished.newest_first())
    for run in found[:MOST_RINGS]:
        ring(run)
    return found


def ask(
    integration: Integration,
    code: str,
    *,
    by: User | None,
    store: Connection | None = None,
    since: datetime | None = None,
) -> list[SyncRun]:
    """Owe this one of SYNCS to each connected store of the integration, or to this one; the runs that will do it.

    With `since` orders are read from that moment on, by a run that leaves the regular ones as they are.
    Raises Problem: sync_not_supported, integration_not_connected, conflict (switched off, every store is paused, or
    orders are being read just now).
    """
    check(integration, code)
    if since and not can_begin_at(integration, code):
        raise Problem("sync_not_supported", _("It cannot be read from a day on."))
    connections = Connection.objects.filter(integration=integration)
    if store:
        connections = connections.filter(pk=store.pk)
    live = list(connections.live())
    if not live:
        if connections.filter(state=Connection.State.PAUSED).exists():
            raise Problem("conflict", _("Its stores are paused."))
        raise Problem("integration_not_connected", _("No store of it is connected."))
    kind = sync_of(integration.kind, code).kind
    return _owe_since(live, since, kind=kind, by=by) if since else owe_each(live, kind=kind, by=by, at_once=True)


@transaction.atomic
def _owe_since(connections: Sequence[Connection], since: datetime, *, kind: str, by: User | None) -> list[SyncRun]:
    """Runs that read from this moment on: new ones, or those that wait and have not begun."""
    runs = owe_each(connections, kind=kind, by=by, at_once=True)
    fresh = SyncRun.objects.filter(pk__in=[run.pk for run in runs], state=SyncRun.State.QUEUED, pages=0, cursor="")
    if fresh.update(since=since) < len(runs):
        raise Problem("conflict", _("Orders are being read at this moment. Ask again when that has ended."))
    return runs


def owe_first(connection: Connection, *, by: User | None = None) -> None:
    """What a connection begins with: its products are read; or a warehouse is told of ours, and its stock is read."""
    kinds = [SyncRun.Kind.ITEMS, SyncRun.Kind.COUNT] if connection.is_warehouse else [SyncRun.Kind.PRODUCTS]
    for kind in kinds:
        owe(connection, kind=kind, by=by)


@transaction.atomic
def owe_comparisons(connections: ConnectionQuerySet, *, by: User | None = None) -> list[SyncRun]:
    """Compare stock at the live ones of these whose other side tells it. Returns the runs that will."""
    live = connections.live().select_related("integration__partner")
    able = [found for found in live if found.integration and can_compare(found.integration)]
    return owe_each(able, kind=SyncRun.Kind.COMPARE, by=by, at_once=by is not None)


@transaction.atomic
def pause(connections: ConnectionQuerySet, *, actor: Actor | None = None) -> int:
    """Of these, the live ones are paused: nothing is read until they are resumed. Returns how many.

    With `actor` each is entered in the trail as theirs; else whoever calls says what was asked for.
    """
    return len(_turn(connections.live(), Connection.State.PAUSED, "connection.pause", actor=actor))


@transaction.atomic
def resume(connections: ConnectionQuerySet, *, actor: Actor | None = None) -> int:
    """Of these, the paused ones go on, and what came meanwhile is read now. Returns how many; the trail as `pause`."""
    paused = connections.filter(state=Connection.State.PAUSED)
    resumed = _turn(paused, Connection.State.ACTIVE, "connection.resume", actor=actor)
    read = [connection for connection in resumed if _is_read(connection)]
    owe_each([connection for connection in read if not connection.is_warehouse])
    for warehouse in read:
        if warehouse.is_warehouse:
            owe_first(warehouse)
    return len(resumed)


def _turn(rows: ConnectionQuerySet, state: str, action: str, *, actor: Actor | None) -> list[Connection]:
    """Those of these that were still so, in their new state."""
    whole = rows.select_related("integration__partner", "store").order_by("pk")
    turned = list(whole.select_for_update(of=("self",)))
    Connection.objects.filter(pk__in=[connection.pk for connection in turned]).update(state=state)
    if actor:
        record_each(actor, action, turned)
    return turned


def _is_read(connection: Connection) -> bool:
    """Whether its products are something we read."""
    integration = connection.integration
    return bool(integration and integration.product_sync_enabled and not why_not(integration, "products"))


def _new_run(connection: Connection, **fields: Any) -> SyncRun:
    assert connection.shop_id and connection.integration_id
    return SyncRun(
        organization_id=connection.organization_id,
        integration_id=connection.integration_id,
        shop_id=connection.shop_id,
        **fields,
    )


def ring(run: SyncRun) -> None:
    """After commit, tell a worker. A broker that is down costs seconds only: the sweep rings again."""
    transaction.on_commit(lambda: ring_for(run.pk), robust=True)


@transaction.atomic
def cancel(run: SyncRun) -> bool:
    """Ask a run to stop. One that nobody works on ends here; one at work stops before its next page is written."""
    idle = SyncRun.objects.filter(Q(state=SyncRun.State.QUEUED) | ABANDONED, pk=run.pk)
    ended = idle.update(
        state=SyncRun.State.CANCELLED, finished_at=Now(), lease_until=None, fence=F("fence") + 1, cancel_requested=True
    )
    if ended:
        importing.forget_sightings(run.pk)
        return True
    return bool(SyncRun.objects.filter(pk=run.pk, state=SyncRun.State.RUNNING).update(cancel_requested=True))


def owe_regular_runs() -> int:
    """Queue a run for every live connection whose last one ended long enough ago. Returns how many.

    Not where the sync of products or the organization is switched off, nor at partners, who call us.
    """
    waiting = _without_run(SyncRun.Kind.PRODUCTS, for_seconds=settings.SYNC_EVERY_SECONDS)
    able = waiting.filter(integration__product_sync_enabled=True, integration__connector__in=_who_can(PullsProducts))
    return _owe_all(able, kind=SyncRun.Kind.PRODUCTS)


def owe_regular_orders() -> int:
    """Queue a reading of orders for every live connection whose last one is long enough ago. Returns how many."""
    waiting = _without_run(SyncRun.Kind.ORDERS, for_seconds=settings.ORDERS_EVERY_SECONDS)
    able = waiting.filter(integration__order_sync_enabled=True, integration__connector__in=_who_can(PullsOrders))
    return _owe_all(able, kind=SyncRun.Kind.ORDERS)


def owe_regular_reconciliations() -> int:
    """Queue a reading of shipments for every live warehouse whose last one is long enough ago. Returns how many.

    What a warehouse did not tell us is known within that time.
    """
    waiting = _without_run(SyncRun.Kind.FULFILLMENTS, for_seconds=settings.COMPARE_EVERY_SECONDS)
    able = waiting.filter(integration__order_sync_enabled=True, integration__connector__in=_who_can(TellsFulfillments))
    return _owe_all(able, kind=SyncRun.Kind.FULFILLMENTS)


def owe_regular_services() -> int:
    """Queue a question for the shipping services of every live connection, once a day. Returns how many."""
    waiting = _without_run(SyncRun.Kind.SERVICES, for_seconds=SERVICES_EVERY_SECONDS)
    able = waiting.filter(integration__order_sync_enabled=True, integration__connector__in=_who_can(ListsServices))
    return _owe_all(able, kind=SyncRun.Kind.SERVICES)


def owe_pushes() -> int:
    """Queue a run for every warehouse that has to be told of products: at once of new and changed ones, and now and
    then of those it refused, or after it could not be reached. Returns how many.
    """
    able = _without_run(SyncRun.Kind.ITEMS).filter(
        integration__product_sync_enabled=True, integration__connector__in=_who_can(TakesProducts)
    )
    owner = {"organization": OuterRef("organization")}
    owed, new = (Exists(owed_to(OuterRef("integration"), **owner, again=again)) for again in (True, False))
    recent = SyncRun.objects.filter(kind=SyncRun.Kind.ITEMS, created_at__gt=_ago(settings.SYNC_EVERY_SECONDS))
    soon = able.filter(new).exclude(shop__in=recent.filter(state=SyncRun.State.FAILED).values("shop"))
    later = able.filter(owed).exclude(shop__in=recent.values("shop"))
    return _owe_all(soon, kind=SyncRun.Kind.ITEMS) + _owe_all(later, kind=SyncRun.Kind.ITEMS)


def owe_regular_comparisons() -> int:
    """Queue a comparison of stock for every live connection whose last one is long enough ago. Returns how many.

    What a warehouse did not tell us is known within that time (reliability WI-11).
    """
    waiting = _without_run(SyncRun.Kind.COMPARE, for_seconds=settings.COMPARE_EVERY_SECONDS)
    due = waiting.filter(integration__connector__in=_who_can(CountsStock)).values_list("pk", flat=True)[:MOST_DUE]
    return len(owe_comparisons(Connection.objects.filter(pk__in=list(due))))


def _who_can(capability: type) -> list[str]:
    return [connector.slug for connector in all_connectors().values() if connector.can(capability)]


def _owe_all(connections: ConnectionQuerySet, *, kind: str) -> int:
    due = list(connections[:MOST_DUE])
    for connection in due:
        owe(connection, kind=kind)
    return len(due)


def _ago(seconds: float) -> datetime:
    return timezone.now() - timedelta(seconds=seconds)


def _without_run(kind: str, *, for_seconds: int = 0) -> Any:
    """Connections at work that we call, without a run of this kind that is unfinished or younger than that."""
    recent = SyncRun.objects.filter(kind=kind, created_at__gt=_ago(for_seconds))
    return (
        Connection.objects.live()
        .filter(organization__is_active=True, integration__state="connected", integration__partner=None)
        .exclude(shop__in=recent.values("shop"))
        .exclude(shop__in=SyncRun.objects.unfinished().filter(kind=kind).values("shop"))
    )
