"""Reading how far a warehouse is with every order of ours that changed: what it told us that never arrived.

Each page is taken in, then its cursor is stored: news count once, however often they are read. And it sees to it that
the warehouse tells us of all that we want to hear, also when it was connected before we wanted that.
"""

import time
from collections.abc import Iterator
from typing import Any

import structlog
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import F
from django.db.models.functions import Now

from apps.api.errors import Problem
from apps.integrations.connectors.base import BadItem, StoreRef, Unreachable
from apps.integrations.connectors.orders import FulfillmentNews, FulfillmentPage
from apps.integrations.sessions import call
from apps.orders import fulfilling
from apps.orders.timeline import said_by
from apps.shops.models import Connection

from .keeping import SliceOver, connection_of, end, note_failures, note_repairs, write
from .models import Bookmark, SyncRun
from .subscribing import see_to_hooks

log = structlog.get_logger(__name__)

SLICE_SECONDS = 60.0  # a longer run makes room for others, then goes on
NOTHING_NEW = "known"
UNKNOWN = "fulfillment_not_found"  # the warehouse also has orders that are none of ours


def reconcile(found: SyncRun) -> None:
    """All pages since the last reading. Raises as `running.run` expects."""
    store = connection_of(found.shop_id).ref
    if not found.pages:
        see_to_hooks(found, store)
    for page in _pages(found, store):
        _take(found, page)
    _finish(found)


def _pages(found: SyncRun, store: StoreRef) -> Iterator[FulfillmentPage]:
    until = time.monotonic() + SLICE_SECONDS
    while not (found.pages and not found.cursor):
        cursor = found.cursor or _bookmark(found)
        page = call(found.integration, lambda client: client.fulfillments(store, cursor))  # noqa: B023 - called at once
        if page.next_cursor and page.next_cursor == cursor:
            raise Unreachable("The list names the same next page again.", code="repeated_page")
        yield page
        if page.next_cursor and time.monotonic() > until:
            raise SliceOver


def _bookmark(found: SyncRun) -> str:
    marks = Bookmark.objects.filter(organization=found.organization_id, shop=found.shop_id, kind=found.kind)
    return marks.values_list("cursor", flat=True).first() or ""


def _take(found: SyncRun, page: FulfillmentPage) -> None:
    """Each alone, in a transaction of its own: one holds an order, and two at once would wait for each other."""
    repaired, bad = [], list(page.bad)
    for news in page.items:
        try:
            repaired += [(_ref(news), str(news.step))] if _take_in(found, news) else []
        except (OperationalError, InterfaceError):
            raise
        except Problem as problem:
            bad += [BadItem(_ref(news), problem.code, str(problem))] if problem.code != UNKNOWN else []
        except Exception as error:
            log.exception("news of a fulfillment cannot be taken in", reference=_ref(news))
            bad.append(BadItem(_ref(news), "bug", repr(error)))
    _note(found, page, repaired=repaired, bad=bad)


def _take_in(found: SyncRun, news: FulfillmentNews) -> bool:
    """Whether it was news."""
    return fulfilling.take_news(found.integration, news, by=said_by(found.integration)) != NOTHING_NEW


def _ref(news: FulfillmentNews) -> str:
    return news.reference or news.remote_id


@transaction.atomic
def _note(found: SyncRun, page: FulfillmentPage, *, repaired: list[tuple[str, str]], bad: list[BadItem]) -> None:
    note_failures(found, bad)
    note_repairs(found, repaired)
    if page.resume_from:
        place: dict[str, Any] = {"organization_id": found.organization_id, "shop_id": found.shop_id, "kind": found.kind}
        Bookmark.objects.update_or_create(**place, defaults={"cursor": page.resume_from})
    write(
        found,
        cursor=page.next_cursor,
        pages=F("pages") + 1,
        done=F("done") + len(page.items) + len(page.bad),
        updated_count=F("updated_count") + len(repaired),
        failed_count=F("failed_count") + len(bad),
        tries=0,
        error="",
        detail="",
    )
    found.refresh_from_db(fields=["cursor", "pages"])


@transaction.atomic
def _finish(found: SyncRun) -> None:
    found.refresh_from_db(fields=["failed_count"])
    write(found)
    state = SyncRun.State.PARTIAL if found.failed_count else SyncRun.State.SUCCEEDED
    end(found, state, total=F("done"))
    Connection.objects.filter(shop=found.shop).held_stores().update(heard_at=Now())
