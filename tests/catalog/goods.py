"""Goods as a platform lists them, read into a shop the way a run does, and what must hold afterwards."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from django.db import connection

from apps.accounts.models import Organization
from apps.catalog import importing
from apps.catalog.models import Listing, Product, SkuPair
from apps.integrations.connectors.base import RemoteProduct
from apps.shops.models import Shop


def good(number: int = 1, **fields: Any) -> RemoteProduct:
    """One item of a platform's list; any field can be given."""
    defaults = {
        "ext_product_id": f"p{number}",
        "sku": f"HAT-{number}",
        "name": f"Hat {number}",
        "barcodes": (f"871{number:010}",),
        "price": Decimal("19.95"),
        "currency": "EUR",
        "image_src": f"https://pictures.example.com/{number}.jpg",
        "quantity": 7,
    }
    return RemoteProduct(**defaults | fields)


def take_in(shop: Shop, *items: RemoteProduct, run: UUID | None = None, look: int = 1) -> importing.Merged:
    """Merge one page, and check that nothing is left half done."""
    merged = importing.merge(shop, [importing.sort_out(items)], run=run or uuid4(), look=look)
    check(shop.organization)
    return merged


def read(shop: Shop, *pages: Sequence[RemoteProduct]) -> int:
    """Read a whole list and remove what it does not have. Returns how many listings went."""
    run = uuid4()
    for page in pages:
        take_in(shop, *page, run=run)
    removed = importing.remove_unseen(shop, run=run)
    importing.forget_sightings(run)
    check(shop.organization)
    return removed


def listed(shop: Shop) -> set[RemoteProduct]:
    """What the shop lists now, in the words of the seam."""
    names = RemoteProduct.__slots__
    rows = Listing.objects.filter(shop=shop).current().values(*names)
    return {RemoteProduct(**row | {name: tuple(row[name]) for name in ("barcodes", "tags")}) for row in rows}


def skus(products: Iterable[Product]) -> list[str]:
    return sorted(product.sku for product in products)


def check(organization: Organization) -> None:
    """A listing's product has its SKU, or the SKU its pair names, unless a person linked it.

    A listed product has one describer and its texts; an unlisted one is archived.
    """
    pairs = SkuPair.objects.filter(organization=organization).values_list("integration", "first", "second")
    ours = {(integration, first): second for integration, first, second in pairs}
    for product in Product.objects.filter(organization=organization).prefetch_related("listings__shop"):
        current = [listing for listing in product.listings.all() if listing.removed_at is None]
        named = {(listing.shop.integration_id, listing.sku) for listing in current if not listing.by_hand}
        assert {ours.get(name, name[1]) for name in named} <= {product.sku}
        assert (product.archived_at is None) == bool(current)
        describers = [listing for listing in product.listings.all() if listing.describes_product]
        assert len(describers) == bool(current)
        for listing in describers:
            assert listing.removed_at is None
            assert [getattr(product, name) for name in importing.DESCRIBED] == [
                getattr(listing, name) for name in importing.DESCRIBED
            ]


def rows_updated(table: str) -> int:
    """PostgreSQL's own count of the rows ever updated in a table. Needs a test outside a transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute("SELECT n_tup_upd FROM pg_stat_user_tables WHERE relname = %s", [table])
        return cursor.fetchone()[0]
