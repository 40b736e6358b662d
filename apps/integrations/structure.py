"""The brands and stores of an account at a platform, landed in `accounts` page by page.

A platform may have thousands of stores, and a person is waiting: landing stops after a few seconds and goes on from
the cursor it kept at the next call.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone

from apps.accounts.models import Brand, Store

from .connectors.base import Page, Rejected, RemoteBrand, RemoteStore, Unreachable, is_storable
from .models import Integration
from .sessions import call

SECONDS = 2.5
MOST_PAGES = 2_000


def land_brands(integration: Integration, *, seconds: float = SECONDS) -> bool:
    """Bring the brands of the account in. True when the list is complete. Raises ConnectorError."""

    def keep(brands: Sequence[RemoteBrand]) -> None:
        rows = [
            Brand(organization=integration.organization, source=integration.source, ext_id=b.id, name=b.name)
            for b in brands
        ]
        Brand.objects.bulk_create(
            rows,
            update_conflicts=True,
            unique_fields=["organization", "source", "ext_id"],
            update_fields=["name"],
        )

    def remember(cursor: str) -> None:
        integration.brands_cursor = cursor
        integration.brands_listed_at = None if cursor else timezone.now()
        integration.save(update_fields=["brands_cursor", "brands_listed_at"])

    return _land(
        lambda cursor: call(integration, lambda client: client.brands(cursor)),
        start=integration.brands_cursor,
        keep=keep,
        remember=remember,
        seconds=seconds,
    )


def land_stores(brand: Brand, *, integration: Integration, seconds: float = SECONDS) -> bool:
    """Bring the stores of a brand in. True when the list is complete. Raises ConnectorError."""

    def keep(stores: Sequence[RemoteStore]) -> None:
        rows = [
            Store(organization=brand.organization, brand=brand, ext_id=s.id, name=s.name, address=s.address)
            for s in stores
        ]
        Store.objects.bulk_create(
            rows,
            update_conflicts=True,
            unique_fields=["organization", "brand", "ext_id"],
            update_fields=["name", "address"],
        )

    def remember(cursor: str) -> None:
        brand.stores_cursor = cursor
        brand.stores_listed_at = None if cursor else timezone.now()
        brand.save(update_fields=["stores_cursor", "stores_listed_at"])

    return _land(
        lambda cursor: call(integration, lambda client: client.stores(brand.ext_id, cursor)),
        start=brand.stores_cursor,
        keep=keep,
        remember=remember,
        seconds=seconds,
    )


def _land(
    fetch: Callable[[str], Page[Any]],
    *,
    start: str,
    keep: Callable[[Sequence[Any]], None],
    remember: Callable[[str], None],
    seconds: float,
) -> bool:
    cursor, seen, until = start, {start}, time.monotonic() + seconds
    for _ in range(MOST_PAGES):
        page = _page(fetch, cursor)
        cursor = page.next_cursor
        if cursor in seen - {""}:
            raise Unreachable("The same page of the list came again.", code="repeated_page")
        if not is_storable(cursor):
            raise Unreachable("The name of the next page cannot be stored.", code="garbled")
        seen.add(cursor)
        with transaction.atomic():
            keep(list({item.id: item for item in page.items}.values()))
            remember(cursor)
        if not cursor:
            return True
        if time.monotonic() > until:
            return False
    raise Unreachable("The list does not end.", code="repeated_page")


def _page(fetch: Callable[[str], Page[Any]], cursor: str) -> Page[Any]:
    """The page at the cursor; the first one, when the platform has forgotten a cursor that we kept for days."""
    try:
        return fetch(cursor)
    except Rejected:
        if not cursor:
            raise
        return fetch("")
