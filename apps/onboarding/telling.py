"""What a store's platform was told of its stock, for the page of the store."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import Count, Q

from apps.catalog import owing
from apps.catalog.models import Publication, StockFeed
from apps.shops.models import Connection
from apps.syncs import sentences

FAILURES_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Told:
    """How many SKUs the platform knows our number of, how many it is still owed, and which it did not take, and why.

    `why` is what stands in the way of all of it; empty when nothing does.
    """

    known: int
    owed: int
    failed: int
    at: datetime | None
    why: str
    failures: list[dict[str, Any]]
    buffer: int


def of(connection: Connection) -> Told | None:
    """None where the platform takes no stock from us."""
    integration = connection.integration
    if integration is None or connection.is_partners or not owing.takes_stock(integration):
        return None
    rows = Publication.objects.filter(organization=connection.organization_id, shop=connection.shop_id)
    feed = StockFeed.objects.filter(shop=connection.shop_id).first() or StockFeed()
    counts = rows.aggregate(
        known=Count("pk", filter=Q(quantity__isnull=False)),
        owed=Count("pk", filter=Q(due_at__isnull=False, error="")),
        failed=Count("pk", filter=~Q(error="")),
    )
    code = feed.error if integration.stock_sync_enabled else "stock_off"
    why = sentences.why_untold(code, platform=connection.kind.name, portal=settings.PORTAL_NAME)
    failures = [_failure(row) for row in rows.failed().select_related("listing")[:FAILURES_SHOWN]]
    return Told(**counts, at=feed.told_at, why=why, failures=failures, buffer=integration.stock_buffer)


def _failure(row: Publication) -> dict[str, Any]:
    return {"sku": row.listing.sku, "why": sentences.why_item(row.error), "again": row.due_at}
