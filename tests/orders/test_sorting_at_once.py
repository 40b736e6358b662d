"""Many orders, and many who sort them, at the same time."""

import threading

import pytest

from apps.catalog import stocking
from apps.catalog.models import StockLevel
from apps.catalog.stocking import By, Change
from apps.integrations.connectors.orders import Address, RemoteLine, RemoteOrder
from apps.orders import sorting
from apps.orders.intake import take_in
from apps.orders.models import Fulfillment, Nudge, Order
from apps.orders.sorting import sort_due
from tests.catalog.stock import check
from tests.concurrency import at_once
from tests.factories import make_location, make_product, make_shop

pytestmark = pytest.mark.django_db(transaction=True)

BY = By("operator", "anna")
TO_ANN = Address(last_name="de Vries", address1="Main Street 1", city="Delft", zip="2611 AA", country="NL")


def bought(sku, n):
    return RemoteOrder(ext_order_id=str(n), lines=(RemoteLine(sku, 1),), destination=TO_ANN)


def shop_without_hold():
    shop = make_shop()
    shop.integration.order_hold_seconds = 0
    shop.integration.save()
    return shop


def states():
    return {state: Order.objects.filter(state=state).count() for state in Order.objects.values_list("state", flat=True)}


def test_one_bad_order_among_a_thousand_stops_nobody():
    shop = shop_without_hold()
    product, place = (
        make_product(organization=shop.organization, sku="HAT"),
        make_location(organization=shop.organization),
    )
    stocking.change(shop.organization, [Change(product.pk, place.pk, on_hand=2_000)], by=BY)
    take_in(shop, [bought("HAT" if n != 500 else "NOBODYS", n) for n in range(1_000)])
    sort_due(most=2_000, seconds=300)
    assert states() == {"ready": 999, "waiting": 1}
    bad = Order.objects.get(state="waiting")
    assert bad.ext_order_id == "500"
    assert list(bad.hindrances.values_list("code", "ref", "who")) == [("unknown_sku", "NOBODYS", "owner")]


def test_two_hundred_orders_for_a_hundred_pieces_that_arrive_meanwhile_get_exactly_those():
    shop = shop_without_hold()
    product, place = (
        make_product(organization=shop.organization, sku="HAT"),
        make_location(organization=shop.organization),
    )
    take_in(shop, [bought("HAT", n) for n in range(200)])
    turns = iter(range(6))
    arrived = threading.Event()

    def work():
        if next(turns) == 0:
            for _ in range(50):
                stocking.change(shop.organization, [Change(product.pk, place.pk, on_hand=2)], by=BY)
            arrived.set()
        else:
            while not arrived.is_set():
                sort_due()
        return True

    assert at_once(6, work) == [True] * 6
    while sort_due():
        pass
    assert states() == {"ready": 100, "pending_stock": 100}
    assert StockLevel.objects.values_list("on_hand", "reserved").get() == (100, 100)
    assert (Fulfillment.objects.count(), Nudge.objects.count(), Order.objects.exclude(due_at=None).count()) == (
        100,
        0,
        0,
    )
    check()


def test_one_at_a_time_sorts_and_whoever_ends_lets_the_next_one():
    with sorting.alone() as first:
        assert first
        assert at_once(1, is_alone) == [False]
    assert at_once(1, is_alone) == [True]


def is_alone() -> bool:
    with sorting.alone() as found:
        return found
