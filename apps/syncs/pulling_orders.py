"""Pulling a platform's orders: pages are fetched with no transaction open, then taken in together with their cursor.

Each order alone: one that cannot be stored or followed fails with its reason, and the others go on. Of an order that is
told as we know it already, nothing is written.

The first reading brings the orders of the last 30 days that are still open at the platform; later ones begin where the
one before ended. What has been shipped or cancelled there before we heard of it is none of ours.
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

import structlog
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from apps.audit.trail import Actor
from apps.integrations.connectors.base import BadItem, StoreRef, Unreachable
from apps.integrations.connectors.orders import NamesOrders, OrderPage, RemoteOrder
from apps.integrations.models import Integration
from apps.integrations.sessions import call
from apps.orders import following, intake
from apps.orders.models import Order
from apps.shops.models import Connection

from .keeping import SliceOver, connection_of, end, note_failures, write
from .models import Bookmark, CountedPage, SyncRun

log = structlog.get_logger(__name__)

SLICE_SECONDS = 60.0  # a longer run makes room for others, then goes on
NAMED_AT_ONCE = 100


@dataclass
class Outcome:
    """What came of some orders: how many are new, how many have changed, which failed; `ours` are all we know now."""

    created: int = 0
    updated: int = 0
    bad: list[BadItem] = field(default_factory=list)
    ours: set[UUID] = field(default_factory=set)


def pull_orders(found: SyncRun) -> None:
    """All pages from the run's cursor on, then what became of our open orders that no page named.

    Raises as `running.run` expects.
    """
    store = connection_of(found.shop_id).ref
    for page in _pages(found, store):
        _take(found, page)
    if found.integration.kind.can(NamesOrders):
        _ask_after_the_others(found, store)
    _finish(found)


def _pages(found: SyncRun, store: StoreRef) -> Iterator[OrderPage]:
    until = time.monotonic() + SLICE_SECONDS
    while not (found.pages and not found.cursor):
        cursor = found.cursor or _start(found)
        page = call(found.integration, lambda client: client.orders(store, cursor))  # noqa: B023 - called at once
        if page.next_cursor and page.next_cursor == cursor:
            raise Unreachable("The list names the same next page again.", code="repeated_page")
        yield page
        if page.next_cursor and time.monotonic() > until:
            raise SliceOver


def _start(found: SyncRun) -> str:
    """Where a reading begins: at the moment that was asked for, else where the one before ended."""
    if found.since:
        client: Any = found.integration.kind.client
        return str(client.orders_since(found.since))
    return _bookmarks(found).values_list("cursor", flat=True).first() or ""


def _bookmarks(found: SyncRun) -> Any:
    return Bookmark.objects.filter(organization=found.organization_id, shop=found.shop_id, kind=found.kind)


def _take(found: SyncRun, page: OrderPage) -> None:
    """The orders of one page, what is wrong with some, and the cursor after them.

    Our own orders are followed one by one before that: each takes its locks alone, and to hear the same again is
    harmless.
    """
    new, outcome = _follow(found, page.items)
    outcome.bad += page.bad
    with transaction.atomic():
        _take_in(found, new, outcome)
        _note(found, outcome, cursor=page.next_cursor, pages=F("pages") + 1)
        _remember(found, page, outcome)
    found.refresh_from_db(fields=["cursor", "pages"])


def _follow(found: SyncRun, orders: Sequence[RemoteOrder]) -> tuple[list[RemoteOrder], Outcome]:
    """What we did not know, but for what is over; and what came of what we knew and has changed.

    One that was cancelled here does not come again, as long as it is there.
    """
    known, outcome = _known(found, orders), Outcome()
    for told in orders:
        if ours := known.get(intake.key_of(told)):
            outcome.ours.add(ours.pk)
            if ours.digest != intake.digest_of(told):
                _alone(outcome, told, partial(_follow_one, outcome, ours, told, by=_by(found)))
    return [told for told in orders if intake.key_of(told) not in known and not told.is_cancelled], outcome


def _known(found: SyncRun, orders: Iterable[RemoteOrder]) -> dict[intake.Key, Order]:
    """The newest of ours under each of these ids."""
    rows = Order.objects.filter(organization=found.organization_id, shop=found.shop_id)
    rows = rows.filter(ext_order_id__in={order.ext_order_id for order in orders}).order_by("id")
    rows = rows.only("ext_order_id", "ext_fulfillment_order_id", "digest")
    return {(order.ext_order_id, order.ext_fulfillment_order_id): order for order in rows}


def _follow_one(outcome: Outcome, ours: Order, told: RemoteOrder, *, by: Actor) -> None:
    outcome.updated += following.follow(ours, told, by=by)


def _take_in(found: SyncRun, new: Sequence[RemoteOrder], outcome: Outcome) -> None:
    """All in one statement; one by one when that fails, so that only those fail that are the cause."""
    try:
        with transaction.atomic():
            _take_in_all(found, new, outcome)
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        for order in new:
            _alone(outcome, order, partial(_take_in_all, found, [order], outcome))


def _take_in_all(found: SyncRun, new: Sequence[RemoteOrder], outcome: Outcome) -> None:
    if not new:
        return
    taken = intake.take_in(found.shop, new, source=Order.Source.PULLED)
    outcome.created += sum(one.is_new for one in taken)
    outcome.ours |= {one.order for one in taken}


def _alone(outcome: Outcome, order: RemoteOrder, work: Any) -> None:
    """Whatever goes wrong with this order is noted, and undone; but not trouble of our database."""
    try:
        with transaction.atomic():
            work()
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        log.exception("an order cannot be taken in", order=order.ext_order_id)
        outcome.bad.append(BadItem(order.number or order.ext_order_id, "cannot_be_stored", repr(error)))


def _by(found: SyncRun) -> Actor:
    return Actor(str(found.integration), organization_id=found.organization_id, integration_id=found.integration_id)


def _note(found: SyncRun, outcome: Outcome, **changes: Any) -> None:
    note_failures(found, outcome.bad)
    again = outcome.ours & _named(found, page=found.pages - 1)  # two pages may have one in common
    seen = len(outcome.ours - again) + len(outcome.bad)
    write(
        found,
        done=F("done") + seen,
        created_count=F("created_count") + outcome.created,
        updated_count=F("updated_count") + outcome.updated,
        failed_count=F("failed_count") + len(outcome.bad),
        tries=0,
        error="",
        detail="",
        **changes,
    )


def _remember(found: SyncRun, page: OrderPage, outcome: Outcome) -> None:
    """Which of ours it named, where the next reading begins, and when an order last changed there (behaviour 41)."""
    if found.integration.kind.can(NamesOrders):
        place: dict[str, Any] = {"run": found, "page": found.pages, "organization_id": found.organization_id}
        CountedPage.objects.update_or_create(**place, defaults={"counts": [str(pk) for pk in outcome.ours]})
    if page.resume_from and not found.since and not _bookmarks(found).filter(cursor=page.resume_from).exists():
        place = {"organization_id": found.organization_id, "shop_id": found.shop_id, "kind": found.kind}
        Bookmark.objects.update_or_create(**place, defaults={"cursor": page.resume_from})
    if newest := max(filter(None, (order.changed_at for order in page.items)), default=None):
        _note_change(found, newest)


def _note_change(found: SyncRun, newest: datetime) -> None:
    older = Q(order_sync_updated_at=None) | Q(order_sync_updated_at__lt=newest)
    Integration.objects.filter(older, pk=found.integration_id).update(order_sync_updated_at=newest)


def _ask_after_the_others(found: SyncRun, store: StoreRef) -> None:
    """What became of those that are open here, and not among what is open there."""
    named = _named(found)
    ours = Order.objects.open().filter(organization=found.organization_id, shop=found.shop_id)
    pulled = ours.filter(source=Order.Source.PULLED).order_by("id").values_list("pk", "ext_order_id")
    others = [ext_order_id for pk, ext_order_id in pulled if pk not in named]
    for start in range(0, len(others), NAMED_AT_ONCE):
        ids = others[start : start + NAMED_AT_ONCE]
        page = call(found.integration, lambda client: client.orders_named(store, ids))  # noqa: B023 - called at once
        _, outcome = _follow(found, page.items)
        outcome.bad += page.bad
        with transaction.atomic():
            _note(found, outcome)


def _named(found: SyncRun, **pages: int) -> set[UUID]:
    """Those of ours that the run's pages so far have named, or only these pages."""
    return {UUID(pk) for page in CountedPage.objects.filter(run=found, **pages) for pk in page.counts}


@transaction.atomic
def _finish(found: SyncRun) -> None:
    found.refresh_from_db(fields=["failed_count"])
    CountedPage.objects.filter(run=found).delete()
    write(found)
    end(found, SyncRun.State.PARTIAL if found.failed_count else SyncRun.State.SUCCEEDED, total=F("done"))
    Connection.objects.filter(shop=found.shop_id).held_stores().update(heard_at=Now())
