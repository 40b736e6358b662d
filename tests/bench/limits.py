"""What PostgreSQL can do with the same rows and nothing around it: the limits the engine is held against.

The rows are serialised before the clock starts, travel in one COPY, and are merged by one statement per table in one
transaction, into the product's own tables with all their keys and indexes.
"""

from typing import Any

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from apps.catalog import importing
from apps.catalog.linking import DESCRIBED, of, take
from apps.shops.models import Connection

from . import catalogue

COLUMNS = ", ".join((*importing.TEXTS, *importing.NUMBERS))
STAGE = importing.ARRIVED.replace("arrived", "stage").replace("position integer, ", "")
TEXTS = ", ".join(DESCRIBED)
LISTED = ", ".join(importing.LISTED)

PUT_PRODUCTS = f"""
INSERT INTO catalog_product (organization_id, sku, {TEXTS}, created_at, updated_at)
SELECT %(organization)s, sku, {TEXTS}, now(), now() FROM stage
ON CONFLICT (organization_id, sku) DO UPDATE SET {take(DESCRIBED, source="excluded")}, updated_at = now()
"""

PUT_LISTINGS = f"""
INSERT INTO catalog_listing (
    organization_id, shop_id, product_id, ext_product_id, ext_variant_id, {LISTED},
    status, describes_product, order_sync_enabled, stock_sync_enabled, created_at, updated_at
)
SELECT %(organization)s, %(shop)s, product.id, stage.ext_product_id, '', {of("stage", importing.LISTED)},
       'linked', true, true, true, now(), now()
FROM stage JOIN catalog_product product ON product.organization_id = %(organization)s AND product.sku = stage.sku
ON CONFLICT (organization_id, shop_id, ext_product_id, ext_variant_id) DO UPDATE
SET {take(importing.LISTED, source="excluded")}, updated_at = now()
"""

COUNT_DIFFERENT = f"""
SELECT count(*) FROM stage WHERE NOT EXISTS (
    SELECT FROM catalog_listing listing
    WHERE listing.organization_id = %(organization)s AND listing.shop_id = %(shop)s
      AND listing.ext_product_id = stage.ext_product_id AND listing.ext_variant_id = ''
      AND ({of("listing", importing.LISTED)}) IS NOT DISTINCT FROM ({of("stage", importing.LISTED)})
)
"""


def serialised(pages: dict[int, bytes]) -> bytes:
    """These pages in COPY's text format."""
    read = (importing.sort_out(catalogue.products(body).items) for body in pages.values())
    return "".join(line for page in read for line in page.lines.values()).encode()


@transaction.atomic
def put(copied: bytes, store: Connection) -> None:
    """Make or rewrite every row."""
    with connection.cursor() as cursor:
        _stage(cursor, copied)
        for statement in (PUT_PRODUCTS, PUT_LISTINGS):
            cursor.execute(statement, _names(store))


@transaction.atomic
def compare(copied: bytes, store: Connection) -> int:
    """How many rows differ from what there is."""
    with connection.cursor() as cursor:
        _stage(cursor, copied)
        cursor.execute(COUNT_DIFFERENT, _names(store))
        return cursor.fetchone()[0]


def _stage(cursor: CursorWrapper, copied: bytes) -> None:
    cursor.execute(STAGE)
    with cursor.copy(f"COPY stage ({COLUMNS}) FROM STDIN") as copy:
        copy.write(copied)


def _names(store: Connection) -> dict[str, Any]:
    return {"organization": store.organization_id, "shop": store.shop_id}
