"""Reading a warehouse's stock: what it dropped is put right, and what it told of later stays."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest
import responses

from apps.catalog import stocking
from apps.catalog.models import HeldReport, StockLevel, StockMovement
from apps.syncs import queueing
from apps.syncs.models import SyncRun
from tests.conftest import PIO
from tests.factories import make_product, make_warehouse

from .platform import work_on, work_out

State, Kind = SyncRun.State, SyncRun.Kind


class Inventory:
    """A Pio that lists `pages` of stock: pairs of SKU and pieces, or a whole line. `wrong` are answers by cursor."""

    def __init__(self, web, *pages):
        self.pages, self.wrong = list(pages), {}
        self.meanwhile = lambda cursor: None
        web.add_callback(responses.GET, f"{PIO}/api/v1/inventory", callback=self.answer)

    def answer(self, request):
        cursor = parse_qs(urlsplit(request.url).query).get("cursor", ["0"])[0]
        self.meanwhile(cursor)
        if cursor in self.wrong:
            return self.wrong.pop(cursor), {}, "{}"
        number = int(cursor)
        following = str(number + 1) if number + 1 < len(self.pages) else None
        lines = [self.line(*entry) for entry in self.pages[number]]
        return 200, {}, json.dumps({"data": lines, "next": following})

    def line(self, sku, pieces, **fields):
        numbers = {"in_stock": pieces, "reserved": 0, "available": pieces}
        return {"sku": sku, "product_id": 1, "ext_product_id": "1", "ext_variant_id": "", "storage": []} | numbers


@pytest.fixture
def warehouse(pio, db):
    return make_warehouse()


@pytest.fixture
def hats(warehouse):
    return [make_product(organization=warehouse.organization, sku=f"HAT-{n}") for n in (1, 2, 3)]


def count(warehouse):
    return queueing.owe(warehouse, kind=Kind.COUNT)


def tell(warehouse, sku, pieces, version):
    """The warehouse tells of this SKU, as it does by webhook."""
    location = warehouse.integration.locations.get()
    by = stocking.By("receipt", "Pio", warehouse.integration)
    stocking.report(location, [stocking.Reported(sku, on_hand=pieces, version=version)], by=by)


def stock():
    return dict(StockLevel.objects.values_list("product__sku", "on_hand"))


def test_wi_11_what_a_warehouse_dropped_is_put_right_and_stands_in_the_ledger(warehouse, hats, pio):
    tell(warehouse, "HAT-1", 5, version=3)
    tell(warehouse, "HAT-2", 8, version=4)
    Inventory(pio, [("HAT-1", 7), ("HAT-2", 8)], [("HAT-3", 1)])
    run = work_out(count(warehouse))
    assert (run.state, run.done, run.updated_count, run.pages) == (State.SUCCEEDED, 3, 2, 2)
    assert stock() == {"HAT-1": 7, "HAT-2": 8, "HAT-3": 1}
    lines = StockMovement.objects.filter(cause="reconcile", reference=str(run.pk))
    assert sorted(lines.values_list("level__product__sku", "on_hand_change")) == [("HAT-1", 2), ("HAT-3", 1)]


def test_what_a_warehouse_no_longer_lists_is_not_there(warehouse, hats, pio):
    tell(warehouse, "HAT-1", 5, version=3)
    tell(warehouse, "HAT-2", 8, version=4)
    Inventory(pio, [("HAT-2", 8)])
    run = work_out(count(warehouse))
    assert (stock(), run.removed_count) == ({"HAT-1": 0, "HAT-2": 8}, 1)


def test_what_it_told_while_we_were_reading_stays(warehouse, hats, pio):
    tell(warehouse, "HAT-1", 5, version=3)
    listed = Inventory(pio, [("HAT-2", 2)], [("HAT-3", 1)])
    listed.meanwhile = lambda cursor: tell(warehouse, "HAT-1", 9, version=4) if cursor == "1" else None
    work_out(count(warehouse))
    assert stock() == {"HAT-1": 9, "HAT-2": 2, "HAT-3": 1}


def test_a_line_nobody_understands_fails_alone_and_nothing_is_taken_for_gone(warehouse, hats, pio):
    tell(warehouse, "HAT-1", 5, version=3)
    Inventory(pio, [("HAT-2", -4), ("HAT-3", 1)])
    run = work_out(count(warehouse))
    assert (run.state, run.failed_count, run.removed_count) == (State.PARTIAL, 1, 0)
    assert list(run.failures.values_list("ref", "code")) == [("HAT-2", "unreadable")]
    assert stock() == {"HAT-1": 5, "HAT-3": 1}


def test_a_line_that_cannot_be_taken_fails_alone(warehouse, hats, pio):
    Inventory(pio, [("X" * 300, 4), ("HAT-3", 1)])
    run = work_out(count(warehouse))
    assert (run.state, run.failed_count, stock()) == (State.PARTIAL, 1, {"HAT-3": 1})
    assert run.failures.get().ref == "X" * 255


def test_a_sku_that_is_nobodys_is_held(warehouse, pio):
    Inventory(pio, [("STRANGE", 4)])
    assert work_out(count(warehouse)).state == State.SUCCEEDED
    assert list(HeldReport.objects.values_list("sku", "on_hand")) == [("STRANGE", 4)]


def test_a_page_that_fails_is_read_again_from_there(warehouse, hats, pio):
    listed = Inventory(pio, [("HAT-1", 1)], [("HAT-2", 2)])
    listed.wrong["1"] = 503
    run = work_on(count(warehouse))
    assert (run.state, run.error, run.cursor, run.pages) == (State.QUEUED, "server_error", "1", 1)
    assert work_out(run).state == State.SUCCEEDED
    assert stock() == {"HAT-1": 1, "HAT-2": 2}


def test_a_list_that_goes_round_in_circles_is_not_believed(warehouse, hats, pio):
    tell(warehouse, "HAT-1", 5, version=3)
    listed = Inventory(pio, [("HAT-2", 1)])
    listed.answer = lambda request: (200, {}, json.dumps({"data": [], "next": "1"}))
    pio.reset()
    pio.add_callback(responses.GET, f"{PIO}/api/v1/inventory", callback=listed.answer)
    run = work_out(count(warehouse))
    assert (run.state, run.error, stock()) == (State.FAILED, "repeated_page", {"HAT-1": 5})


def test_a_warehouse_whose_location_is_out_of_use_is_not_counted(warehouse, pio):
    warehouse.integration.locations.update(is_active=False)
    run = work_out(count(warehouse))
    assert (run.state, run.error) == (State.FAILED, "no_location")


def test_a_page_takes_the_same_statements_for_one_as_for_three(warehouse, hats, pio, django_assert_num_queries):
    def statements(*lines):
        pio.reset()
        Inventory(pio, list(lines))
        with django_assert_num_queries(100, exact=False) as asked:
            work_out(count(warehouse))
        return len(asked)

    one = statements(("HAT-1", 1))
    assert statements(("HAT-1", 2), ("HAT-2", 2), ("HAT-3", 2)) == one
