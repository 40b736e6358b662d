"""Bringing pages of a platform's catalogue in: set-based, writing only rows that differ.

Pages travel to the database as one COPY into a temporary table, are looked up there, and put as far as they differ.
Products are unique by SKU in an organization; of several listings of a product the first one describes it, so that two
that disagree do not overwrite each other for ever. Whatever listings come, change or go, their products are settled in
the same transaction (`linking.settle`), and every change of a product is an event.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from hashlib import sha256
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from apps.integrations.connectors.base import LONGEST_ID, BadItem, RemoteProduct, is_storable
from apps.shops.models import Shop

from . import mapping, stocking
from .linking import DESCRIBED, follow, lock, of, settle, take, told
from .models import HeldReport
from .news import skus_known

LONGEST_NAME = 2_000
LONGEST_ADDRESS = 4_000
LONGEST_CURRENCY = 3
LONGEST_HS_CODE = 20
HIGHEST_PRICE = Decimal(10) ** 15 - 1
LARGEST_MEASURE = Decimal(10) ** 9 - 1  # grams or millimetres
LARGEST_QUANTITY = 2**31
FEW = 500  # whose SKUs are told one by one
LONGEST = (LONGEST_NAME, LONGEST_CURRENCY, LONGEST_ADDRESS, LONGEST_HS_CODE)  # a country has a code of its own

TEXTS = (
    "ext_product_id", "ext_variant_id", "sku", "name", "currency", "image_src", "hs_code", "country_of_origin", "brand",
    "type", "barcodes", "tags",
)  # fmt: skip
NUMBERS = ("price", "weight", "length", "width", "height", "quantity")
EMPTY_ARRAY = "{}"
LISTED = ("sku", *DESCRIBED, "quantity")

type Names = dict[str, Any]
type Key = tuple[str, str]  # a platform's id of a product, and of its variant


@dataclass(frozen=True, slots=True)
class Merged:
    """What pages did to the listings of their shop. `repeated`: this look at the list met one of them before.

    `met` are the ids of each page's listings, as JSON; empty unless a run asked for it.
    """

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    repeated: bool = False
    met: Sequence[str] = field(default=(), compare=False)


class Found(NamedTuple):
    """What there is for an arrived row: whether it says the same, its listing, and the product that stands for."""

    position: int
    is_same: bool | None
    listing: int | None
    product: int | None
    by_hand: bool | None


class Put(NamedTuple):
    """A listing as it is now."""

    ext_product_id: str
    ext_variant_id: str
    listing: int
    product: int | None
    is_new: bool


@dataclass(frozen=True, slots=True)
class Sorted:
    """A page's items: lines to COPY, why others cannot be stored, and what the platform calls those others.

    `unread` are `ext_product_id` or SKU of items that are listed but cannot be read: they stay as they are.
    """

    lines: dict[Key, str]
    bad: list[BadItem]
    unread: list[str]


def sort_out(items: Iterable[RemoteProduct]) -> Sorted:
    """Tell apart what can be stored. An item met twice in a page is stored once."""
    lines: dict[Key, str] = {}
    bad: list[BadItem] = []
    unread: list[str] = []
    for item in items:
        if problem := _problem(item):
            bad.append(BadItem(legible(item.sku.strip() or item.ext_product_id, most=LONGEST_ID), problem))
            unread.append(item.ext_product_id)
        else:
            lines.setdefault((item.ext_product_id, item.ext_variant_id), _line(item))
    return Sorted(lines, bad, unread)


def legible(text: str, *, most: int) -> str:
    """As much of a text as the database can hold; NUL and half surrogate pairs show as question marks."""
    return text[:most].encode(errors="replace").decode().replace("\x00", "?")


def _line(item: RemoteProduct) -> str:
    """The item in COPY's text format: TEXTS, then NUMBERS."""
    texts = (
        item.ext_product_id, item.ext_variant_id, item.sku, item.name, item.currency, item.image_src, item.hs_code,
        item.country_of_origin, item.brand, item.type, _array(item.barcodes), _array(item.tags),
    )  # fmt: skip
    joined = "\t".join(texts)
    if "\\" in joined or "\n" in joined or "\r" in joined or joined.count("\t") >= len(texts):
        joined = "\t".join(map(_escaped, texts))
    numbers = (
        _number(item.price, 4), _number(item.weight, 3), _number(item.length, 3), _number(item.width, 3),
        _number(item.height, 3), "\\N" if item.quantity is None else str(item.quantity),
    )  # fmt: skip
    return f"{joined}\t{'\t'.join(numbers)}\n"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def _array(texts: Collection[str]) -> str:
    quoted = [text.replace("\\", "\\\\").replace('"', '\\"') for text in texts]
    return '{"' + '","'.join(quoted) + '"}' if quoted else EMPTY_ARRAY


def _number(number: Decimal | None, digits: int) -> str:
    return "\\N" if number is None else str(round(number, digits))


def _problem(item: RemoteProduct) -> str:
    """Why this item cannot be stored; empty when it can. Texts are kept byte for byte or not at all."""
    short = (item.ext_product_id, item.ext_variant_id, item.sku, item.brand, item.type, *item.barcodes, *item.tags)
    others = (item.name, item.currency, item.image_src, item.hs_code, item.country_of_origin)
    if not is_storable("".join((*short, *others))):
        return "unstorable_text"
    if not item.ext_product_id or not item.sku.strip():
        return "no_sku"
    if not item.name.strip():
        return "no_name"
    if max(map(len, short)) > LONGEST_ID or any(len(text) > most for text, most in zip(others, LONGEST, strict=False)):
        return "too_long"
    return _wrong_value(item)


def _wrong_value(item: RemoteProduct) -> str:
    country, measures = item.country_of_origin, (item.weight, item.length, item.width, item.height)
    if country and not (len(country) == 2 and country.isascii() and country.isalpha()):
        return "bad_country"
    if item.price is not None and not (item.price.is_finite() and 0 <= item.price <= HIGHEST_PRICE):
        return "bad_price"
    if any(m is not None and not (m.is_finite() and 0 <= m <= LARGEST_MEASURE) for m in measures):
        return "bad_measure"
    if item.quantity is not None and not -LARGEST_QUANTITY <= item.quantity < LARGEST_QUANTITY:
        return "bad_quantity"
    return ""


@transaction.atomic(savepoint=False)
def merge(
    shop: Shop, pages: Sequence[Sorted], *, run: UUID | None = None, look: int = 1, is_first: bool = False
) -> Merged:
    """Make products and listings of these pages. Rows that are as they were are not written.

    An item on two of the pages counts as on the later. A `run` that reads a whole list has noted what it met, for
    `remove_unseen`. With `is_first` the shop listed nothing when its reading began, so that nothing is looked up that
    can hardly be there. O(1) statements, however many pages.
    """
    lines = {key: line for page in pages for key, line in page.lines.items()}
    pair = dict(zip(("own", "other"), mapping.sides(shop.integration), strict=True))
    names, listings, merged = _names(shop), dict[Key, int](), Merged()
    with connection.cursor() as cursor:
        if is_first:
            _copy(cursor, lines.values())
            new = _put_new(cursor, len(lines), names, pair=pair)
            listings |= new
            merged = Merged(created=len(new))
            lines = {key: line for key, line in lines.items() if key not in new}  # told twice, on pages apart
        if lines:
            known, merged = _merge(cursor, shop, lines, names, pair=pair, so_far=merged)
            listings |= known
        met = [json.dumps(sorted(listings[key] for key in page.lines)) for page in pages] if run else []
        repeated = bool(run) and _note(cursor, pages, met, names | {"run": run, "look": look})
    if merged.created and HeldReport.objects.filter(organization=shop.organization_id).exists():
        stocking.release_held(shop.organization)
    if merged.created or merged.updated:
        skus_known.send(Merged, organization=shop.organization_id, skus=_skus(pages))
    return replace(merged, repeated=repeated, met=met)


def _skus(pages: Sequence[Sorted]) -> set[str] | None:
    """The SKUs of these pages, when they are few, and none was escaped."""
    lines = [line for page in pages for line in page.lines.values()]
    is_plain = len(lines) <= FEW and not any("\\" in line for line in lines)
    return {line.split("\t")[TEXTS.index("sku")] for line in lines} if is_plain else None


def _merge(
    cursor: CursorWrapper, shop: Shop, lines: Mapping[Key, str], names: Names, *, pair: dict[str, str], so_far: Merged
) -> tuple[dict[Key, int], Merged]:
    """Look these lines up, and put those that differ. The listing of each, and what was done."""
    keys = list(lines)
    _copy(cursor, lines.values())
    cursor.execute(LOOK_UP.format(**pair), names)
    found = [Found(*answer) for answer in cursor.fetchall()]
    different = [one for one in found if not one.is_same]
    listings = {keys[one.position]: one.listing for one in found if one.listing}
    if different:
        put = _put(cursor, different, names, pair=pair)
        listings |= {(one.ext_product_id, one.ext_variant_id): one.listing for one in put}
    created = sum(one.listing is None for one in different)
    updated, unchanged = len(different) - created, len(found) - len(different)
    return listings, Merged(so_far.created + created, updated, unchanged)


def _names(shop: Shop) -> Names:
    return {
        "organization": shop.organization_id,
        "shop": shop.pk,
        "integration": shop.integration_id,
        "creates": shop.creates_products,
    }


def _copy(cursor: CursorWrapper, lines: Iterable[str]) -> None:
    cursor.execute(ARRIVED)
    cursor.execute("DELETE FROM arrived")
    with cursor.copy(f"COPY arrived (position, {', '.join((*TEXTS, *NUMBERS))}) FROM STDIN") as copy:
        copy.write("".join([f"{position}\t{line}" for position, line in enumerate(lines)]).encode())


def _put_new(cursor: CursorWrapper, count: int, names: Names, *, pair: dict[str, str]) -> dict[Key, int]:
    """Write all arrived rows whose listings are not there yet, and settle their products. Their listings."""
    lock(cursor, names["organization"])
    cursor.execute(PUT_NEW.format(**pair), names | {"different": list(range(count)), "by_hand": []})
    put = [Put(*answer) for answer in cursor.fetchall()]
    settle(cursor, {one.product for one in put if one.product and not one.is_new})
    return {(one.ext_product_id, one.ext_variant_id): one.listing for one in put}


def _put(cursor: CursorWrapper, different: Sequence[Found], names: Names, *, pair: dict[str, str]) -> list[Put]:
    """Write the arrived rows that are new or different, and settle their products."""
    lock(cursor, names["organization"])
    positions = {
        "different": [one.position for one in different],
        "by_hand": [one.position for one in different if one.by_hand],
    }
    cursor.execute(PUT.format(**pair), names | positions)
    put = [Put(*answer) for answer in cursor.fetchall()]
    left = {one.listing: one.product for one in different if one.listing}
    # What is new, and has only new listings, was put as it has to be.
    known = {one.product for one in put if not one.is_new or one.listing in left}
    settle(cursor, {product for product in known.union(left.values()) if product})
    follow([one.listing for one in put if left.get(one.listing, one.product) != one.product])
    return put


def _note(cursor: CursorWrapper, pages: Sequence[Sorted], met: Sequence[str], names: Names) -> bool:
    """That this look met these listings, a row for a page. True when it had met one of the pages just so before."""
    if refs := [ref for page in pages for ref in page.unread if is_storable(ref)]:
        cursor.execute(LISTED_AS, names | {"refs": refs})
        unread = json.dumps(sorted(listing for (listing,) in cursor.fetchall()))
        cursor.execute(NOTE_SIGHTINGS, names | {"marks": [mark_of(f"unread {unread}")], "met": [unread]})
    full = [listed for page, listed in zip(pages, met, strict=True) if page.lines]
    cursor.execute(NOTE_SIGHTINGS, names | {"marks": [mark_of(listed) for listed in full], "met": full})
    return cursor.rowcount < len(full)


def mark_of(text: str) -> str:
    """What tells a page from all others of its run: `text` are the ids of its listings, as JSON."""
    return sha256(text.encode()).hexdigest()


@transaction.atomic(savepoint=False)
def remove_unseen(shop: Shop, *, run: UUID) -> int:
    """After a complete run: listings it did not meet are gone at the platform. Returns how many."""
    with connection.cursor() as cursor:
        lock(cursor, shop.organization_id)
        cursor.execute(REMOVE_UNSEEN, _names(shop) | {"run": run})
        left = [product for (product,) in cursor.fetchall()]
        settle(cursor, {product for product in left if product})
    return len(left)


def count_unseen(shop: Shop, *, run: UUID) -> tuple[int, int]:
    """How many current listings the run did not meet, and how many there are."""
    with connection.cursor() as cursor:
        cursor.execute(COUNT_UNSEEN, _names(shop) | {"run": run})
        return cursor.fetchone()


def forget_sightings(run: UUID) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM catalog_sighting WHERE run = %s", [run])


ARRIVED = """
CREATE TEMPORARY TABLE IF NOT EXISTS arrived (
    position integer, ext_product_id text, ext_variant_id text, sku text, name text, currency text, image_src text,
    hs_code text, country_of_origin text, brand text, type text, barcodes varchar[], tags varchar[],
    price numeric(19, 4), weight numeric(12, 3), length numeric(12, 3), width numeric(12, 3), height numeric(12, 3),
    quantity integer
) ON COMMIT DELETE ROWS
"""

OURS = """
CASE WHEN (
    SELECT EXISTS (
        SELECT FROM catalog_skupair
        WHERE organization_id = %(organization)s AND integration_id = %(integration)s
    )
) THEN COALESCE((
    SELECT {own} FROM catalog_skupair
    WHERE organization_id = %(organization)s AND integration_id = %(integration)s AND {other} = arrived.sku
), arrived.sku) ELSE arrived.sku END
"""
THE_PRODUCT = "product.organization_id = %(organization)s AND product.sku"

# Looked up row by row: straight after a first load there are no statistics, and a join would be planned to read the
# whole shop for every page.
LOOK_UP = f"""
SELECT arrived.position, known.is_same, known.id, known.product_id, known.by_hand
FROM arrived
LEFT JOIN LATERAL (
    SELECT listing.id, listing.product_id, listing.by_hand,
           listing.removed_at IS NULL AND product.archived_at IS NULL
           AND ({of("listing", LISTED)}) IS NOT DISTINCT FROM ({of("arrived", LISTED)})
           AND (
               NOT listing.describes_product
               OR ({of("product", DESCRIBED)}) IS NOT DISTINCT FROM ({of("arrived", DESCRIBED)})
           )
           AND CASE
               WHEN listing.by_hand THEN true
               WHEN listing.product_id IS NOT NULL THEN product.sku = {OURS}
               ELSE NOT %(creates)s AND (SELECT count(*) = 0 FROM catalog_product product WHERE {THE_PRODUCT} = {OURS})
           END AS is_same
    FROM catalog_listing listing LEFT JOIN catalog_product product ON product.id = listing.product_id
    WHERE listing.organization_id = %(organization)s AND listing.shop_id = %(shop)s
      AND listing.ext_product_id = arrived.ext_product_id AND listing.ext_variant_id = arrived.ext_variant_id
    LIMIT 1
) known ON true
"""

# A listing whose SKU changed moves to the other product, and describes neither until it is appointed again. Positions
# are cast to the column's type: else PostgreSQL would go through all of them for every row, and not hash them.
PUTTING = f"""
WITH page AS MATERIALIZED (
    SELECT arrived.*, {OURS} AS ours, position <> ALL(%(by_hand)s::integer[]) AS is_free
    FROM arrived WHERE position = ANY(%(different)s::integer[])
), new AS (
    INSERT INTO catalog_product (organization_id, sku, {", ".join(DESCRIBED)}, created_at, updated_at)
    SELECT DISTINCT ON (ours) %(organization)s, ours, {", ".join(DESCRIBED)}, now(), now()
    FROM page
    WHERE %(creates)s AND is_free
    ORDER BY ours, position
    ON CONFLICT (organization_id, sku) DO NOTHING
    RETURNING organization_id, id, sku, version
), told AS (
    {told("product.created", of="new")}
), placed AS MATERIALIZED (
    SELECT page.*, new.id IS NOT NULL AS is_new,
           COALESCE(new.id, (SELECT id FROM catalog_product product WHERE {THE_PRODUCT} = page.ours)) AS product_id
    FROM page LEFT JOIN new ON new.sku = page.ours
), put AS (
    INSERT INTO catalog_listing (
        organization_id, shop_id, product_id, ext_product_id, ext_variant_id, {", ".join(LISTED)},
        status, describes_product, order_sync_enabled, stock_sync_enabled, created_at, updated_at
    )
    SELECT %(organization)s, %(shop)s, product_id, ext_product_id, ext_variant_id, {", ".join(LISTED)},
           CASE WHEN product_id IS NULL THEN 'unlinked' ELSE 'linked' END,
           product_id IS NOT NULL AND row_number() OVER (PARTITION BY product_id ORDER BY position) = 1 AND (
               is_new OR (
                   SELECT count(*) = 0 FROM catalog_listing other
                   WHERE other.product_id = placed.product_id AND other.describes_product
               )
           ),
           true, true, now(), now()
    FROM placed
    ORDER BY position
    __CONFLICT__
    RETURNING ext_product_id, ext_variant_id, id, product_id
)
SELECT put.*, new.id IS NOT NULL FROM put LEFT JOIN new ON new.id = put.product_id
"""

PUT_NEW = PUTTING.replace("__CONFLICT__", "ON CONFLICT DO NOTHING")
PUT = PUTTING.replace(
    "__CONFLICT__",
    f"""ON CONFLICT (organization_id, shop_id, ext_product_id, ext_variant_id) DO UPDATE
    SET {take(LISTED, source="excluded")}, removed_at = NULL, updated_at = now(),
        product_id = CASE WHEN catalog_listing.by_hand THEN catalog_listing.product_id ELSE excluded.product_id END,
        status = CASE WHEN catalog_listing.by_hand THEN catalog_listing.status ELSE excluded.status END,
        describes_product = catalog_listing.describes_product
            AND (catalog_listing.by_hand OR catalog_listing.product_id IS NOT DISTINCT FROM excluded.product_id)""",
)

LISTED_AS = """
SELECT id FROM catalog_listing
WHERE organization_id = %(organization)s AND shop_id = %(shop)s
  AND (ext_product_id = ANY(%(refs)s) OR sku = ANY(%(refs)s))
"""

NOTE_SIGHTINGS = """
INSERT INTO catalog_sighting (run, look, mark, organization_id, listings)
SELECT %(run)s, %(look)s, mark, %(organization)s, met::jsonb
FROM unnest(%(marks)s::text[], %(met)s::text[]) AS page (mark, met)
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
UPDATE catalog_listing SET removed_at = now(), describes_product = false, updated_at = now()
WHERE id IN ({UNSEEN})
RETURNING product_id
"""
