"""Bringing pages of a platform's catalogue in: set-based, writing only rows that differ.

A page travels to the database as one JSON document, twice at most: to be looked up, and, as far as it differs, to be
put. Products are unique by SKU in an organization; of several listings of a product the first one describes it, so that
two that disagree do not overwrite each other for ever. Whatever listings come, change or go, their products are settled
in the same transaction: a listed product has one describer and its texts, an unlisted one is archived.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from apps.integrations.connectors.base import LONGEST_ID, BadItem, RemoteProduct, is_storable
from apps.shops.models import Shop

LONGEST_NAME = 2_000
LONGEST_ADDRESS = 4_000
LONGEST_CURRENCY = 3
HIGHEST_PRICE = Decimal(10) ** 15 - 1
LARGEST_QUANTITY = 2**31

DESCRIBED = (
    "name", "barcodes", "price", "currency", "image_src", "weight", "length", "width", "height", "hs_code",
    "country_of_origin", "brand", "type", "tags",
)  # fmt: skip
LISTED = ("sku", *DESCRIBED, "quantity")

type Row = dict[str, Any]
type Names = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Merged:
    """What a page did to the listings of its shop. `repeated`: this look at the list met the same page before."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    repeated: bool = False


class Found(NamedTuple):
    """What there is for the row at a position: its listing, the product that has now, and the product of the SKU."""

    position: int
    is_same: bool | None
    listing: int | None
    leaves: int | None
    joins: int | None


@dataclass(frozen=True, slots=True)
class Sorted:
    """A page's items: rows to store, why others cannot be stored, and the `ext_product_id` of those others."""

    rows: list[Row]
    bad: list[BadItem]
    unread: list[str]


def sort_out(items: Iterable[RemoteProduct]) -> Sorted:
    """Tell apart what can be stored. An item met twice in a page is stored once."""
    rows: dict[tuple[str, str], Row] = {}
    bad: list[BadItem] = []
    unread: list[str] = []
    for item in items:
        if problem := _problem(item):
            bad.append(BadItem(legible(item.sku.strip() or item.ext_product_id, most=LONGEST_ID), problem))
            unread.append(item.ext_product_id)
        else:
            rows.setdefault((item.ext_product_id, item.ext_variant_id), _row(item, position=len(rows)))
    return Sorted(list(rows.values()), bad, unread)


def legible(text: str, *, most: int) -> str:
    """As much of a text as the database can hold; NUL and half surrogate pairs show as question marks."""
    return text[:most].encode(errors="replace").decode().replace("\x00", "?")


def _row(item: RemoteProduct, *, position: int) -> Row:
    return {
        "position": position,
        "ext_product_id": item.ext_product_id,
        "ext_variant_id": item.ext_variant_id,
        "sku": item.sku,
        "name": item.name,
        "barcodes": item.barcodes,
        "price": None if item.price is None else str(round(item.price, 4)),
        "currency": item.currency,
        "image_src": item.image_src,
        "weight": _exact(item.weight),
        "length": _exact(item.length),
        "width": _exact(item.width),
        "height": _exact(item.height),
        "hs_code": item.hs_code,
        "country_of_origin": item.country_of_origin,
        "brand": item.brand,
        "type": item.type,
        "tags": item.tags,
        "quantity": item.quantity,
    }


def _exact(measure: Decimal | None) -> str | None:
    return None if measure is None else str(round(measure, 3))


def _problem(item: RemoteProduct) -> str:
    """Why this item cannot be stored; empty when it can. Texts are kept byte for byte or not at all."""
    ids = (item.ext_product_id, item.ext_variant_id, item.sku, *item.barcodes)
    if not is_storable("".join((*ids, item.name, item.currency, item.image_src))):
        return "unstorable_text"
    if not item.ext_product_id or not item.sku.strip():
        return "no_sku"
    if not item.name.strip():
        return "no_name"
    if max(map(len, ids)) > LONGEST_ID or len(item.name) > LONGEST_NAME:
        return "too_long"
    if len(item.image_src) > LONGEST_ADDRESS or len(item.currency) > LONGEST_CURRENCY:
        return "too_long"
    if item.price is not None and not (item.price.is_finite() and 0 <= item.price <= HIGHEST_PRICE):
        return "bad_price"
    if item.quantity is not None and not -LARGEST_QUANTITY <= item.quantity < LARGEST_QUANTITY:
        return "bad_quantity"
    return ""


@transaction.atomic(savepoint=False)
def merge(shop: Shop, rows: Sequence[Row], *, run: UUID, look: int = 1, unread: Iterable[str] = ()) -> Merged:
    """Make products and listings of these rows. Rows that are as they were are not written.

    `unread` are `ext_product_id` or SKU of items that are listed but cannot be read: they stay as they are.
    """
    names: Names = {"organization": shop.organization_id, "shop": shop.pk, "run": run, "look": look}
    with connection.cursor() as cursor:
        page = json.dumps(rows)
        cursor.execute(LOOK_UP, names | {"page": page})
        found = [Found(*answer) for answer in cursor.fetchall()]
        different = [one for one in found if not one.is_same]
        listings = [one.listing for one in found if one.is_same and one.listing]
        if different:
            if listings:
                page = json.dumps([rows[one.position] for one in different])
            listings += _put(cursor, page, different, names)
        if refs := [ref for ref in unread if is_storable(ref)]:
            cursor.execute(LISTED_AS, names | {"refs": refs})
            listings += [listing for (listing,) in cursor.fetchall()]
        repeated = not _note(cursor, sorted(listings), names)
    created = sum(one.listing is None for one in different)
    return Merged(created, len(different) - created, len(found) - len(different), repeated)


def _note(cursor: CursorWrapper, listings: list[int], names: Names) -> bool:
    """That this look met these listings on one page. False when it had noted just that before."""
    met = json.dumps(listings)
    return bool(_count(cursor, NOTE_SIGHTING, names | {"mark": sha256(met.encode()).hexdigest(), "listings": met}))


def _put(cursor: CursorWrapper, page: str, different: Sequence[Found], names: Names) -> list[int]:
    """Write a page of rows that are all new or different, and settle their products. Returns the listings."""
    cursor.execute(LOCK_ORGANIZATION, names)
    cursor.execute(PUT, names | {"page": page})
    listings, products = zip(*cursor.fetchall(), strict=True)
    known = {product for one in different for product in (one.leaves, one.joins) if product}
    if known or any(one.listing for one in different):  # otherwise all is new, and was put as it has to be
        _settle(cursor, "= ANY(%(products)s)", {"products": list(known.union(products))})
    return list(listings)


def _settle(cursor: CursorWrapper, products: str, names: Names) -> None:
    """Give these products the describer, the texts and the place in the archive that their listings ask for."""
    for statement in (APPOINT_DESCRIBERS, DESCRIBE_PRODUCTS, ARCHIVE_UNLISTED):
        cursor.execute(statement.format(products=products), names)


def _count(cursor: CursorWrapper, statement: str, names: Names) -> int:
    cursor.execute(statement, names)
    return cursor.rowcount


@transaction.atomic(savepoint=False)
def remove_unseen(shop: Shop, *, run: UUID) -> int:
    """After a complete run: listings it did not meet are gone at the platform. Returns how many."""
    names = {"organization": shop.organization_id, "shop": shop.pk, "run": run}
    with connection.cursor() as cursor:
        cursor.execute(LOCK_ORGANIZATION, names)
        removed = _count(cursor, REMOVE_UNSEEN, names)
        if removed:
            _settle(cursor, OF_REMOVED, names)
    return removed


def count_unseen(shop: Shop, *, run: UUID) -> tuple[int, int]:
    """How many current listings the run did not meet, and how many there are."""
    with connection.cursor() as cursor:
        cursor.execute(COUNT_UNSEEN, {"organization": shop.organization_id, "shop": shop.pk, "run": run})
        return cursor.fetchone()


def forget_sightings(run: UUID) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM catalog_sighting WHERE run = %s", [run])


def _take(columns: Sequence[str], *, source: str) -> str:
    return ", ".join(f"{column} = {source}.{column}" for column in columns)


def _of(table: str, columns: Sequence[str]) -> str:
    return ", ".join(f"{table}.{column}" for column in columns)


PAGE = """
page AS MATERIALIZED (
    SELECT * FROM json_to_recordset(%(page)s::json) AS page (
        position integer, ext_product_id text, ext_variant_id text, sku text, name text, barcodes varchar[],
        price numeric(19, 4), currency text, image_src text, weight numeric(12, 3), length numeric(12, 3),
        width numeric(12, 3), height numeric(12, 3), hs_code text, country_of_origin text, brand text, type text,
        tags varchar[], quantity integer
    )
)
"""

THE_LISTING = """
    listing.organization_id = %(organization)s AND listing.shop_id = %(shop)s
    AND listing.ext_product_id = page.ext_product_id AND listing.ext_variant_id = page.ext_variant_id
"""
THE_PRODUCT = "product.organization_id = %(organization)s AND product.sku = page.sku"

# Looked up row by row: straight after a first load there are no statistics, and a join would be planned to read the
# whole shop for every page.
LOOK_UP = f"""
WITH {PAGE}
SELECT page.position, known.is_same, known.id, known.product_id,
       CASE WHEN known.is_same THEN NULL ELSE (SELECT id FROM catalog_product product WHERE {THE_PRODUCT}) END
FROM page
LEFT JOIN LATERAL (
    SELECT listing.id, listing.product_id,
           listing.removed_at IS NULL AND product.archived_at IS NULL
           AND ({_of("listing", LISTED)}) IS NOT DISTINCT FROM ({_of("page", LISTED)})
           AND (
               NOT listing.describes_product
               OR ({_of("product", DESCRIBED)}) IS NOT DISTINCT FROM ({_of("page", DESCRIBED)})
           ) AS is_same
    FROM catalog_listing listing LEFT JOIN catalog_product product ON product.id = listing.product_id
    WHERE {THE_LISTING}
    LIMIT 1
) known ON true
"""

# Two shops of an organization may list the same products: without an order they would deadlock, or appoint twice.
LOCK_ORGANIZATION = "SELECT FROM accounts_organization WHERE id = %(organization)s FOR NO KEY UPDATE"

# A listing whose SKU changed moves to the other product, and describes neither until it is appointed again.
PUT = f"""
WITH {PAGE}, new AS (
    INSERT INTO catalog_product (organization_id, sku, {", ".join(DESCRIBED)}, created_at, updated_at)
    SELECT DISTINCT ON (sku) %(organization)s, sku, {", ".join(DESCRIBED)}, now(), now()
    FROM page
    ORDER BY sku, position
    ON CONFLICT (organization_id, sku) DO NOTHING
    RETURNING id, sku
), placed AS MATERIALIZED (
    SELECT page.*, new.id IS NOT NULL AS is_new,
           COALESCE(new.id, (SELECT id FROM catalog_product product WHERE {THE_PRODUCT})) AS product_id
    FROM page LEFT JOIN new ON new.sku = page.sku
)
INSERT INTO catalog_listing (
    organization_id, shop_id, product_id, ext_product_id, ext_variant_id, {", ".join(LISTED)},
    status, describes_product, order_sync_enabled, stock_sync_enabled, created_at, updated_at
)
SELECT %(organization)s, %(shop)s, product_id, ext_product_id, ext_variant_id, {", ".join(LISTED)}, 'linked',
       row_number() OVER (PARTITION BY product_id ORDER BY position) = 1 AND (
           is_new OR (
               SELECT count(*) = 0 FROM catalog_listing other
               WHERE other.product_id = placed.product_id AND other.describes_product
           )
       ),
       true, true, now(), now()
FROM placed
ORDER BY position
ON CONFLICT (organization_id, shop_id, ext_product_id, ext_variant_id) DO UPDATE
SET {_take(("product_id", *LISTED), source="excluded")}, removed_at = NULL, updated_at = now(),
    describes_product = catalog_listing.describes_product AND catalog_listing.product_id = excluded.product_id
RETURNING id, product_id
"""

APPOINT_DESCRIBERS = """
UPDATE catalog_listing SET describes_product = true
WHERE id IN (
    SELECT min(id) FILTER (WHERE removed_at IS NULL) FROM catalog_listing
    WHERE product_id {products}
    GROUP BY product_id HAVING NOT bool_or(describes_product)
)
"""

DESCRIBE_PRODUCTS = f"""
UPDATE catalog_product product
SET {_take(DESCRIBED, source="listing")}, archived_at = NULL, updated_at = now()
FROM catalog_listing listing
WHERE product.id {{products}} AND listing.product_id = product.id AND listing.describes_product
  AND (
      product.archived_at IS NOT NULL OR ({_of("product", DESCRIBED)}) IS DISTINCT FROM ({_of("listing", DESCRIBED)})
  )
"""

ARCHIVE_UNLISTED = """
UPDATE catalog_product product SET archived_at = now(), updated_at = now()
WHERE product.id {products} AND product.archived_at IS NULL
  AND (SELECT count(*) FILTER (WHERE removed_at IS NULL) = 0 FROM catalog_listing WHERE product_id = product.id)
"""

LISTED_AS = """
SELECT id FROM catalog_listing
WHERE organization_id = %(organization)s AND shop_id = %(shop)s
  AND (ext_product_id = ANY(%(refs)s) OR sku = ANY(%(refs)s))
"""

NOTE_SIGHTING = """
INSERT INTO catalog_sighting (run, look, mark, organization_id, listings)
VALUES (%(run)s, %(look)s, %(mark)s, %(organization)s, %(listings)s)
ON CONFLICT DO NOTHING
"""

# EXCEPT, because it never becomes a nested loop, whatever the statistics say.
UNSEEN = """
    SELECT id FROM catalog_listing
    WHERE organization_id = %(organization)s AND shop_id = %(shop)s AND removed_at IS NULL
    EXCEPT
    SELECT jsonb_array_elements_text(listings)::bigint FROM catalog_sighting WHERE run = %(run)s
"""

COUNT_UNSEEN = f"""
SELECT (SELECT count(*) FROM ({UNSEEN}) unseen), count(*)
FROM catalog_listing
WHERE organization_id = %(organization)s AND shop_id = %(shop)s AND removed_at IS NULL
"""

REMOVE_UNSEEN = f"""
UPDATE catalog_listing SET removed_at = now(), describes_product = false, updated_at = now() WHERE id IN ({UNSEEN})
"""

OF_REMOVED = """IN (
    SELECT product_id FROM catalog_listing
    WHERE organization_id = %(organization)s AND shop_id = %(shop)s AND removed_at = now()
)"""
