"""Lists at depth: page 9,999 of a million beside page 0, a hundred rows each, by keyset."""

import os
import statistics
from collections.abc import Callable, Iterator
from typing import Any

from django.db import connection

from apps.catalog.models import Listing

from . import engine, tables
from .figures import Figure, seconds

PRODUCTS = int(os.environ.get("MANY", 1_000_000))
PAGE = 100
DEPTH = PRODUCTS // PAGE - 1
ASKED = 50  # times each, in turns

MAKE_PRODUCTS = """
INSERT INTO catalog_product (
    organization_id, sku, name, barcodes, currency, image_src, hs_code, country_of_origin, brand, type, tags,
    created_at, updated_at
)
SELECT %(organization)s, 'HAT-' || to_char(n, 'FM0000000'), 'Straw sun hat no. ' || n, '{}', 'EUR', '', '', 'EC',
       'Great Hats', 'sun hat', '{straw}', now(), now()
FROM generate_series(0, %(last)s) n
"""
MAKE_LISTINGS = """
INSERT INTO catalog_listing (
    organization_id, shop_id, product_id, ext_product_id, ext_variant_id, sku, name, barcodes, currency, image_src,
    hs_code, country_of_origin, brand, type, tags, quantity, status, describes_product, order_sync_enabled,
    stock_sync_enabled, created_at, updated_at
)
SELECT %(organization)s, %(shop)s, id, id, '', sku, name, barcodes, currency, image_src, hs_code, country_of_origin,
       brand, type, tags, 7, 'linked', true, true, true, now(), now()
FROM catalog_product
"""


def rounds(rows: int) -> Iterator[list[Figure]]:
    store = engine.connected_store()
    names = {"organization": store.organization_id, "shop": store.shop_id, "last": PRODUCTS - 1}
    with connection.cursor() as cursor:
        cursor.execute(MAKE_PRODUCTS, names)
        cursor.execute(MAKE_LISTINGS, names)
    tables.settle()
    listings = Listing.objects.current().filter(shop=store.shop)
    while True:
        yield [deep("the owner's list: page 0", lambda sku: after(listings, sku))]


def after(listings: Any, sku: str) -> None:
    """The page of a shop's list that follows a SKU, as `linked_page` asks for it."""
    list(listings.filter(sku__gt=sku).order_by("sku", "id")[: PAGE + 1])


def deep(against: str, ask: Callable[[str], Any]) -> Figure:
    """How much longer the page at DEPTH takes, by the medians of questions asked in turns."""
    first, last = "", f"HAT-{DEPTH * PAGE - 1:07}"
    ask(first)
    took = [(seconds(ask, last), seconds(ask, first)) for _ in range(ASKED)]
    deep, shallow = (statistics.median(times) for times in zip(*took, strict=True))
    return Figure("lists", against, deep / shallow, goal=1.2, at_most=True)
