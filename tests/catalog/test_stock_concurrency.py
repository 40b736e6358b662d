"""Stock that many want at the same time."""

from itertools import count as numbers

import pytest

from apps.catalog import stocking
from apps.catalog.models import StockLevel, StockMovement
from apps.catalog.stocking import By, Change, Reported
from tests.concurrency import at_once
from tests.factories import make_product

from .stock import check, shelf, warehouse

pytestmark = pytest.mark.django_db(transaction=True)
BY = By("order", "orders")
MANY = 200
AT_ONCE = 20  # connections


def test_two_hundred_reservations_of_a_hundred_pieces_never_go_below_zero():
    product, location = shelf()
    stocking.change(product.organization, [Change(product.pk, location.pk, on_hand=100)], by=BY)
    wanted = [Change(product.pk, location.pk, reserved=1)]

    def reserve_some():
        return sum(stocking.reserve(product.organization, wanted, by=BY) for _ in range(MANY // AT_ONCE))

    assert sum(at_once(AT_ONCE, reserve_some)) == 100
    assert StockLevel.objects.values_list("on_hand", "reserved").get() == (100, 100)
    assert StockMovement.objects.count() == 101
    check()


def test_what_is_stored_reserved_and_picked_at_once_adds_up():
    product, location = shelf()
    stocking.change(product.organization, [Change(product.pk, location.pk, on_hand=1)], by=BY)
    one = [Change(product.pk, location.pk, reserved=1)]

    def work():
        stocking.change(product.organization, [Change(product.pk, location.pk, on_hand=1)], by=BY)
        got = stocking.reserve(product.organization, one, by=BY)
        return got and not stocking.pick(product.organization, one, by=BY)[0].refused

    assert at_once(AT_ONCE, work) == [True] * AT_ONCE
    assert StockLevel.objects.values_list("on_hand", "reserved").get() == (1, 0)
    check()


def test_levels_in_opposite_orders_do_not_deadlock():
    integration, place = warehouse()
    products = [make_product(organization=place.organization) for _ in range(20)]
    turns = numbers()

    def report():
        step = 1 if next(turns) % 2 else -1
        for turn in range(5):
            rows = [Reported(product.sku, change=1, entry=f"{step} {turn}") for product in products[::step]]
            stocking.report(place, rows, by=By("report", "wms", integration))
            changes = [Change(product.pk, place.pk, on_hand=1) for product in products[::-step]]
            stocking.change(place.organization, changes, by=BY)
        return True

    assert at_once(4, report) == [True] * 4
    assert set(StockLevel.objects.values_list("on_hand", flat=True)) == {30}
    check()


def test_a_report_that_comes_twice_at_once_counts_once():
    integration, place = warehouse()
    product = make_product(organization=place.organization)
    rows = [Reported(product.sku, change=3, entry="e-1")]
    outcomes = at_once(4, lambda: stocking.report(place, rows, by=By("report", "wms", integration))[0].result)
    assert sorted(map(str, outcomes)) == ["applied", "duplicate", "duplicate", "duplicate"]
    assert StockLevel.objects.get().on_hand == 3
    check()
