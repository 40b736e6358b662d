"""Bringing pages of a platform's catalogue in: set-based, writing only rows that differ.

A page is copied into a temporary table and merged from there in a handful of statements, whatever its size. Products
are unique by SKU in an organization; of several listings of a product the first one describes it, so that two that
disagree do not overwrite each other for ever.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from apps.integrations.connectors.base import BadItem, RemoteProduct
from apps.shops.models import Shop

LONGEST_ID = 255
LONGEST_NAME = 2_000
LONGEST_ADDRESS = 4_000
HIGHEST_PRICE = Decimal(10) ** 15
LARGEST_QUANTITY = 2**31

COLUMNS = (
    "position", "ext_product_id", "ext_variant_id", "sku", "name", "barcode", "price", "currency", "image_src",
    "quantity",
)  # fmt: skip
DESCRIBED = ("name", "barcode", "price", "currency", "image_src")
LISTED = ("sku", *DESCRIBED, "quantity")


@dataclass(frozen=True, slots=True)
class Merged:
    """What a page did to the listings of its shop. `repeated`: the run has seen every item of it before."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    repeated: bool = False


def sort_out(items: Iterable[RemoteProduct]) -> tuple[list[tuple[Any, ...]], list[BadItem]]:
    """Rows to store, and the items that cannot be stored with why. An item met twice in a page is stored once."""
    rows: dict[tuple[str, str], tuple[Any, ...]] = {}
    bad: list[BadItem] = []
    for position, item in enumerate(items):
        if problem := _problem(item):
            bad.append(BadItem((item.sku or item.ext_product_id)[:LONGEST_ID].replace("\x00", ""), problem))
        else:
            rows.setdefault((item.ext_product_id, item.ext_variant_id), _row(position, item))
    return list(rows.values()), bad


def _row(position: int, item: RemoteProduct) -> tuple[Any, ...]:
    price = None if item.price is None else round(item.price, 4)
    return (
        position, item.ext_product_id, item.ext_variant_id, item.sku, item.name, item.barcode, price, item.currency,
        item.image_src, item.quantity,
    )  # fmt: skip


def _problem(item: RemoteProduct) -> str:
    """Why this item cannot be stored; empty when it can. Texts are kept byte for byte or not at all."""
    texts = (item.ext_product_id, item.ext_variant_id, item.sku, item.name, item.barcode, item.image_src)
    if not all(map(_is_storable, texts)):
        return "unstorable_text"
    if not item.ext_product_id or not item.sku.strip():
        return "no_sku"
    if not item.name.strip():
        return "no_name"
    if max(map(len, (item.ext_product_id, item.ext_variant_id, item.sku, item.barcode))) > LONGEST_ID:
        return "too_long"
    if len(item.name) > LONGEST_NAME or len(item.image_src) > LONGEST_ADDRESS or len(item.currency) > 3:
        return "too_long"
    if item.price is not None and not (item.price.is_finite() and 0 <= item.price < HIGHEST_PRICE):
        return "bad_price"
    if item.quantity is not None and not -LARGEST_QUANTITY <= item.quantity < LARGEST_QUANTITY:
        return "bad_quantity"
    return ""


def _is_storable(text: str) -> bool:
    """PostgreSQL's text holds neither NUL nor half of a surrogate pair."""
    return "\x00" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)


@transaction.atomic
def merge(shop: Shop, rows: Sequence[tuple[Any, ...]], *, run: UUID) -> Merged:
    """Make products and listings of these rows. Rows that are as they were are not written."""
    if not rows:
        return Merged()
    names = {"organization": shop.organization_id, "shop": shop.pk, "run": run}
    with connection.cursor() as cursor:
        cursor.execute(PAGE_TABLE)
        with cursor.copy(f"COPY page ({', '.join(COLUMNS)}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        cursor.execute(ADD_PRODUCTS, names)
        cursor.execute(ARCHIVE_LEFT_BEHIND, names)
        cursor.execute(CHANGE_LISTINGS, names)
        updated = cursor.rowcount
        cursor.execute(ADD_LISTINGS, names)
        created = cursor.rowcount
        cursor.execute(APPOINT_DESCRIBERS, names)
        cursor.execute(DESCRIBE_PRODUCTS, names)
        cursor.execute(NOTE_SIGHTINGS, names)
        repeated = cursor.rowcount == 0
    return Merged(created, updated, len(rows) - created - updated, repeated)


@transaction.atomic
def remove_unseen(shop: Shop, *, run: UUID) -> int:
    """After a complete run: listings it did not meet are gone at the platform. Returns how many."""
    names = {"organization": shop.organization_id, "shop": shop.pk, "run": run}
    with connection.cursor() as cursor:
        cursor.execute(REMOVE_UNSEEN, names)
        removed = cursor.rowcount
        cursor.execute(ARCHIVE_UNLISTED, names)
    return removed


def count_unseen(shop: Shop, *, run: UUID) -> tuple[int, int]:
    """How many current listings the run did not meet, and how many there are."""
    with connection.cursor() as cursor:
        cursor.execute(COUNT_UNSEEN, {"organization": shop.organization_id, "shop": shop.pk, "run": run})
        return cursor.fetchone()


def forget_sightings(run: UUID) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM catalog_sighting WHERE run = %s", [run])


def _differ(columns: Sequence[str], *, left: str, right: str) -> str:
    lefts, rights = (", ".join(f"{table}.{column}" for column in columns) for table in (left, right))
    return f"({lefts}) IS DISTINCT FROM ({rights})"


def _take(columns: Sequence[str], *, source: str) -> str:
    return ", ".join(f"{column} = {source}.{column}" for column in columns)


PAGE_TABLE = """
CREATE TEMPORARY TABLE IF NOT EXISTS page (
    position integer, ext_product_id text, ext_variant_id text, sku text, name text, barcode text,
    price numeric(19, 4), currency text, image_src text, quantity integer
) ON COMMIT DELETE ROWS;
TRUNCATE page
"""

ADD_PRODUCTS = f"""
INSERT INTO catalog_product (organization_id, sku, {", ".join(DESCRIBED)}, created_at, updated_at)
SELECT DISTINCT ON (page.sku) %(organization)s, page.sku, {", ".join(f"page.{c}" for c in DESCRIBED)}, now(), now()
FROM page
WHERE NOT EXISTS (
    SELECT FROM catalog_product product WHERE product.organization_id = %(organization)s AND product.sku = page.sku
)
ORDER BY page.sku, page.position
ON CONFLICT (organization_id, sku) DO NOTHING
"""

# A product is left behind when every listing it still has is about to move to another SKU.
ARCHIVE_LEFT_BEHIND = """
WITH moving AS (
    SELECT listing.id, listing.product_id
    FROM page
    JOIN catalog_listing listing
      ON listing.organization_id = %(organization)s AND listing.shop_id = %(shop)s
     AND listing.ext_product_id = page.ext_product_id AND listing.ext_variant_id = page.ext_variant_id
    WHERE listing.sku <> page.sku
)
UPDATE catalog_product product SET archived_at = now(), updated_at = now()
WHERE product.id IN (SELECT product_id FROM moving) AND product.archived_at IS NULL
  AND NOT EXISTS (
      SELECT FROM catalog_listing stays
      WHERE stays.product_id = product.id AND stays.removed_at IS NULL AND stays.id NOT IN (SELECT id FROM moving)
  )
"""

# A listing whose SKU changed moves to the other product, and describes neither until it is appointed again.
CHANGE_LISTINGS = f"""
UPDATE catalog_listing listing
SET {_take(LISTED, source="page")}, product_id = product.id, removed_at = NULL, updated_at = now(),
    describes_product = listing.describes_product AND listing.product_id = product.id
FROM page JOIN catalog_product product ON product.organization_id = %(organization)s AND product.sku = page.sku
WHERE listing.organization_id = %(organization)s AND listing.shop_id = %(shop)s
  AND listing.ext_product_id = page.ext_product_id AND listing.ext_variant_id = page.ext_variant_id
  AND ({_differ(LISTED, left="listing", right="page")} OR listing.removed_at IS NOT NULL)
"""

ADD_LISTINGS = f"""
INSERT INTO catalog_listing (
    organization_id, shop_id, product_id, ext_product_id, ext_variant_id, {", ".join(LISTED)},
    status, describes_product, order_sync_enabled, stock_sync_enabled, created_at, updated_at
)
SELECT %(organization)s, %(shop)s, product.id, page.ext_product_id, page.ext_variant_id,
       {", ".join(f"page.{c}" for c in LISTED)}, 'linked', false, true, true, now(), now()
FROM page JOIN catalog_product product ON product.organization_id = %(organization)s AND product.sku = page.sku
WHERE NOT EXISTS (
    SELECT FROM catalog_listing listing
    WHERE listing.organization_id = %(organization)s AND listing.shop_id = %(shop)s
      AND listing.ext_product_id = page.ext_product_id AND listing.ext_variant_id = page.ext_variant_id
)
ORDER BY page.position
ON CONFLICT DO NOTHING
"""

APPOINT_DESCRIBERS = """
UPDATE catalog_listing listing SET describes_product = true
WHERE listing.id IN (
    SELECT DISTINCT ON (candidate.product_id) candidate.id
    FROM page
    JOIN catalog_listing candidate
      ON candidate.organization_id = %(organization)s AND candidate.shop_id = %(shop)s
     AND candidate.ext_product_id = page.ext_product_id AND candidate.ext_variant_id = page.ext_variant_id
    WHERE NOT EXISTS (
        SELECT FROM catalog_listing other WHERE other.product_id = candidate.product_id AND other.describes_product
    )
    ORDER BY candidate.product_id, candidate.id
)
"""

DESCRIBE_PRODUCTS = f"""
UPDATE catalog_product product
SET {_take(DESCRIBED, source="listing")}, archived_at = NULL, updated_at = now()
FROM page
JOIN catalog_listing listing
  ON listing.organization_id = %(organization)s AND listing.shop_id = %(shop)s
 AND listing.ext_product_id = page.ext_product_id AND listing.ext_variant_id = page.ext_variant_id
WHERE product.id = listing.product_id AND listing.describes_product
  AND ({_differ(DESCRIBED, left="product", right="listing")} OR product.archived_at IS NOT NULL)
"""

NOTE_SIGHTINGS = """
INSERT INTO catalog_sighting (run, organization_id, ext_product_id, ext_variant_id)
SELECT %(run)s, %(organization)s, ext_product_id, ext_variant_id FROM page
ON CONFLICT DO NOTHING
"""

UNSEEN = """
    listing.organization_id = %(organization)s AND listing.shop_id = %(shop)s AND listing.removed_at IS NULL
    AND NOT EXISTS (
        SELECT FROM catalog_sighting sighting
        WHERE sighting.run = %(run)s AND sighting.ext_product_id = listing.ext_product_id
          AND sighting.ext_variant_id = listing.ext_variant_id
    )
"""

COUNT_UNSEEN = f"""
SELECT count(*) FILTER (WHERE {UNSEEN}), count(*)
FROM catalog_listing listing
WHERE listing.organization_id = %(organization)s AND listing.shop_id = %(shop)s AND listing.removed_at IS NULL
"""

REMOVE_UNSEEN = f"""
UPDATE catalog_listing listing SET removed_at = now(), describes_product = false, updated_at = now() WHERE {UNSEEN}
"""

ARCHIVE_UNLISTED = """
UPDATE catalog_product product SET archived_at = now(), updated_at = now()
WHERE product.organization_id = %(organization)s AND product.archived_at IS NULL
  AND EXISTS (SELECT FROM catalog_listing listing WHERE listing.product_id = product.id AND listing.shop_id = %(shop)s)
  AND NOT EXISTS (
      SELECT FROM catalog_listing listing WHERE listing.product_id = product.id AND listing.removed_at IS NULL
  )
"""
