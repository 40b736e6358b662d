"""Which product the listings of an integration belong to when its mapping says something new, and moving them there.

What somebody linked by hand stays; what nobody linked yet follows the mapping.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from apps.integrations.models import Integration

from .linking import DESCRIBED, link, lock, of, told, unlink
from .models import Listing

type Wanted = Mapping[str, str]  # our SKU for each of theirs that is looked at


class Move(NamedTuple):
    """A listing that belongs elsewhere: `after` is None where there is no product of our SKU (yet).

    Then it becomes one where its shop `creates` products, else it waits in the worklist.
    """

    listing: int
    shop: UUID
    sku: str
    ours: str
    before: int | None
    after: int | None
    creates: bool

    @property
    def becomes_product(self) -> bool:
        return self.after is None and self.creates


def moves(integration: Integration, wanted: Wanted) -> list[Move]:
    """The current listings of these SKUs that stand for another product than they are wanted to; one statement."""
    names: dict[str, Any] = {
        "organization": integration.organization_id,
        "integration": integration.pk,
        "theirs": list(wanted),
        "ours": list(wanted.values()),
    }
    with connection.cursor() as cursor:
        cursor.execute(MOVES, names)
        return [Move(*row) for row in cursor.fetchall()]


def relink(integration: Integration, wanted: Wanted) -> list[Move]:
    """Move them. Inside a transaction; O(1) statements. Returns the moves as they were done."""
    with connection.cursor() as cursor:
        lock(cursor, integration.organization_id)
    done = _with_products(integration, moves(integration, wanted))
    organization = integration.organization
    link(organization, [(move.listing, move.after) for move in done if move.after], by_hand=False)
    unlink(organization, [move.listing for move in done if move.after is None], by_hand=False)
    return done


def _with_products(integration: Integration, found: list[Move]) -> list[Move]:
    made = make_products(integration, [(move.listing, move.ours) for move in found if move.becomes_product])
    return [move._replace(after=made[move.ours]) if move.becomes_product else move for move in found]


def make_products(integration: Integration, wanted: Iterable[tuple[int, str]]) -> dict[str, int]:
    """A new product for each of these SKUs, described by the first listing (by id) given for it; those by SKU.

    A SKU that has a product keeps it. The caller holds the organization's lock, and links the listings.
    """
    listings, skus = zip(*pairs, strict=True) if (pairs := list(wanted)) else ((), ())
    if not listings:
        return {}
    names: dict[str, Any] = {
        "organization": integration.organization_id,
        "listings": list(listings),
        "skus": list(skus),
    }
    with connection.cursor() as cursor:
        cursor.execute(MAKE, names)
        cursor.execute(NAMED, names)
        return dict(cursor.fetchall())


def listings_of(integration: Integration, skus: Iterable[str]) -> list[tuple[int, str]]:
    """Id and SKU of the current listings that stand for nothing, of these SKUs of theirs."""
    found = Listing.objects.current().filter(
        organization=integration.organization_id, shop__integration=integration, product=None, sku__in=list(skus)
    )
    return list(found.order_by("pk").values_list("pk", "sku"))


MOVES = """
SELECT listing.id, listing.shop_id, listing.sku, wanted.ours, listing.product_id, product.id, shop.creates_products
FROM unnest(%(theirs)s::text[], %(ours)s::text[]) AS wanted (theirs, ours)
JOIN shops_shop shop ON shop.organization_id = %(organization)s AND shop.integration_id = %(integration)s
JOIN catalog_listing listing ON listing.organization_id = %(organization)s AND listing.shop_id = shop.id
    AND listing.sku = wanted.theirs AND listing.removed_at IS NULL
LEFT JOIN catalog_product product ON product.organization_id = %(organization)s AND product.sku = wanted.ours
WHERE (listing.product_id IS NULL OR NOT listing.by_hand)
  AND (listing.product_id IS DISTINCT FROM product.id OR product.id IS NULL AND shop.creates_products)
ORDER BY listing.sku, listing.id
"""

MAKE = f"""
WITH made AS (
    INSERT INTO catalog_product (organization_id, sku, {", ".join(DESCRIBED)}, created_at, updated_at)
    SELECT DISTINCT ON (wanted.sku) listing.organization_id, wanted.sku, {of("listing", DESCRIBED)}, now(), now()
    FROM unnest(%(listings)s::bigint[], %(skus)s::text[]) AS wanted (listing, sku)
    JOIN catalog_listing listing ON listing.id = wanted.listing AND listing.organization_id = %(organization)s
    ORDER BY wanted.sku, listing.id
    ON CONFLICT (organization_id, sku) DO NOTHING
    RETURNING organization_id, id, version
)
{told("product.created", of="made")}
"""

NAMED = "SELECT sku, id FROM catalog_product WHERE organization_id = %(organization)s AND sku = ANY(%(skus)s)"
