"""Reading all of a warehouse's stock, which puts right what it never told us, or what got lost on its way.

Every page is believed for the moment at which the run began: what the warehouse told us of a later one stays.
"""

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from apps.catalog import stocking
from apps.catalog.models import Location, StockLevel, StockMovement
from apps.integrations.connectors.base import BadItem, Page, Rejected, RemoteStock
from apps.shops.models import Connection

from .keeping import end, note_failures, write
from .models import SyncRun
from .stocktaking import stock_pages

ZEROED_AT_ONCE = 1_000


def count_stock(found: SyncRun) -> None:
    """All pages from the run's cursor on; then nothing is left of what none of them named.

    Raises as `running.run` expects.
    """
    pages = stock_pages(found)
    location = found.integration.locations.active().order_by("created_at").first()
    if location is None:
        raise Rejected("It has no location that is in use.", code="no_location")
    for page in pages:
        _take(found, location, page)
    _finish(found, location)


def _by(found: SyncRun) -> stocking.By:
    return stocking.By(
        cause=StockMovement.Cause.RECONCILE,
        actor=str(found.integration),
        integration=found.integration,
        reference=str(found.pk),
    )


@transaction.atomic
def _take(found: SyncRun, location: Location, page: Page[RemoteStock]) -> None:
    """The numbers of one page, what is wrong with some, and the cursor after them."""
    told = [
        stocking.Reported(item.sku, on_hand=item.on_hand, version=item.version, occurred_at=found.started_at)
        for item in page.items
    ]
    outcomes = stocking.report(location, told, by=_by(found))
    refused = [(item, one) for item, one in zip(page.items, outcomes, strict=True) if one.refused]
    bad = [*page.bad, *(BadItem(item.sku, one.error or "refused") for item, one in refused)]
    note_failures(found, bad)
    write(
        found,
        cursor=page.next_cursor,
        pages=F("pages") + 1,
        done=F("done") + len(page.items) + len(page.bad),
        updated_count=F("updated_count") + sum(one.result == stocking.Result.APPLIED for one in outcomes),
        failed_count=F("failed_count") + len(bad),
        tries=0,
        error="",
        detail="",
    )
    found.refresh_from_db(fields=["cursor", "pages"])


@transaction.atomic
def _finish(found: SyncRun, location: Location) -> None:
    """What no page named is not there; unless something could not be read, which may be just that."""
    found.refresh_from_db(fields=["failed_count"])
    removed = 0 if found.failed_count else _empty(found, location)
    write(found)
    state = SyncRun.State.PARTIAL if found.failed_count else SyncRun.State.SUCCEEDED
    end(found, state, removed_count=removed, total=F("done"))
    Connection.objects.filter(shop=found.shop).held_stores().update(heard_at=Now())


def _empty(found: SyncRun, location: Location) -> int:
    """Of the levels here that nobody counted since the run began, none is left. Returns how many those were."""
    unseen = Q(counted_at=None) | Q(counted_at__lt=found.started_at)
    levels = StockLevel.objects.filter(unseen, organization=found.organization_id, location=location, on_hand__gt=0)
    emptied = after = 0
    while gone := list(levels.filter(pk__gt=after).order_by("pk")[:ZEROED_AT_ONCE]):
        none = [stocking.Count(level.product_id, location.pk, 0, occurred_at=found.started_at) for level in gone]
        outcomes = stocking.count(found.organization, none, by=_by(found))
        emptied += sum(one.result == stocking.Result.APPLIED for one in outcomes)
        after = gone[-1].pk
    return emptied
