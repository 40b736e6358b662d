"""Stock as a warehouse counts it, against our books. Pio answers with the numbers of the test."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
import responses
from django.utils import timezone

from apps.api.errors import Problem
from apps.audit.trail import Actor
from apps.catalog.models import Location, Product, StockLevel, StockMovement
from apps.shops.models import Connection
from apps.syncs import queueing
from apps.syncs.comparing import limit_drift, repair
from apps.syncs.models import Drift, SyncRun
from apps.webhooks.models import Inbox

from ..conftest import PIO
from ..factories import make_level, make_location, make_pair, make_product, make_warehouse
from .platform import work_out

INVENTORY = f"{PIO}/api/v1/inventory"
SOMEBODY = Actor("somebody@example.com")


@pytest.fixture
def warehouse(db) -> Connection:
    """One whose hooks were looked at just now."""
    made = make_warehouse()
    Inbox.objects.update(checked_at=timezone.now())
    return made


@pytest.fixture
def grid(warehouse) -> Location:
    return Location.objects.get(integration=warehouse.integration)


def holds(pio: responses.RequestsMock, *pages: Sequence[tuple[Any, ...]]) -> None:
    """Pio has these pieces of these SKUs, on these pages; perhaps with a version of them."""
    for number, page in enumerate(pages, 1):
        rows = [{"sku": sku, "product_id": 1, "in_stock": n, "version": (*more, None)[0]} for sku, n, *more in page]
        pio.get(INVENTORY, json={"data": rows, "next": str(number) if number < len(pages) else None})


def ours(grid: Location, sku: str, pieces: int, **fields: Any) -> Product:
    """We hold so many of it there, since yesterday."""
    product = make_product(organization=grid.organization, sku=sku)
    defaults = {"on_hand": pieces, "updated_at": timezone.now() - timedelta(days=1)}
    make_level(product=product, location=grid, **defaults | fields)
    return product


def compare(warehouse: Connection) -> SyncRun:
    return work_out(queueing.owe(warehouse, kind=SyncRun.Kind.COMPARE))


def drifts() -> list[tuple[str, int, int, int]]:
    return list(Drift.objects.order_by("product__sku").values_list("product__sku", "ours", "theirs", "times"))


def test_what_either_side_alone_has_differs_too(warehouse, grid, pio):
    ours(grid, "HAT-1", 5)
    ours(grid, "HAT-2", 3)
    ours(grid, "HAT-3", 0)
    make_product(organization=grid.organization, sku="HAT-4")
    holds(pio, [("HAT-1", 5)], [("HAT-4", 7), ("HAT-5", 1)])
    run = compare(warehouse)
    assert (run.state, run.pages, run.created_count) == (SyncRun.State.SUCCEEDED, 2, 2)
    assert drifts() == [("HAT-2", 3, 0, 1), ("HAT-4", 0, 7, 1)], "HAT-5 is nobody's, and waits in the worklist"


def test_stock_of_other_places_is_not_compared(warehouse, grid, pio):
    product = ours(grid, "HAT-1", 5)
    make_level(product=product, location=make_location(organization=grid.organization), on_hand=9)
    holds(pio, [("HAT-1", 5)])
    compare(warehouse)
    assert drifts() == []


def test_a_warehouses_words_are_translated(warehouse, grid, pio):
    make_pair(integration=warehouse.integration, first="HAT-1", second="WMS-1")
    ours(grid, "HAT-1", 5)
    holds(pio, [("WMS-1", 4)])
    compare(warehouse)
    assert drifts() == [("HAT-1", 5, 4, 1)]


def test_what_moved_meanwhile_is_left_for_the_next_comparison(warehouse, grid, pio):
    ours(grid, "HAT-1", 5, updated_at=timezone.now() + timedelta(minutes=1))
    holds(pio, [("HAT-1", 4)])
    compare(warehouse)
    assert drifts() == []


def test_putting_it_right_believes_the_warehouse_and_the_ledger_says_so(warehouse, grid, pio):
    product = ours(grid, "HAT-1", 5, reserved=1)
    holds(pio, [("HAT-1", 3)])
    compare(warehouse)
    assert repair(Drift.objects.all(), actor=SOMEBODY) == 1
    level = StockLevel.objects.get(product=product)
    movement = StockMovement.objects.filter(level=level).first()
    assert (level.on_hand, level.reserved, drifts()) == (3, 1, [])
    assert movement is not None
    assert (movement.cause, movement.on_hand_change, movement.actor) == ("reconcile", -2, "somebody@example.com")


def test_below_the_limit_the_warehouse_is_believed_after_two_looks(warehouse, grid, pio):
    limit_drift(warehouse.shop, 2, actor=SOMEBODY)
    product = ours(grid, "HAT-1", 5)
    for _ in range(2):
        holds(pio, [("HAT-1", 3)])
    assert [compare(warehouse).updated_count for _ in range(2)] == [0, 1]
    assert StockLevel.objects.get(product=product).on_hand == 3


def test_with_several_locations_only_its_own_report_can_tell(warehouse, grid, pio):
    product = ours(grid, "HAT-1", 5)
    make_location(organization=grid.organization, integration=warehouse.integration, ext_location_id="shelf")
    holds(pio, [("HAT-1", 3)])
    compare(warehouse)
    with pytest.raises(Problem, match="several locations"):
        repair(Drift.objects.all(), actor=SOMEBODY)
    assert (StockLevel.objects.get(product=product).on_hand, drifts()) == (5, [("HAT-1", 5, 3, 1)])


def test_several_locations_and_a_limit_still_let_the_comparison_end(warehouse, grid, pio):
    limit_drift(warehouse.shop, 2, actor=SOMEBODY)
    make_location(organization=grid.organization, integration=warehouse.integration, ext_location_id="shelf")
    ours(grid, "HAT-1", 5)
    for _ in range(2):
        holds(pio, [("HAT-1", 3)])
    assert [compare(warehouse).state for _ in range(2)] == ["succeeded"] * 2
    assert drifts() == [("HAT-1", 5, 3, 2)]


def test_wi_11_a_version_that_we_never_heard_of_is_believed_at_once_and_listed(warehouse, grid, pio):
    known = ours(grid, "HAT-1", 5, counted_version=3, counted_at=timezone.now() - timedelta(hours=1))
    new = make_product(organization=grid.organization, sku="HAT-2")
    holds(pio, [("HAT-1", 7, 4), ("HAT-2", 2, 1), ("STRANGE", 9, 1)])
    run = compare(warehouse)
    assert (run.created_count, run.updated_count, drifts()) == (0, 2, [])
    assert [StockLevel.objects.get(product=product).on_hand for product in (known, new)] == [7, 2]
    assert list(run.repairs.values_list("ref", "detail")) == [("HAT-1", "7"), ("HAT-2", "2")]
    lines = StockMovement.objects.filter(cause="reconcile", reference=str(run.pk))
    assert sorted(lines.values_list("source_version", flat=True)) == [1, 4]


def test_a_version_that_we_have_heard_of_is_no_lost_message(warehouse, grid, pio):
    """So a difference there is somebody's to look at."""
    ours(grid, "HAT-1", 5, counted_version=4, counted_at=timezone.now() - timedelta(hours=1))
    holds(pio, [("HAT-1", 7, 4)])
    run = compare(warehouse)
    assert (run.updated_count, drifts()) == (0, [("HAT-1", 5, 7, 1)])


def test_a_warehouse_with_several_locations_is_not_believed_by_its_versions(warehouse, grid, pio):
    make_location(integration=warehouse.integration, kind="grid", ext_location_id="2")
    ours(grid, "HAT-1", 5, counted_version=3, counted_at=timezone.now() - timedelta(hours=1))
    holds(pio, [("HAT-1", 7, 4)])
    assert (compare(warehouse).updated_count, drifts()) == (0, [("HAT-1", 5, 7, 1)])
