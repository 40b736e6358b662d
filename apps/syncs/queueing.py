"""Owing a sync, and calling one off."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from apps.accounts.models import User
from apps.catalog import importing
from apps.shops.models import Connection

from .models import ABANDONED, SyncRun
from .tasks import ring_for


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
    assert connection.shop_id and connection.integration_id
    run = SyncRun(
        organization_id=connection.organization_id,
        integration_id=connection.integration_id,
        shop_id=connection.shop_id,
        kind=kind,
        asked_by=by,
        accepts_removals=accepts_removals,
    )
    SyncRun.objects.bulk_create([run], ignore_conflicts=True)
    unfinished = SyncRun.objects.unfinished().filter(
        integration_id=connection.integration_id, shop_id=connection.shop_id, kind=kind
    )
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
    since = timezone.now() - timedelta(seconds=settings.SYNC_EVERY_SECONDS)
    recent = SyncRun.objects.filter(kind=SyncRun.Kind.PRODUCTS, created_at__gt=since)
    unfinished = SyncRun.objects.unfinished().filter(kind=SyncRun.Kind.PRODUCTS)
    waiting: Any = (
        Connection.objects.live()
        .filter(organization__is_active=True)
        .filter(integration__state="connected", integration__product_sync_enabled=True, integration__partner=None)
        .exclude(shop__in=recent.values("shop"))
        .exclude(shop__in=unfinished.values("shop"))
    )
    due = list(waiting[:500])
    for connection in due:
        owe(connection)
    return len(due)
