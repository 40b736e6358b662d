"""Lists at depth: page 9,999 of a million beside page 0, a hundred rows each, by keyset."""

import json
import os
import statistics
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from typing import Any

from django.db import connection

from apps.catalog.models import Listing
from tests.factories import make_key, make_member

from . import engine, tables
from .calls import caller
from .figures import Figure, seconds

PRODUCTS = int(os.environ.get("MANY", 1_000_000))
PAGE = 100
DEPTH = PRODUCTS // PAGE - 1
ADDRESS = f"/api/v1/products?per_page={PAGE}"
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
    listings = Listing.objects.current().filter(organization=store.organization, shop=store.shop)
    deep_in = listings.get(sku=f"HAT-{DEPTH * PAGE - 1:07}")
    key, call = make_key(user=make_member(organization=store.organization)), caller()
    while True:
        yield [
            deep(
                "a shop's list: page 0",
                lambda: list(listings.after(deep_in)[: PAGE + 1]),
                lambda: list(listings.order_by("sku", "pk")[: PAGE + 1]),
            ),
            deep(
                "GET /v1/products: page 0",
                lambda: call(f"{ADDRESS}&cursor={name_of_page(deep_in.sku)}", key),
                lambda: call(ADDRESS, key),
            ),
        ]


def name_of_page(sku: str) -> str:
    """What `linked_page` names the page after a product by."""
    return urlsafe_b64encode(json.dumps([0, sku]).encode()).decode().rstrip("=")


def deep(against: str, last: Callable[[], Any], first: Callable[[], Any]) -> Figure:
    """How much longer the page at DEPTH takes, by the medians of questions asked in turns."""
    last(), first()
    took = [(seconds(last), seconds(first)) for _ in range(ASKED)]
    deep, shallow = (statistics.median(times) for times in zip(*took, strict=True))
    return Figure("lists", against, deep / shallow, goal=1.2, at_most=True)
