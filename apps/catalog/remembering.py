"""Pages of a list that came before just so: nothing of them has to be read, compared or written again.

What came of a page is kept beside a digest of its bytes. It holds as long as everything its reading followed from is as
it was (the code, the SKU pairs, what a shop may do), and all its listings are still there and linked.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from pathlib import Path
from sys import modules
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Max, Q

from apps.shops.models import Shop

from .importing import Sorted, mark_of
from .models import KnownPage, SkuMapping


class Changed(Exception):
    """Something else has changed what a known page stands for: it has to be read again."""


@dataclass(frozen=True, slots=True)
class Known:
    """What reading a page again would bring."""

    items: int
    next_cursor: str
    total: int | None


@dataclass(frozen=True, slots=True)
class Learnt:
    """A page that was read, and the ids of its listings, as JSON."""

    digest: str
    listings: str
    items: int
    next_cursor: str
    total: int | None


def digest_of(cursor: str, body: bytes) -> str:
    return blake2b(cursor.encode() + b"\0" + body, digest_size=16).hexdigest()


def basis_of(shop: Shop) -> str:
    """What the reading of a shop's pages follows from besides their bytes."""
    newest = SkuMapping.objects.filter(organization=shop.organization_id, integration=shop.integration_id)
    number = newest.aggregate(number=Max("number"))["number"]
    client = shop.integration.kind.client
    return digest_of(f"{shop.creates_products} {number}", _code(client.__module__).encode())


@cache
def _code(module: str) -> str:
    """A digest of the code that reads pages: the connector's folder, and the engine."""
    folder = Path(str(modules[module].__file__)).parent
    files = [*sorted(folder.glob("*.py")), Path(str(modules[Sorted.__module__].__file__))]
    return digest_of("", b"".join(file.read_bytes() for file in files))


def recall(shop: Shop, basis: str) -> dict[str, Known]:
    """The pages known of a shop, by their digest."""
    rows = KnownPage.objects.filter(organization=shop.organization_id, shop=shop, basis=basis)
    pages = rows.values_list("digest", "items", "next_cursor", "total")
    return {digest: Known(items, next_cursor, total) for digest, items, next_cursor, total in pages}


def meet(shop: Shop, digests: Sequence[str], *, run: UUID, look: int) -> bool:
    """Note that a run met these pages again. False when it had met one of them before. Raises Changed."""
    names: dict[str, Any] = {"organization": shop.organization_id, "shop": shop.pk, "digests": list(digests)}
    with connection.cursor() as cursor:
        cursor.execute(MEET, names | {"run": run, "look": look})
        held, noted = cursor.fetchone()
    if held < len(set(digests)):
        raise Changed
    return noted == len(digests)


def learn(shop: Shop, basis: str, pages: Iterable[Learnt]) -> None:
    """Keep these pages in mind, in place of what was known of the same listings."""
    known = [
        KnownPage(
            shop=shop,
            organization_id=shop.organization_id,
            basis=basis,
            digest=page.digest,
            mark=mark_of(page.listings),
            listings=_numbers(page.listings),
            items=page.items,
            next_cursor=page.next_cursor,
            total=page.total,
        )
        for page in pages
    ]
    same = Q(digest__in=[page.digest for page in known]) | Q(mark__in=[page.mark for page in known])
    KnownPage.objects.filter(same, organization=shop.organization_id, shop=shop).delete()
    KnownPage.objects.bulk_create(known)


def _numbers(listings: str) -> list[int]:
    return [int(number) for number in listings.strip("[]").split(",")]


def forget(shop: Shop, digests: Iterable[str]) -> None:
    KnownPage.objects.filter(organization=shop.organization_id, shop=shop, digest__in=list(digests)).delete()


def forget_unmet(shop: Shop, *, run: UUID) -> None:
    """After a complete run: pages it did not meet will not come again."""
    with connection.cursor() as cursor:
        cursor.execute(FORGET_UNMET, {"organization": shop.organization_id, "shop": shop.pk, "run": run})


MEET = """
WITH page AS MATERIALIZED (
    SELECT mark, listings, learnt_at FROM catalog_knownpage
    WHERE organization_id = %(organization)s AND shop_id = %(shop)s AND digest = ANY(%(digests)s)
), held AS MATERIALIZED (
    SELECT * FROM page WHERE jsonb_array_length(listings) = (
        SELECT count(*) FROM jsonb_array_elements_text(page.listings) met (id)
        JOIN catalog_listing listing ON listing.id = met.id::bigint
        WHERE listing.organization_id = %(organization)s AND listing.shop_id = %(shop)s
          AND listing.removed_at IS NULL AND listing.product_id IS NOT NULL
          AND listing.updated_at <= page.learnt_at
    )
), noted AS (
    INSERT INTO catalog_sighting (run, look, mark, organization_id, listings)
    SELECT %(run)s, %(look)s, mark, %(organization)s, listings FROM held
    ON CONFLICT DO NOTHING
    RETURNING mark
)
SELECT (SELECT count(*) FROM held), (SELECT count(*) FROM noted)
"""

FORGET_UNMET = """
DELETE FROM catalog_knownpage known
WHERE organization_id = %(organization)s AND shop_id = %(shop)s
  AND mark NOT IN (SELECT mark FROM catalog_sighting WHERE run = %(run)s)
"""
