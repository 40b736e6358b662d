"""Going through the stock that a shop's other side tells, page by page."""

import time
from collections.abc import Iterator

from apps.integrations.connectors.base import Page, RemoteStock, StoreRef, Unreachable
from apps.integrations.sessions import call

from .keeping import SliceOver, connection_of
from .models import SyncRun

SLICE_SECONDS = 60.0  # a longer run makes room for others, then goes on


def stock_pages(found: SyncRun) -> Iterator[Page[RemoteStock]]:
    """All pages from the run's cursor on. Whoever takes one stores the cursor after it with what came of it.

    Raises Stopped at once when the shop is not connected; SliceOver, and what calls raise, on the way.
    """
    return _pages(found, connection_of(found.shop_id).ref)


def _pages(found: SyncRun, store: StoreRef) -> Iterator[Page[RemoteStock]]:
    until = time.monotonic() + SLICE_SECONDS
    while not (found.pages and not found.cursor):
        page = call(found.integration, lambda client: client.stock(store, found.cursor))
        if page.next_cursor and page.next_cursor == found.cursor:
            raise Unreachable("The list names the same next page again.", code="repeated_page")
        yield page
        if page.next_cursor and time.monotonic() > until:
            raise SliceOver
