"""Telling platforms our stock: what is due, in batches, by one sender for each shop, with no transaction open.

A row is taken, then its number is looked up, then its platform is told, then that is noted. So a change that comes
meanwhile finds the row taken and makes it due once more, and the last number told is the last there was. A sender that
dies leaves rows behind that become due again; to be told the same twice harms no platform.
"""

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import structlog
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from apps.api.errors import Problem
from apps.api.limits import Rate, spend
from apps.catalog import importing, owing
from apps.catalog.models import Publication, StockFeed
from apps.catalog.models.publication import LEASE
from apps.catalog.promising import atp, counted
from apps.integrations.connectors.base import (
    BadItem,
    ConnectorError,
    Rejected,
    StockRow,
    StockTerms,
    StoreRef,
    Unauthorized,
    Unreachable,
)
from apps.integrations.models import Integration
from apps.integrations.sessions import call

from .keeping import LONGEST_DETAIL, LostLease, SliceOver, Stopped, connection_of, end, note_failures, write
from .models import SyncRun

log = structlog.get_logger(__name__)

SLICE_SECONDS = 30.0  # a longer list makes room for others, then goes on
BUSY_SECONDS = 0.5  # between two looks at whether whoever tells this shop is done
WAITS = (1, 2, 5, 15, 60, 300)  # seconds, after each failure in a row to reach a platform
RATE_SECONDS = 15.0  # for a 429 that names no time
REFUSED_SECONDS = 600.0  # for a refusal of everything, which somebody has to mend
LONGEST_WAIT = 3600.0  # whatever Retry-After says
ITEM_MINUTES = (1, 5, 30, 120, 720)  # after each refusal in a row of one SKU


class OverBudget(Unreachable):
    """As many calls as one account may get were made just now, for whichever of its shops."""

    default_code = "budget"


@dataclass(frozen=True, slots=True)
class Batch:
    """What came of some rows: how many were looked at, how many the platform was told, which it did not take."""

    size: int = 0
    told: int = 0
    failures: list[BadItem] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the platform knows now of a row, in pieces; or why it did not take it. Neither: there is nothing to tell."""

    quantity: int | None = None
    error: str = ""


def tell(shop: Any) -> bool:
    """Tell the platform of a shop what is due. True when more is due at once.

    Does nothing when somebody else is at it, nothing is due, or it has to wait.
    """
    feed = StockFeed.objects.due().claim(shop)
    if feed is None:
        return False
    try:
        return _tell_for(feed, seconds=SLICE_SECONDS)
    except (LostLease, Stopped, ConnectorError) as reason:
        log.info("stock not told", shop=str(shop), reason=repr(reason))
    except Exception as error:
        log.exception("telling stock hit a bug", shop=str(shop))
        _wait(feed, Rejected(repr(error), code="bug"))
    finally:
        release(feed)
    return False


def _tell_for(feed: StockFeed, *, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if not tell_batch(feed).size:
            return False
    return True


def publish_stock(found: SyncRun) -> None:
    """Everything the shop lists is told anew, as a run that can be watched. Raises as `running.run` expects."""
    until = time.monotonic() + SLICE_SECONDS
    feed = _feed_for(found)
    try:
        if not found.pages:
            write(found, pages=1, total=owing.owe_everything(found.shop))
        while batch := _batch_or_none(feed):
            _note(found, batch)
            if time.monotonic() > until:
                raise SliceOver
    finally:
        release(feed)
    found.refresh_from_db(fields=["failed_count", "done"])
    end(found, SyncRun.State.PARTIAL if found.failed_count else SyncRun.State.SUCCEEDED, total=found.done)


def _feed_for(found: SyncRun) -> StockFeed:
    """The shop's feed, claimed. Raises Stopped, Rejected (stock_off), or SliceOver while somebody else is at it."""
    if not found.integration.stock_sync_enabled:
        raise Rejected("Its sync of product stocks is switched off.", code="stock_off")
    owing.enlist(found.shop)
    if feed := StockFeed.objects.allowed().claim(found.shop_id):
        return feed
    if not StockFeed.objects.allowed().filter(shop=found.shop_id).exists():
        raise Stopped
    time.sleep(BUSY_SECONDS)
    raise SliceOver


def _batch_or_none(feed: StockFeed) -> Batch | None:
    batch = tell_batch(feed)
    return batch if batch.size else None


@transaction.atomic
def _note(found: SyncRun, batch: Batch) -> None:
    note_failures(found, batch.failures)
    write(
        found,
        done=F("done") + batch.size,
        updated_count=F("updated_count") + batch.told,
        failed_count=F("failed_count") + len(batch.failures),
        tries=0,
        error="",
        detail="",
    )


def tell_batch(feed: StockFeed) -> Batch:
    """One call's worth of what is due. Raises Stopped or LostLease; or a ConnectorError, and the feed waits then."""
    taken = _take(feed)
    if not taken:
        return Batch()
    try:
        answers = _answers(feed, taken)
    except (ConnectorError, Stopped) as error:
        _put_back(feed, taken)
        if isinstance(error, ConnectorError):
            _wait(feed, error)
        raise
    try:
        return _record(feed, taken, answers)
    except LostLease:  # what we told may have come after what our successor told
        Publication.objects.filter(pk__in=[row.pk for row in taken]).owe_again()
        raise


@transaction.atomic
def _take(feed: StockFeed) -> list[Publication]:
    """Some rows that are due, marked as being told. Those that a change is being written of are passed by."""
    _hold(feed, StockFeed.objects.allowed())
    due = Publication.objects.due().filter(shop=feed.shop_id).order_by("due_at").select_related("listing")
    terms = feed.shop.integration.kind.stock
    taken = list(due.select_for_update(skip_locked=True, no_key=True, of=("self",))[: terms.batch])
    pks = [publication.pk for publication in taken]
    Publication.objects.filter(pk__in=pks).update(is_being_told=True, due_at=Now() + LEASE)
    return taken


def _hold(feed: StockFeed, among: Any) -> None:
    """Renew the lease. Raises LostLease; or Stopped when the feed is not among these any more."""
    if not feed.mine().filter(pk__in=among.values("pk")).update(lease_until=Now() + LEASE):
        raise Stopped if feed.mine().exists() else LostLease


def release(feed: StockFeed) -> None:
    feed.mine().update(lease_until=None)


def _answers(feed: StockFeed, taken: Sequence[Publication]) -> dict[int, Answer]:
    """By row, after the platform was told what it has to be told. Its numbers are looked up now, and not before."""
    integration = feed.shop.integration
    integration.refresh_from_db(fields=["stock_buffer"])
    products = {publication.product_id for publication in taken}
    known = counted(feed.organization, products)
    quantities = atp(feed.organization, known, buffer=integration.stock_buffer)
    answers = {row.pk: Answer() for row in taken if row.product_id not in known}
    answers |= {row.pk: Answer(quantities[row.product_id]) for row in taken if row.product_id in known}
    telling = [row for row in taken if row.product_id in known and _is_news(row, answers[row.pk], integration)]
    if telling:
        codes = _put(feed, telling, quantities)
        answers |= {row.pk: Answer(error=code) for row, code in zip(telling, codes, strict=True) if code}
    return answers


def _is_news(row: Publication, answer: Answer, integration: Integration) -> bool:
    """Whether the platform knows something else. One that takes no numbers knows only whether there is any."""
    if row.error or row.quantity is None:
        return True
    if integration.kind.stock.counts_pieces:
        return row.quantity != answer.quantity
    return bool(row.quantity) != bool(answer.quantity)


def _put(feed: StockFeed, telling: Sequence[Publication], quantities: Mapping[int, int]) -> list[str]:
    integration, store = feed.shop.integration, _store(feed)
    rows = [_row(publication, quantities[publication.product_id]) for publication in telling]
    _spend(integration, integration.kind.stock)
    codes = call(integration, lambda client: client.put_stock(store, rows))
    if len(codes) != len(rows):
        raise Unreachable("Not an answer for each row.", code="garbled")
    return codes


def _row(publication: Publication, quantity: int) -> StockRow:
    listing = publication.listing
    return StockRow(listing.ext_product_id, listing.ext_variant_id, listing.sku, quantity)


def _store(feed: StockFeed) -> StoreRef:
    live = connection_of(feed.shop_id)
    return live.ref


def _spend(integration: Integration, terms: StockTerms) -> None:
    """Take one call from the account's budget, which all its shops share. Raises OverBudget."""
    account = f"{integration.connector} {integration.address} {integration.account_ref}"
    key = f"stock:{hashlib.sha256(account.encode()).hexdigest()}"
    try:
        spend(key, rate=Rate(terms.per_second, terms.burst))
    except Problem as problem:
        wait = float(problem.headers["Retry-After"])
        raise OverBudget("Enough calls for now.", retry_after=wait) from problem


@transaction.atomic
def _record(feed: StockFeed, taken: Sequence[Publication], answers: Mapping[int, Answer]) -> Batch:
    """What the platform knows now, and when it did not take a row, why and when it is tried again."""
    _hold(feed, StockFeed.objects)
    rows = _locked(taken)
    told = [row for row in rows if _has_news(row, answers[row.pk])]
    for row in rows:
        _apply(row, answers[row.pk])
    Publication.objects.bulk_update(
        rows, ["quantity", "told_at", "due_at", "is_being_told", "tries", "error", "detail"]
    )
    feed.mine().update(error="", detail="", tries=0, next_attempt_at=None)
    if told:
        feed.mine().update(told_at=Now())
    failures = [BadItem(row.listing.sku, answers[row.pk].error) for row in taken if answers[row.pk].error]
    return Batch(len(taken), len(told), failures)


def _has_news(row: Publication, answer: Answer) -> bool:
    return answer.quantity is not None and (row.quantity != answer.quantity or bool(row.error))


def _apply(row: Any, answer: Answer) -> None:
    """`row.clock` is the database's. A row that changed meanwhile is not being told any more, and stays due."""
    if answer.error:
        row.tries, row.error = row.tries + 1, answer.error
    elif answer.quantity is not None:
        row.told_at = row.clock if _has_news(row, answer) else row.told_at
        row.quantity, row.tries, row.error = answer.quantity, 0, ""
    if row.is_being_told:
        again = timedelta(minutes=ITEM_MINUTES[min(row.tries, len(ITEM_MINUTES)) - 1])
        row.due_at = row.clock + again if answer.error else None
        row.is_being_told = False


def _locked(taken: Sequence[Publication]) -> list[Any]:
    """The rows as they are now, but those that are gone; locked by id, as whoever marks them does."""
    rows = Publication.objects.filter(pk__in=[row.pk for row in taken]).annotate(clock=Now())
    return list(rows.order_by("pk").select_for_update(no_key=True, of=("self",)))


@transaction.atomic
def _put_back(feed: StockFeed, taken: Sequence[Publication]) -> None:
    """They were not told, through no fault of theirs: they stay due."""
    _hold(feed, StockFeed.objects)
    pks = [row.pk for row in _locked(taken) if row.is_being_told]
    Publication.objects.filter(pk__in=pks).update(is_being_told=False, due_at=Now())


def _wait(feed: StockFeed, error: ConnectorError) -> None:
    """Nothing more is told until then; where the platform asks the whole account to slow down, to none of its shops."""
    seconds = _seconds(error, tries=feed.tries)
    if isinstance(error, OverBudget):
        feed.mine().wait(seconds=seconds)
        return
    feed.tries += 1
    detail = importing.legible(str(error), most=LONGEST_DETAIL)
    feed.mine().update(error=error.code, detail=detail, tries=feed.tries)
    feed.mine().wait(seconds=seconds)
    if error.code == "rate_limited":
        StockFeed.objects.of_account(feed.shop.integration).wait(seconds=seconds)


def _seconds(error: ConnectorError, *, tries: int) -> float:
    """Until the next attempt. A lost permission holds the feed by itself, until its owner logs in again."""
    if isinstance(error, Unauthorized):
        return 0
    if not isinstance(error, Unreachable):
        return REFUSED_SECONDS
    if error.retry_after is not None:
        return min(error.retry_after, LONGEST_WAIT)
    return max(WAITS[min(tries, len(WAITS) - 1)], RATE_SECONDS if error.code == "rate_limited" else 0)
