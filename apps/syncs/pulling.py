"""Pulling a store's products: fetch a page with no transaction open, then commit the page and its cursor together.

The next page is fetched while this one is written.
"""

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import F, Q, Value
from django.db.models.functions import Greatest, Now

from apps.catalog import importing, owing
from apps.catalog.models import StockFeed
from apps.integrations.connectors.base import Page, RemoteProduct, StoreRef, Unauthorized, Unreachable, is_storable
from apps.integrations.models import Integration
from apps.integrations.sessions import call, call_renewed
from apps.shops.models import Connection

from .keeping import SliceOver, Stopped, end, note_failures, write
from .models import LEASE, SyncRun

SLICE_SECONDS = 60.0  # a longer run makes room for others, then goes on
NAMELESS = ("", "?")  # how connectors refer to an item that bears neither id nor SKU
SUSPICIOUS_SHARE = 0.25  # a complete list that lacks this much of what we know is not believed
SUSPICIOUS_COUNT = 20  # nor one that lacks everything; but a few may always go


def pull_products(found: SyncRun) -> None:
    """All pages from the run's cursor on, and what follows from the whole list. Raises as `running.run` expects."""
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
    _enlist(found)


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
        write(found)
    return coming.result()


def _take_page(found: SyncRun, page: Page[RemoteProduct]) -> None:
    """The items, what is wrong with some, and the cursor after them: all of it or nothing."""
    sorted_out = importing.sort_out(page.items)
    bad = [*page.bad, *sorted_out.bad]
    sorted_out.unread.extend(item.ref for item in page.bad)
    with transaction.atomic():
        merged = importing.merge(found.shop, [sorted_out], run=found.pk, look=found.look)
        if merged.repeated:
            raise Unreachable("A whole page of products came a second time.", code="repeated_page")
        note_failures(found, bad)
        write(
            found,
            cursor=page.next_cursor,
            pages=F("pages") + 1,
            done=F("done") + len(sorted_out.lines) + len(bad),
            total=F("total") if page.total is None else page.total,
            created_count=F("created_count") + merged.created,
            updated_count=F("updated_count") + merged.updated,
            failed_count=F("failed_count") + len(bad),
            tries=0,
            error="",
            detail="",
        )


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
        end(found, SyncRun.State.FAILED, error="too_much_gone", detail=f"{gone} of {known} listings were not listed.")
        return True
    # An item that does not even say which one it is may be any of the missing.
    nameless = found.failures.filter(ref__in=NAMELESS).exists()
    removed = importing.remove_unseen(found.shop, run=found.pk) if gone and not nameless else 0
    write(found)
    state = SyncRun.State.PARTIAL if found.failed_count else SyncRun.State.SUCCEEDED
    read = known - gone + found.failed_count  # not the sum of the pages: what was on two of them counts once
    end(found, state, removed_count=removed, done=read, total=read)
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


def _enlist(found: SyncRun) -> None:
    """What is listed anew is told its stock from now on, and what is gone no more."""
    changed = ~Q(created_count=0, updated_count=0, removed_count=0)
    is_new = not StockFeed.objects.filter(shop=found.shop_id).exists()
    if is_new or SyncRun.objects.filter(changed, pk=found.pk).exists():
        owing.enlist(found.shop)


def _look_again(found: SyncRun) -> None:
    found.failures.all().delete()
    write(found, look=2, cursor="", pages=0, done=0, failed_count=0, total=F("done"))


def _is_suspicious(gone: int, known: int) -> bool:
    return gone > 0 and (gone == known or (gone > SUSPICIOUS_COUNT and gone >= known * SUSPICIOUS_SHARE))
