"""A warehouse's snapshot of which 1 % changed, beside the UNNEST that only sets the numbers that differ."""

from collections.abc import Iterator

from django.db import connection
from django.utils import timezone

from apps.catalog import stocking
from apps.catalog.models import Location, StockLevel
from apps.catalog.stocking import By, Reported
from tests.catalog.goods import rows_updated
from tests.catalog.stock import warehouse
from tests.factories import make_location

from . import tables
from .figures import Figure, seconds

EVERY = 100  # of so many one changes
ADD = """
INSERT INTO catalog_product (
    organization_id, sku, name, barcodes, currency, image_src, hs_code, country_of_origin, brand, type, tags,
    created_at, updated_at
)
SELECT %s, 'SKU-' || number, 'Product ' || number, '{}', 'EUR', '', '', '', '', '', '{}', now(), now()
FROM generate_series(0, %s) number
"""
DIFFERENCE = """
UPDATE catalog_stocklevel level SET on_hand = new.on_hand, updated_at = now()
FROM unnest(%(skus)s::text[], %(numbers)s::int[]) AS new (sku, on_hand)
JOIN catalog_product product ON product.organization_id = %(organization)s AND product.sku = new.sku
WHERE level.organization_id = %(organization)s AND level.location_id = %(location)s AND level.product_id = product.id
  AND level.on_hand IS DISTINCT FROM new.on_hand
"""


def rounds(rows: int) -> Iterator[list[Figure]]:
    """Both have a location of their own, of one organization, with as many levels."""
    tables.empty()
    integration, place = warehouse()
    bare = make_location(integration=integration, ext_location_id="bare", kind=Location.Kind.EXTERNAL)
    with connection.cursor() as cursor:
        cursor.execute(ADD, [integration.organization_id, rows - 1])
    numbers = {f"SKU-{number}": number % 500 for number in range(rows)}
    by = By("snapshot", "bench", integration, reference="night count")
    for location in (place, bare):
        snapshot(location, numbers, by)
    round_number = 0
    while True:
        round_number += 1
        tables.settle()
        for number in range(round_number % EVERY, rows, EVERY):
            numbers[f"SKU-{number}"] += 1
        limit = seconds(set_what_differs, bare, numbers)
        before = rows_updated(StockLevel._meta.db_table)
        own = seconds(snapshot, place, numbers, by)
        versions = rows_updated(StockLevel._meta.db_table) - before
        held = dict(StockLevel.objects.filter(location=place).values_list("product__sku", "on_hand"))
        assert held == numbers
        yield [
            Figure("stock", "UNNEST that sets what differs", limit / own, goal=0.4),
            Figure("stock", "row versions for each level that changed", versions * EVERY / rows, goal=1, at_most=True),
        ]


def snapshot(location: Location, numbers: dict[str, int], by: By) -> None:
    rows = [Reported(sku, number) for sku, number in numbers.items()]
    stocking.report(location, rows, by=by, complete=True, occurred_at=timezone.now())


def set_what_differs(location: Location, numbers: dict[str, int]) -> None:
    names = {"organization": location.organization_id, "location": location.pk}
    with connection.cursor() as cursor:
        cursor.execute(DIFFERENCE, names | {"skus": list(numbers), "numbers": list(numbers.values())})
