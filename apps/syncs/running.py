"""Working on one sync run: claim, fetch a page with no transaction open, then commit the page and its cursor together.

The next page is fetched while this one is written. Whatever goes wrong, the run is left in an honest state: waiting for
its next attempt, or ended with a reason. A worker that dies leaves a lease behind that runs out.
"""

import random
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import timedelta
from functools import partial
from typing import Any

import structlog
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import F, Value
from django.db.models.functions import Greatest, Now

from apps.catalog import importing
from apps.integrations.connectors.base import (
    LONGEST_ID,
    BadItem,
    ConnectorError,
    Page,
    Rejected,
    RemoteProduct,
    StoreRef,
    Unauthorized,
    Unreachable,
    is_storable,
)
from apps.integrations.models import Integration
from apps.integrations.sessions import call, call_renewed
from apps.shops.models import Connection

from .models import LEASE, SyncFailure, SyncRun

log = structlog.get_logger(__name__)

RETRY_SECONDS = (1, 2, 4, 8, 15)  # then the run fails; the next regular run begins anew
SLICE_SECONDS = 60.0  # a longer run makes room for others, then goes on
RATE_SECONDS = 15.0  # for a 429 that names no time: platforms count per minute (Otter: contracts 3.4)
LONGEST_WAIT = 3600.0  # seconds; whatever Retry-After says
MOST_FAILURES_KEPT = 1_000
LONGEST_DETAIL = 2_000
NAMELESS = ("", "?")  # how connectors refer to an item that bears neither id nor SKU
SUSPICIOUS_SHARE = 0.25  # a complete list that lacks this much of what we know is not believed
SUSPICIOUS_COUNT = 20  # nor one that lacks everything; but a few may always go


class LostLease(Exception):
    """Somebody else has this run now; what was in hand is dropped."""


class Stopped(Exception):
    """The run was cancelled, paused or disconnected while it ran."""


class SliceOver(Exception):
    """The run has had its turn, or begins anew; others wait."""


def run(run_id: Any) -> bool:
    """Work on a run until it ends, has to wait, or has had its turn. True when it can go on at once.

    Does nothing when somebody else is at it, or it is not due.
    """
    found = SyncRun.objects.claim(run_id)
    if found is None:
        return False
    try:
        _pull_products(found)
    except SliceOver:
        return bool(found.mine().update(state=SyncRun.State.QUEUED, lease_until=None))
    except LostLease:
        log.info("sync run taken over", run=str(found.pk))
    except Stopped:
        _stop(found)
    except Unauthorized as error:
        _wait(found, error, seconds=0)  # held by the integration's state until its owner logs in again
    except Unreachable as error:
        _try_later(found, error)
    except Rejected as error:
        _end(found, SyncRun.State.FAILED, error=error.code, detail=str(error))
    except (OperationalError, InterfaceError):
        raise  # our database is in trouble: the lease runs out, and the run goes on from its last page
    except Exception as error:
        log.exception("sync run hit a bug", run=str(found.pk))
        _end(found, SyncRun.State.FAILED, error="bug", detail=repr(error))
    return False


def _pull_products(found: SyncRun) -> None:
    if found.cancel_requested:
        raise Stopped
    if found.tries > len(RETRY_SECONDS):
        raise Rejected("Workers died at this run again and again.", code="bug")
    live = Connection.objects.live().with_everything().filter(shop=found.shop).first()
    if live is None:
        raise Stopped
    until = time.monotonic() + SLICE_SECONDS
    for page in _pages(found, live.ref):
        _take_page(found, page)
        if page.next_cursor and time.monotonic() > until:
            raise SliceOver
    if not _finish(found):
        raise SliceOver


def _pages(found: SyncRun, store: StoreRef) -> Iterator[Page[RemoteProduct]]:
    """Every page from the run's cursor on; while one is used, the next is on its way."""
    cursor = found.cursor
    if found.pages and not cursor:
        return  # the last page was in; only the end was missing
    pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="prefetch")
    try:
        client = call(found.integration, lambda client: client)
        coming = pool.submit(client.products, store, cursor)
        while True:
            try:
                page = _wait_for(coming, found)
            except Unauthorized:
                page = call_renewed(found.integration, partial(_fetch, store=store, cursor=cursor))
                client = call(found.integration, lambda client: client)
            _check(page, cursor=cursor)
            if page.next_cursor:
                coming = pool.submit(client.products, store, page.next_cursor)
            yield page
            if not page.next_cursor:
                return
            cursor = page.next_cursor
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _fetch(client: Any, *, store: StoreRef, cursor: str) -> Page[RemoteProduct]:
    return client.products(store, cursor)


def _check(page: Page[RemoteProduct], *, cursor: str) -> None:
    """Raises Unreachable when the page does not say how to go on from here: another try may."""
    if not is_storable(page.next_cursor):
        raise Unreachable("The name of the next page cannot be stored.", code="garbled")
    if page.next_cursor and page.next_cursor == cursor:
        raise Unreachable("The list names the same next page again.", code="repeated_page")
    if page.next_cursor and not (page.items or page.bad):
        raise Unreachable("An empty page names a next one.", code="garbled")


def _wait_for(coming: "Future[Page[RemoteProduct]]", found: SyncRun) -> Page[RemoteProduct]:
    """The page, keeping our lease alive while the platform takes its time."""
    while not wait([coming], timeout=LEASE.total_seconds() / 3).done:
        _write(found)
    return coming.result()


def _take_page(found: SyncRun, page: Page[RemoteProduct]) -> None:
    """The items, what is wrong with some, and the cursor after them: all of it or nothing."""
    sorted_out = importing.sort_out(page.items)
    bad = [*page.bad, *sorted_out.bad]
    unread = [*sorted_out.unread, *(item.ref for item in page.bad)]
    with transaction.atomic():
        merged = importing.merge(found.shop, sorted_out.rows, run=found.pk, look=found.look, unread=unread)
        if sorted_out.rows and merged.repeated:
            raise Unreachable("A whole page of products came a second time.", code="repeated_page")
        _note_failures(found, bad)
        _write(
            found,
            cursor=page.next_cursor,
            pages=F("pages") + 1,
            done=F("done") + len(sorted_out.rows) + len(bad),
            total=F("total") if page.total is None else page.total,
            created_count=F("created_count") + merged.created,
            updated_count=F("updated_count") + merged.updated,
            failed_count=F("failed_count") + len(bad),
            tries=0,
            error="",
            detail="",
        )


def _note_failures(found: SyncRun, bad: list[BadItem]) -> None:
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


def _write(found: SyncRun, **changes: Any) -> None:
    """Change the run and renew the lease. Raises LostLease, or Stopped when somebody wants it to stop.

    Comes last in a transaction: of two workers at one run, none waits for the catalogue while holding the run's row.
    """
    allowed = SyncRun.objects.allowed().values("pk")
    won = found.mine().filter(cancel_requested=False, pk__in=allowed).update(lease_until=Now() + LEASE, **changes)
    if not won:
        raise Stopped if found.mine().exists() else LostLease


@transaction.atomic
def _finish(found: SyncRun) -> bool:
    """The whole list was read: what it no longer has goes, unless so much is gone that the list is not believed.

    False when it has to be read a second time first: a list that broke off looks like one that got shorter.
    """
    found.refresh_from_db(fields=["accepts_removals", "created_count", "updated_count", "failed_count"])
    gone, known = importing.count_unseen(found.shop, run=found.pk)
    if gone and found.look == 1 and not found.accepts_removals:
        _look_again(found)
        return False
    if _is_suspicious(gone, known) and not found.accepts_removals:
        _end(found, SyncRun.State.FAILED, error="too_much_gone", detail=f"{gone} of {known} listings were not listed.")
        return True
    # An item that does not even say which one it is may be any of the missing.
    nameless = found.failures.filter(ref__in=NAMELESS).exists()
    removed = importing.remove_unseen(found.shop, run=found.pk) if gone and not nameless else 0
    _write(found)
    state = SyncRun.State.PARTIAL if found.failed_count else SyncRun.State.SUCCEEDED
    read = known - gone + found.failed_count  # not the sum of the pages: what was on two of them counts once
    _end(found, state, removed_count=removed, done=read, total=read)
    Connection.objects.filter(shop=found.shop).held_stores().update(heard_at=Now())
    _note_change(found, removed)
    return True


def _note_change(found: SyncRun, removed: int) -> None:
    """When the products last changed at the platform, as far as we know (behaviour 41).

    Platforms do not date their products. So it is when a run that found any change began to read: whatever changed up
    to then is known. A run that found none changes nothing, but for the first.
    """
    rows = Integration.objects.filter(pk=found.integration_id)
    if not (found.created_count or found.updated_count or removed):
        rows = rows.filter(product_sync_updated_at=None)
    rows.update(product_sync_updated_at=Greatest("product_sync_updated_at", Value(found.started_at)))


def _look_again(found: SyncRun) -> None:
    found.failures.all().delete()
    _write(found, look=2, cursor="", pages=0, done=0, failed_count=0, total=F("done"))


def _is_suspicious(gone: int, known: int) -> bool:
    return gone > 0 and (gone == known or (gone > SUSPICIOUS_COUNT and gone >= known * SUSPICIOUS_SHARE))


def _end(found: SyncRun, state: str, *, error: str = "", detail: str = "", **changes: Any) -> None:
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


def _stop(found: SyncRun) -> None:
    """Cancelled means ended; paused or held means waiting where it is."""
    found.refresh_from_db(fields=["cancel_requested"])
    if found.cancel_requested:
        _end(found, SyncRun.State.CANCELLED)
    else:
        found.mine().update(state=SyncRun.State.QUEUED, lease_until=None)


def _wait(found: SyncRun, error: ConnectorError, *, seconds: float, tries: Any = 0) -> None:
    found.mine().update(
        state=SyncRun.State.QUEUED,
        lease_until=None,
        next_attempt_at=Now() + timedelta(seconds=seconds),
        tries=tries,
        error=error.code,
        detail=importing.legible(str(error), most=LONGEST_DETAIL),
    )


def _try_later(found: SyncRun, error: Unreachable) -> None:
    """Wait as long as the platform asks, else longer each time (full jitter); give up after the last wait."""
    tries = SyncRun.objects.values_list("tries", flat=True).get(pk=found.pk)
    if tries >= len(RETRY_SECONDS):
        _end(found, SyncRun.State.FAILED, error=error.code, detail=str(error))
        return
    backoff = random.uniform(0.5, 1) * RETRY_SECONDS[tries]  # noqa: S311 - spreads load, guards nothing
    asked = error.retry_after
    if asked is None:
        asked = RATE_SECONDS if error.code == "rate_limited" else 0
    seconds = max(backoff, min(asked, LONGEST_WAIT))
    _wait(found, error, seconds=seconds, tries=F("tries") + 1)
