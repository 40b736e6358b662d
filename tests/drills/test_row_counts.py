"""What the sync of a catalogue that is as it was writes, counted by PostgreSQL itself."""

from typing import Any

import pytest
from django.db import connection

from .otter import PRODUCTS, Otter

pytestmark = pytest.mark.django_db(transaction=True)  # PostgreSQL counts when a transaction ends
TABLES = ("catalog_product", "catalog_listing")


def counts() -> list[int]:
    """Rows inserted into products, updated there, inserted into listings, updated there, since the tables were made."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute(
            "SELECT n_tup_ins, n_tup_upd FROM pg_stat_user_tables WHERE relname = ANY(%s) ORDER BY relname DESC",
            [list(TABLES)],
        )
        return [number for row in cursor.fetchall() for number in row]


def written(otter: Otter) -> list[int]:
    """By how much the counts grow with one sync."""
    before = counts()
    otter.becomes_complete()
    return [now - then for then, now in zip(before, counts(), strict=True)]


def change(otter: Otter, **fields: Any) -> None:
    """Another text or number for one product in the middle of the list."""
    product = otter.sandbox.truth(otter.store)[PRODUCTS // 2]["id"]
    otter.sandbox.control("PATCH", f"stores/{otter.store}/products/{product}", json=fields)


def test_the_first_sync_writes_each_row_once(otter: Otter):
    assert written(otter) == [PRODUCTS, 0, PRODUCTS, 0]


def test_a_second_sync_of_an_unchanged_catalogue_writes_no_row(otter: Otter):
    otter.becomes_complete()
    assert written(otter) == [0, 0, 0, 0]


def test_one_changed_product_writes_one_row_of_each(otter: Otter):
    otter.becomes_complete()
    change(otter, name="Another name")
    assert written(otter) == [0, 1, 0, 1]


def test_another_quantity_writes_no_product(otter: Otter):
    otter.becomes_complete()
    change(otter, sellableQuantity=4_321)
    assert written(otter) == [0, 0, 0, 1]
