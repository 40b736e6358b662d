"""Holding on to a claimed run: its lease is renewed with every write, and whoever lost it can write no more."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Now

from apps.catalog import importing
from apps.integrations.connectors.base import LONGEST_ID, BadItem
from apps.shops.models import Connection

from .models import LEASE, Repair, SyncFailure, SyncRun

MOST_FAILURES_KEPT = 1_000
LONGEST_DETAIL = 2_000


class LostLease(Exception):
    """Somebody else has this run now; what was in hand is dropped."""


class Stopped(Exception):
    """The run was cancelled, paused or disconnected while it ran."""


class SliceOver(Exception):
    """The run has had its turn, or begins anew; others wait."""


def connection_of(shop_id: UUID) -> Connection:
    """The live connection of a shop. Raises Stopped when there is none."""
    live = Connection.objects.live().with_everything().filter(shop=shop_id).first()
    if live is None:
        raise Stopped
    return live


def note_failures(found: SyncRun, bad: Sequence[BadItem]) -> None:
    room = MOST_FAILURES_KEPT - found.failures.count() if bad else 0
    SyncFailure.objects.bulk_create(
        SyncFailure(
            organization_id=found.organization_id,
            run=found,
            ref=importing.legible(item.ref, most=LONGEST_ID),
            code=item.code,
            detail=importing.legible(item.detail, most=LONGEST_DETAIL),
        )
        for item in bad[: max(room, 0)]
    )


def note_repairs(found: SyncRun, repaired: Sequence[tuple[str, str]]) -> None:
    """What it had not told us, each with how it is there. Those of a run are bounded: its counts tell of all."""
    room = MOST_FAILURES_KEPT - found.repairs.count() if repaired else 0
    Repair.objects.bulk_create(
        Repair(
            organization_id=found.organization_id,
            run=found,
            ref=importing.legible(ref, most=LONGEST_ID),
            detail=importing.legible(detail, most=LONGEST_ID),
        )
        for ref, detail in repaired[: max(room, 0)]
    )


def write(found: SyncRun, **changes: Any) -> None:
    """Change the run and renew the lease. Raises LostLease, or Stopped when somebody wants it to stop.

    Comes last in a transaction: of two workers at one run, none waits for the catalogue while holding the run's row.
    """
    allowed = SyncRun.objects.allowed().values("pk")
    won = found.mine().filter(cancel_requested=False, pk__in=allowed).update(lease_until=Now() + LEASE, **changes)
    if not won:
        raise Stopped if found.mine().exists() else LostLease


def end(found: SyncRun, state: str, *, error: str = "", detail: str = "", **changes: Any) -> None:
    with transaction.atomic():
        ended = found.mine().update(
            state=state,
            error=error,
            detail=importing.legible(detail, most=LONGEST_DETAIL),
            finished_at=Now(),
            lease_until=None,
            **changes,
        )
        if ended:
            importing.forget_sightings(found.pk)
