"""The whole way: connect a warehouse, tell it of products, store pieces at its port, and see the number arrive."""

import time

import pytest

from apps.catalog.models import StockLevel, StockMovement
from apps.onboarding import schedule
from apps.syncs import opening, running
from apps.syncs.models import Repair, SyncRun
from apps.syncs.schedule import queue_regular_comparisons
from apps.webhooks.models import Receipt
from tests.conftest import signed_in
from tests.factories import make_member, make_organization, make_product

from ..pages import text
from .conftest import offer_warehouse

pytestmark = pytest.mark.django_db(transaction=True)


def wait_for(count):
    """Until so many webhooks have come in; the sender has threads of its own."""
    until = time.monotonic() + 20
    while Receipt.objects.count() < count and time.monotonic() < until:
        time.sleep(0.05)
    assert Receipt.objects.count() == count


def work():
    for run in SyncRun.objects.due():
        running.run(run.pk)
    opening.open_waiting()


@pytest.fixture
def owner(db):
    return make_member(organization=make_organization(name="Great Hats"))


@pytest.fixture
def warehouse(running_sandbox, live_server, settings):
    return offer_warehouse(running_sandbox, portal=live_server.url, settings=settings)


def test_pieces_stored_and_picked_at_the_port_arrive_here_signed_and_explain_themselves(warehouse, owner):
    hat = make_product(organization=owner.organization, sku="HAT-1", name="Top hat")
    browser = signed_in(owner)
    connection = warehouse.connected(browser, owner)
    work()
    assert sorted(warehouse.products()) == ["HAT-1"]
    for reason, pieces, count in (("store", 10, 2), ("pick", 3, 4)):
        warehouse.move(reason, "HAT-1", pieces)
        wait_for(count)
        work()
    assert list(StockLevel.objects.values_list("product", "on_hand")) == [(hat.pk, 7)]
    lines = StockMovement.objects.filter(level__product=hat).order_by("pk")
    assert list(lines.values_list("on_hand_change", "cause", "note")) == [
        (10, "receipt", "store grid A1"),
        (-3, "receipt", "pick grid A1"),
    ]
    assert set(Receipt.objects.values_list("state", "error")) == {("done", "")}
    assert Receipt.objects.filter(pk=lines[0].reference).exists()
    assert "Pieces there 7" in text(browser.get(f"/stores/{connection.pk}/"))


def test_wi_11_what_the_warehouse_dropped_is_put_right_by_the_next_comparison(warehouse, owner):
    make_product(organization=owner.organization, sku="HAT-1")
    warehouse.connected(signed_in(owner), owner)
    work()
    warehouse.sandbox.fault("hook_dropped", times=2)
    warehouse.move("store", "HAT-1", 5)
    assert not Receipt.objects.exists()
    SyncRun.objects.update(created_at="2026-01-01T00:00:00Z")
    queue_regular_comparisons()
    work()
    assert list(Repair.objects.values_list("ref", "detail")) == [("HAT-1", "5")]
    assert list(StockLevel.objects.values_list("on_hand", flat=True)) == [5]
    assert StockMovement.objects.get().cause == "reconcile"


def test_doubled_and_shuffled_messages_end_at_the_truth(warehouse, owner):
    make_product(organization=owner.organization, sku="HAT-1")
    warehouse.connected(signed_in(owner), owner)
    work()
    warehouse.sandbox.fault("hook_duplicated", times=2)
    warehouse.sandbox.fault("hook_shuffled", times=6, delay=1)
    for pieces in (5, 4, 3):
        warehouse.move("store", "HAT-1", pieces)
    wait_for(6)
    work()
    assert list(StockLevel.objects.values_list("on_hand", flat=True)) == [12]
    warehouse.sandbox.control("DELETE", "faults")


def test_disconnecting_ends_what_it_sends(warehouse, owner, settings):
    settings.UNDO_DISCONNECT_SECONDS = 0
    make_product(organization=owner.organization, sku="HAT-1")
    browser = signed_in(owner)
    connection = warehouse.connected(browser, owner)
    work()
    browser.post(f"/stores/{connection.pk}/disconnect/")
    schedule.finish_disconnecting()
    assert warehouse.shops() == []
    assert "Connect again" in text(browser.get(f"/stores/{connection.pk}/"))
