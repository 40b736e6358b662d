"""Which product each listing stands for, and what follows for the products: their describers, texts, archive, events.

A listing's choice of product made by a person stays when its platform is read again (`Listing.by_hand`). Whoever calls
`settle` holds the organization's lock, so that two who settle the same products neither deadlock nor appoint twice.
"""

from collections.abc import Collection, Sequence
from typing import Any

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from apps.accounts.models import Organization

from .models import Publication
from .news import skus_known

DESCRIBED = (
    "name", "barcodes", "price", "currency", "image_src", "weight", "length", "width", "height", "hs_code",
    "country_of_origin", "brand", "type", "tags",
)  # fmt: skip


@transaction.atomic
def link(organization: Organization, pairs: Sequence[tuple[int, int]], *, by_hand: bool = True) -> int:
    """Make each listing (by id) stand for a product (by id), whatever its SKU. Returns how many now stand for another.

    With `by_hand=False` it is no person's choice, and the next reading of the platform may choose again.
    Ids of another organization are nobody's and ignored. What a listing leaves may be archived with it. O(1)
    statements.
    """
    listings, products = zip(*pairs, strict=True) if pairs else ((), ())
    names = {"listings": list(listings), "products": list(products), "by_hand": by_hand}
    return _place(LINK, organization, names)


@transaction.atomic
def unlink(organization: Organization, listings: Collection[int], *, by_hand: bool = True) -> int:
    """Make these listings (by id) stand for no product, until somebody links them again. Returns how many did before.

    They wait in the worklist. A product that no other listing stands for is archived. O(1) statements.
    """
    return _place(UNLINK, organization, {"listings": list(listings), "by_hand": by_hand})


def _place(statement: str, organization: Organization, names: dict[str, Any]) -> int:
    with connection.cursor() as cursor:
        lock(cursor, organization.pk)
        cursor.execute(statement, names | {"organization": organization.pk})
        moved = [(listing, left, joined, sku) for listing, left, joined, sku in cursor.fetchall() if left != joined]
        settle(cursor, {product for _, *both, _ in moved for product in both if product})
        follow([listing for listing, *_ in moved])
    known = {sku for _, _, joined, sku in moved if joined}
    if known and names["by_hand"]:  # else whoever gave the SKUs their meaning says so
        skus_known.send(link, organization=organization.pk, skus=known)
    return len(moved)


def lock(cursor: CursorWrapper, organization: Any) -> None:
    """Wait for whoever else settles products of this organization (by id), until the transaction ends."""
    cursor.execute("SELECT FROM accounts_organization WHERE id = %s FOR NO KEY UPDATE", [organization])


def settle(cursor: CursorWrapper, products: Collection[int]) -> None:
    """Give these products the describer, the texts and the place in the archive that their listings ask for.

    Each product that changes by it gets its next version and an event.
    """
    if products:
        for statement in (APPOINT_DESCRIBERS, DESCRIBE_PRODUCTS, ARCHIVE_UNLISTED):
            cursor.execute(statement, {"products": list(products)})


def follow(moved: Collection[int]) -> None:
    """Tell the platforms of these listings the stock of their new products; of none, nothing any more."""
    if moved:
        told = Publication.objects.filter(listing__in=moved)
        told.without_reason().delete()
        told.moved().follow()


def take(columns: Sequence[str], *, source: str) -> str:
    return ", ".join(f"{column} = {source}.{column}" for column in columns)


def of(table: str, columns: Sequence[str]) -> str:
    return ", ".join(f"{table}.{column}" for column in columns)


def told(type: str, *, of: str) -> str:
    """Events of the products in a part of a statement that returns `organization_id`, `id` and `version`."""
    return f"""
    INSERT INTO webhooks_event (organization_id, type, entity, entity_id, sequence)
    SELECT organization_id, '{type}', 'product', id::text, version FROM {of}
    """


LINK = """
WITH chosen AS (
    SELECT DISTINCT ON (listing) listing, product
    FROM unnest(%(listings)s::bigint[], %(products)s::bigint[]) WITH ORDINALITY AS pair (listing, product, position)
    ORDER BY listing, position
)
UPDATE catalog_listing listing
SET product_id = product.id, status = 'linked', by_hand = %(by_hand)s, updated_at = now(),
    describes_product = listing.describes_product AND listing.product_id = product.id
FROM chosen, catalog_product product, catalog_listing before
WHERE listing.id = chosen.listing AND before.id = listing.id AND product.id = chosen.product
  AND listing.organization_id = %(organization)s AND product.organization_id = %(organization)s
RETURNING listing.id, before.product_id, listing.product_id, listing.sku
"""

UNLINK = """
UPDATE catalog_listing listing
SET product_id = NULL, status = 'unlinked', by_hand = %(by_hand)s, describes_product = false, updated_at = now()
FROM catalog_listing before
WHERE listing.id = ANY(%(listings)s) AND before.id = listing.id AND listing.organization_id = %(organization)s
RETURNING listing.id, before.product_id, listing.product_id, listing.sku
"""

APPOINT_DESCRIBERS = """
UPDATE catalog_listing SET describes_product = true
WHERE id IN (
    SELECT min(id) FILTER (WHERE removed_at IS NULL) FROM catalog_listing
    WHERE product_id = ANY(%(products)s)
    GROUP BY product_id HAVING NOT bool_or(describes_product)
)
"""

DESCRIBE_PRODUCTS = f"""
WITH changed AS (
    UPDATE catalog_product product
    SET {take(DESCRIBED, source="listing")}, archived_at = NULL, updated_at = now(), version = version + 1
    FROM catalog_listing listing
    WHERE product.id = ANY(%(products)s) AND listing.product_id = product.id AND listing.describes_product
      AND (
          product.archived_at IS NOT NULL OR ({of("product", DESCRIBED)}) IS DISTINCT FROM ({of("listing", DESCRIBED)})
      )
    RETURNING product.organization_id, product.id, product.version
)
{told("product.updated", of="changed")}
"""

ARCHIVE_UNLISTED = f"""
WITH changed AS (
    UPDATE catalog_product product SET archived_at = now(), updated_at = now(), version = version + 1
    WHERE product.id = ANY(%(products)s) AND product.archived_at IS NULL
      AND (SELECT count(*) FILTER (WHERE removed_at IS NULL) = 0 FROM catalog_listing WHERE product_id = product.id)
    RETURNING product.organization_id, product.id, product.version
)
{told("product.archived", of="changed")}
"""
