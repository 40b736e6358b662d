"""What PostgreSQL can do with the same rows and nothing around it: the limits the engine is held against.

The rows are serialised before the clock starts, travel in one COPY, and are merged by one statement per table in one
transaction: into the product's own tables, or into bare ones with the same columns and indexes, but no foreign keys.
"""

from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from apps.catalog.models import Listing, Product

DESCRIBED = "name, barcode, price, currency, image_src"


@dataclass(frozen=True)
class Tables:
    product: str
    listing: str


OWN = Tables(Product._meta.db_table, Listing._meta.db_table)
BARE = Tables("bare_product", "bare_listing")

STAGE = """
CREATE TEMPORARY TABLE IF NOT EXISTS stage (
    ext_product_id text, sku text, name text, barcode text, price numeric(19, 4), currency text, image_src text,
    quantity integer
) ON COMMIT DELETE ROWS
"""

PUT_PRODUCTS = """
INSERT INTO {product} (organization_id, sku, name, barcode, price, currency, image_src, created_at, updated_at)
SELECT %(organization)s, sku, name, barcode, price, currency, image_src, now(), now() FROM stage
ON CONFLICT (organization_id, sku) DO UPDATE
SET name = excluded.name, barcode = excluded.barcode, price = excluded.price, currency = excluded.currency,
    image_src = excluded.image_src, updated_at = now()
"""

PUT_LISTINGS = """
INSERT INTO {listing} (
    organization_id, shop_id, product_id, ext_product_id, ext_variant_id, sku, name, barcode, price, currency,
    image_src, quantity, status, describes_product, order_sync_enabled, stock_sync_enabled, created_at, updated_at
)
SELECT %(organization)s, %(shop)s, product.id, stage.ext_product_id, '', stage.sku, stage.name, stage.barcode,
       stage.price, stage.currency, stage.image_src, stage.quantity, 'linked', true, true, true, now(), now()
FROM stage JOIN {product} product ON product.organization_id = %(organization)s AND product.sku = stage.sku
ON CONFLICT (organization_id, shop_id, ext_product_id, ext_variant_id) DO UPDATE
SET sku = excluded.sku, name = excluded.name, barcode = excluded.barcode, price = excluded.price,
    currency = excluded.currency, image_src = excluded.image_src, quantity = excluded.quantity, updated_at = now()
"""

COUNT_DIFFERENT = """
SELECT count(*) FROM stage WHERE NOT EXISTS (
    SELECT FROM {listing} listing
    WHERE listing.organization_id = %(organization)s AND listing.shop_id = %(shop)s
      AND listing.ext_product_id = stage.ext_product_id AND listing.ext_variant_id = ''
      AND (listing.sku, listing.name, listing.barcode, listing.price, listing.currency, listing.image_src,
           listing.quantity)
          IS NOT DISTINCT FROM
          (stage.sku, stage.name, stage.barcode, stage.price, stage.currency, stage.image_src, stage.quantity)
)
"""


def make_bare_tables() -> None:
    with connection.cursor() as cursor:
        for bare, own in ((BARE.product, OWN.product), (BARE.listing, OWN.listing)):
            cursor.execute(f"DROP TABLE IF EXISTS {bare}")
            cursor.execute(f"CREATE TABLE {bare} (LIKE {own} INCLUDING DEFAULTS INCLUDING IDENTITY INCLUDING INDEXES)")


@transaction.atomic
def put(copied: bytes, names: dict[str, Any], *, tables: Tables = OWN) -> None:
    """Make or rewrite every row."""
    with connection.cursor() as cursor:
        _stage(cursor, copied)
        for statement in (PUT_PRODUCTS, PUT_LISTINGS):
            cursor.execute(statement.format(product=tables.product, listing=tables.listing), names)


@transaction.atomic
def compare(copied: bytes, names: dict[str, Any], *, tables: Tables = OWN) -> int:
    """How many rows differ from what there is."""
    with connection.cursor() as cursor:
        _stage(cursor, copied)
        cursor.execute(COUNT_DIFFERENT.format(listing=tables.listing), names)
        return cursor.fetchone()[0]


def _stage(cursor: CursorWrapper, copied: bytes) -> None:
    cursor.execute(STAGE)
    with cursor.copy("COPY stage FROM STDIN") as copy:
        copy.write(copied)
