"""Each fault of the simulated Pio, met by the portal: it ends in a state with a name, and stock is equal afterwards.

The runs are worked on and the webhooks taken in by this process, with the database of the tests; the sandbox, its HTTP
and its deliveries are real.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from apps.catalog import stocking
from apps.catalog.models import Product
from apps.syncs.models import SyncRun
from apps.webhooks.models import Receipt
from tests.factories import make_product
from tests.sandbox.driver import Sandbox
from tests.sandbox.pio.driver import Client, listening

from .pio import API, EVENTS, Warehouse, connected

LEVELS, LOG = EVENTS
PRODUCTS = 5
Kind, State = SyncRun.Kind, SyncRun.State
pytestmark = pytest.mark.django_db

PASSING: list[dict[str, Any]] = [
    {"kind": "server_error"},
    {"kind": "rate_limited", "retry_after": 1},
    {"kind": "unauthorized"},
    {"kind": "slow", "delay": 0.3},
    {"kind": "cut_off_json"},
    {"kind": "html_page"},
]


@pytest.fixture
def pio(sandbox: Sandbox, settings) -> Iterator[Warehouse]:
    """A connected warehouse that knows none of our products yet."""
    client = Client(sandbox).register()
    known = {"URL": sandbox.url, "CLIENT_ID": client.client_id, "CLIENT_SECRET": client.secret}
    settings.CONNECTOR_ENVIRONMENT = settings.CONNECTOR_ENVIRONMENT | {"pio": known}
    with listening() as listener:
        settings.PUBLIC_URL = listener.url.removesuffix("/hooks")
        yield connected(sandbox, client, listener, products=PRODUCTS)
        sandbox.control("DELETE", "faults")


@pytest.fixture
def stocked(pio: Warehouse) -> Warehouse:
    """One that knows our products, and where everybody agrees that four of each lie there."""
    assert pio.do(Kind.ITEMS).state == State.SUCCEEDED
    for sku in skus(pio):
        pio.move("store", sku, 4)
    assert pio.door.answers(2 * PRODUCTS) == [200] * 2 * PRODUCTS
    assert Counter(pio.open()) == {("done", ""): 2 * PRODUCTS}
    assert pio.ours() == pio.theirs() == dict.fromkeys(skus(pio), 4)
    return pio


def skus(pio):
    own = Product.objects.filter(organization=pio.connection.organization)
    return [product.sku for product in own.order_by("pk")]


@pytest.mark.parametrize("fault", PASSING, ids=lambda fault: fault["kind"])
def test_products_get_there_over_a_passing_fault(pio: Warehouse, fault):
    pio.sandbox.fault(**fault, path=API + "products")
    run = pio.do(Kind.ITEMS)
    assert (run.state, run.done, run.failed_count, run.error) == (State.SUCCEEDED, PRODUCTS, 0, "")
    pio.knows_our_products()


@pytest.mark.parametrize("kind", ["server_error", "rate_limited", "cut_off_json", "html_page"])
def test_products_that_meet_a_lasting_fault_are_still_owed(pio: Warehouse, kind):
    pio.sandbox.fault(kind, times=None, path=API + "products")
    run = pio.do(Kind.ITEMS)
    assert (run.state, bool(run.error)) == (State.FAILED, True)
    pio.sandbox.control("DELETE", "faults")
    assert pio.do(Kind.ITEMS).state == State.SUCCEEDED
    pio.knows_our_products()


def test_a_revoked_token_holds_the_run_until_the_owner_logs_in_again(pio: Warehouse):
    run = pio.begin(Kind.ITEMS)
    pio.sandbox.fault("expire_token", path=API + "products")
    run = pio.work_out(run)
    assert list(SyncRun.objects.held()) == [run]
    assert pio.integration.state == "needs_reconnect"
    pio.log_in_again()
    assert pio.work_out(run).state == State.SUCCEEDED
    pio.knows_our_products()


def test_what_was_told_while_our_token_was_revoked_is_not_lost(stocked: Warehouse):
    """Hooks are signed with the client's secret and need no token."""
    stocked.sandbox.control("POST", "pio/revoke", json={"shop": stocked.shop.id})
    run = stocked.do(Kind.COUNT)
    assert list(SyncRun.objects.held()) == [run]
    stocked.move("store", skus(stocked)[0], 3)
    assert stocked.door.answers(2) == [200, 200]
    stocked.open()
    stocked.log_in_again()
    assert stocked.ours() == stocked.theirs()
    assert stocked.work_out(run).state == State.SUCCEEDED
    stocked.move("pick", skus(stocked)[1], 3)
    assert stocked.door.answers(2) == [200, 200]
    stocked.open()
    assert stocked.ours() == stocked.theirs()


@pytest.mark.parametrize("fault", PASSING, ids=lambda fault: fault["kind"])
def test_stock_is_read_over_a_passing_fault(stocked: Warehouse, fault):
    lose_a_message(stocked, skus(stocked)[0])
    stocked.sandbox.fault(**fault, path=API + "inventory")
    assert stocked.do(Kind.COUNT).state == State.SUCCEEDED
    assert stocked.ours() == stocked.theirs()


@pytest.mark.parametrize("kind", ["server_error", "rate_limited", "cut_off_json", "html_page"])
def test_stock_that_cannot_be_read_stays_as_it_was(stocked: Warehouse, kind):
    before = stocked.ours()
    lose_a_message(stocked, skus(stocked)[0])
    stocked.sandbox.fault(kind, times=None, path=API + "inventory")
    run = stocked.do(Kind.COUNT)
    assert (run.state, bool(run.error), stocked.ours()) == (State.FAILED, True, before)
    stocked.sandbox.control("DELETE", "faults")
    assert stocked.do(Kind.COUNT).state == State.SUCCEEDED
    assert stocked.ours() == stocked.theirs() != before


def lose_a_message(pio, sku):
    """Two pieces more that nobody tells us of."""
    pio.sandbox.fault("hook_dropped", times=2)
    pio.move("store", sku, 2)
    assert pio.door.answers(0) == []
    assert pio.ours() != pio.theirs()


def test_what_is_lost_on_its_way_is_found_by_the_next_count(stocked: Warehouse):
    """Also what lies there no more."""
    first, second, *_ = skus(stocked)
    lose_a_message(stocked, first)
    stocked.sandbox.fault("hook_dropped", times=2)
    stocked.move("pick", second, 4)
    assert stocked.do(Kind.COUNT).state == State.SUCCEEDED
    assert stocked.ours() == stocked.theirs()
    assert (stocked.ours()[first], stocked.ours().get(second)) == (6, None)


def test_a_message_that_was_lost_is_made_good_by_the_next_one(stocked: Warehouse):
    sku = skus(stocked)[0]
    lose_a_message(stocked, sku)
    stocked.move("pick", sku, 1)
    assert stocked.door.answers(2) == [200, 200]
    stocked.open()
    assert stocked.ours() == stocked.theirs()


def test_a_message_that_comes_twice_counts_once(stocked: Warehouse):
    stocked.sandbox.fault("hook_duplicated", times=2)
    stocked.move("store", skus(stocked)[0], 1)
    assert stocked.door.answers(4) == [200] * 4
    assert Counter(stocked.open()) == {("done", ""): 2 * PRODUCTS + 2}
    assert Receipt.objects.filter(repeats=1).count() == 2
    assert stocked.ours() == stocked.theirs()


def test_messages_in_any_order_lead_to_the_last_number(stocked: Warehouse):
    sku = skus(stocked)[0]
    stocked.sandbox.fault("hook_shuffled", times=20, delay=1.5)
    for reason, quantity in [("store", 5), ("pick", 3), ("count", 1), ("store", 2), ("pick", 3)] * 2:
        stocked.move(reason, sku, quantity)
    assert stocked.door.answers(20) == [200] * 20
    assert Counter(stocked.open()) == {("done", ""): 2 * PRODUCTS + 20}
    assert stocked.ours() == stocked.theirs()


def test_a_late_message_does_not_undo_a_newer_one(stocked: Warehouse):
    sku = skus(stocked)[0]
    stocked.sandbox.fault("hook_late", times=2, delay=60)
    stocked.move("store", sku, 1)
    stocked.move("pick", sku, 2)
    assert stocked.door.answers(2) == [200, 200]
    stocked.open()
    assert stocked.ours() == stocked.theirs()
    stocked.sandbox.control("POST", "pio/deliveries/retry")
    assert stocked.door.answers(2) == [200, 200]
    stocked.open()
    assert stocked.ours() == stocked.theirs()


def test_a_message_with_a_wrong_signature_is_refused_noted_and_right_when_sent_again(stocked: Warehouse):
    stocked.sandbox.fault("hook_wrong_signature", times=2)
    before = stocked.ours()
    stocked.move("store", skus(stocked)[0], 1)
    assert stocked.door.answers(2) == [401, 401]
    assert Counter(stocked.open())["rejected", "bad_signature"] == 2
    assert stocked.ours() == before
    stocked.sandbox.control("POST", "pio/deliveries/retry")
    assert stocked.door.answers(2) == [200, 200]
    stocked.open()
    assert stocked.ours() == stocked.theirs() != before
    assert Counter(delivery["state"] for delivery in stocked.shop.deliveries()) == {"delivered": 2 * PRODUCTS + 2}


def test_a_message_about_a_product_we_do_not_know_yet_is_held_until_we_do(stocked: Warehouse):
    stranger = stocked.shop.own_product(ext_product_id="only-there")
    stocked.move("store", stranger["sku"], 7)
    assert stocked.door.answers(2) == [200, 200]
    assert Counter(stocked.open()) == {("done", ""): 2 * PRODUCTS + 2}
    assert stranger["sku"] not in stocked.ours()
    make_product(organization=stocked.connection.organization, sku=stranger["sku"])
    stocking.release_held(stocked.connection.organization)
    assert stocked.ours() == stocked.theirs()
