"""Pulling a store's products: pages are fetched with no transaction open, then committed together with their cursor.

The next pages are fetched while these are written.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import F, Q, Value
from django.db.models.functions import Greatest, Now

from apps.catalog import importing, owing, remembering
from apps.catalog.models import Listing, StockFeed
from apps.catalog.remembering import Known, Learnt
from apps.integrations.connectors.base import HandsPagesOver, Page, RemoteProduct, StoreRef, Unauthorized, Unreachable
from apps.integrations.models import Integration
from apps.integrations.sessions import call, call_renewed
from apps.shops.models import Connection

from .keeping import SliceOver, connection_of, end, note_failures, write
from .models import LEASE, SyncRun
from .reading import Read, ReadAhead

NONE = importing.Merged()
SLICE_SECONDS = 60.0  # a longer run makes room for others, then goes on
NAMELESS = ("", "?")  # how connectors refer to an item that bears neither id nor SKU
SUSPICIOUS_SHARE = 0.25  # a complete list that lacks this much of what we know is not believed
SUSPICIOUS_COUNT = 20  # nor one that lacks everything; but a few may always go


def pull_products(found: SyncRun) -> None:
    """All pages from the run's cursor on, and what follows from the whole list. Raises as `running.run` expects."""
    live = connection_of(found.shop_id)
    until, basis = time.monotonic() + SLICE_SECONDS, remembering.basis_of(found.shop)
    is_first = not Listing.objects.filter(organization=found.organization_id, shop=found.shop).exists()
    for pages in _batches(found, live.ref, basis):
        try:
            _take_pages(found, pages, basis, is_first=is_first)
        except remembering.Changed:
            remembering.forget(found.shop, [page.digest for page in pages])
            raise SliceOver from None  # and goes on from the last page, with these read anew
        if pages[-1].next_cursor and time.monotonic() > until:
            raise SliceOver
    if not _finish(found):
        raise SliceOver
    _enlist(found)


def _batches(found: SyncRun, store: StoreRef, basis: str) -> Iterator[list[Read]]:
    """Every page from the run's cursor on, in batches: the first is a single page, later ones all that has arrived.

    So they are single pages while the platform is the slower side, and grow while the database is.
    """
    cursor, most = found.cursor, 1
    if found.pages and not cursor:
        return  # the last page was in; only the end was missing
    known = remembering.recall(found.shop, basis)
    ahead = _read_ahead(found, store, cursor, known)
    try:
        while True:
            try:
                pages = ahead.take(most, timeout=LEASE.total_seconds() / 3)
            except Unauthorized:
                page = call_renewed(found.integration, partial(_fetch, store=store, cursor=cursor))
                pages = [Read.of(page, cursor=cursor)]
                ahead = _read_ahead(found, store, page.next_cursor, known)
            if not pages:
                write(found)  # keeps the lease while the platform takes its time
                continue
            yield pages
            if not (cursor := pages[-1].next_cursor):
                return
            most *= 2
    finally:
        ahead.close()


def _read_ahead(found: SyncRun, store: StoreRef, cursor: str, known: Mapping[str, Known]) -> ReadAhead:
    client = call(found.integration, lambda client: client)
    return ReadAhead(partial(_read, client, store, known), cursor)


def _read(client: Any, store: StoreRef, known: Mapping[str, Known], cursor: str) -> Read:
    if not isinstance(client, HandsPagesOver):
        return Read.of(client.products(store, cursor), cursor=cursor)
    page = client.unopened_products(store, cursor)
    digest = remembering.digest_of(cursor, page.body)
    again = known.get(digest)
    return Read.again(digest, again) if again else Read.of(page.read(), cursor=cursor, digest=digest)


def _fetch(client: Any, *, store: StoreRef, cursor: str) -> Page[RemoteProduct]:
    return client.products(store, cursor)


def _take_pages(found: SyncRun, pages: Sequence[Read], basis: str, *, is_first: bool) -> None:
    """The items, what is wrong with some, and the cursor after them: all of it or nothing."""
    new, again = [page for page in pages if not page.known], [page.digest for page in pages if page.known]
    bad = [item for page in pages for item in page.bad]
    totals = [page.total for page in pages if page.total is not None]
    with transaction.atomic():
        items = [page.items for page in new]
        merged = NONE
        if new:
            merged = importing.merge(found.shop, items, run=found.pk, look=found.look, is_first=is_first)
        met = remembering.meet(found.shop, again, run=found.pk, look=found.look) if again else True
        if merged.repeated or not met:
            raise Unreachable("A whole page of products came a second time.", code="repeated_page")
        _learn(found, new, merged.met, basis)
        note_failures(found, bad)
        write(
            found,
            cursor=pages[-1].next_cursor,
            pages=F("pages") + len(pages),
            done=F("done") + sum(page.count for page in pages),
            total=totals[-1] if totals else F("total"),
            created_count=F("created_count") + merged.created,
            updated_count=F("updated_count") + merged.updated,
            failed_count=F("failed_count") + len(bad),
            tries=0,
            error="",
            detail="",
        )


def _learn(found: SyncRun, pages: Sequence[Read], met: Sequence[str], basis: str) -> None:
    clean = [(page, listings) for page, listings in zip(pages, met, strict=True) if page.is_clean]
    learnt = [Learnt(page.digest, ids, page.count, page.next_cursor, page.total) for page, ids in clean]
    remembering.learn(found.shop, basis, learnt)


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
    remembering.forget_unmet(found.shop, run=found.pk)
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
