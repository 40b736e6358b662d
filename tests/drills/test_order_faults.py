"""Each fault of the simulated Pio, met by our orders: each order is there once, and both sides agree how far it is.

Hand-overs are worked on and the webhooks taken in by this process, with the database of the tests; the sandbox, its
HTTP and its deliveries are real, and so is the worker that is killed.
"""

from typing import Any

import pytest
from django.db import transaction

from apps.audit.trail import Actor
from apps.orders import cancelling, changing
from apps.orders.models import Fulfillment, Hindrance, Parcel
from apps.syncs.models import SyncRun
from tests.sandbox.pio.driver import becomes
from tests.syncs.order_desk import time_passes

from .pio import API, Warehouse
from .pio_orders import Orders, owed_to
from .test_pio_faults import pio, stocked  # noqa: F401 - fixtures

pytestmark = pytest.mark.django_db
ORDERS = API + "orders"
ANNA = Actor("anna@foo-3pl.example")

PASSING: list[dict[str, Any]] = [
    {"kind": "lost_answer"},
    {"kind": "server_error"},
    {"kind": "rate_limited", "retry_after": 1},
    {"kind": "unauthorized"},
    {"kind": "slow", "delay": 0.3},
    {"kind": "cut_off_json"},
    {"kind": "html_page"},
]


@pytest.fixture
def orders(stocked: Warehouse) -> Orders:  # noqa: F811
    return owed_to(stocked)


def all_is_well(orders: Orders) -> None:
    """Checks that each order is there once, and goes its way to the end on both sides."""
    assert sorted(orders.there()) == sorted(orders.references)
    assert orders.here() == ["sent"] * len(orders.owed)
    orders.pick_all()
    orders.hear()
    ends_well(orders)


def ends_well(orders: Orders) -> None:
    assert (orders.here(), orders.states()) == (["shipped"] * len(orders.owed), {"fulfilled"})
    numbers = Parcel.objects.filter(fulfillment__in=orders.owed).values_list("tracking_number", flat=True)
    assert sorted(numbers) == sorted(f"3S-{reference}" for reference in orders.references)
    assert orders.pio.ours() == orders.pio.theirs()
    assert list(Hindrance.objects.values_list("code", flat=True)) == []


@pytest.mark.parametrize("fault", PASSING, ids=lambda fault: fault["kind"])
@pytest.mark.parametrize("times", [1, 4])
def test_each_order_gets_there_once_over_a_passing_fault(orders: Orders, fault, times):
    orders.pio.sandbox.fault(**fault, times=times, path=ORDERS)
    orders.work_out()
    assert (sorted(orders.there()), orders.here()) == (sorted(orders.references), ["sent"] * 3)


@pytest.mark.parametrize("kind", ["server_error", "rate_limited", "cut_off_json", "html_page"])
def test_a_lasting_fault_holds_the_orders_up_and_loses_none(orders: Orders, kind):
    orders.pio.sandbox.fault(kind, times=None, path=ORDERS)
    for _ in range(3):
        orders.turn()
        time_passes(hours=2)
    assert orders.here() == ["ready"] * 3
    orders.pio.sandbox.control("DELETE", "faults")
    orders.work_out()
    all_is_well(orders)


def test_a_revoked_token_holds_the_orders_until_the_owner_logs_in_again(orders: Orders):
    orders.pio.sandbox.control("POST", "pio/revoke", json={"shop": orders.pio.shop.id})
    orders.work_out()
    assert (orders.pio.integration.state, orders.here(), orders.there()) == ("needs_reconnect", ["ready"] * 3, [])
    orders.pio.log_in_again()
    orders.work_out()
    all_is_well(orders)


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "hook_duplicated", "times": 30},
        {"kind": "hook_shuffled", "times": 30, "delay": 1.5},
        {"kind": "hook_late", "times": 7, "delay": 1},
    ],
    ids=lambda fault: fault["kind"],
)
def test_hooks_that_come_twice_late_or_in_any_order_end_the_same(orders: Orders, fault):
    orders.work_out()
    orders.pio.sandbox.fault(**fault)
    all_is_well(orders)


def test_hooks_that_never_come_are_made_good_by_the_next_reading(orders: Orders):
    orders.work_out()
    orders.prepared()
    orders.pio.sandbox.fault("hook_dropped", times=None)
    orders.pick_all()
    assert (orders.pio.door.answers(0), orders.here()) == ([], ["sent"] * 3)
    assert orders.pio.do(SyncRun.Kind.FULFILLMENTS).state == SyncRun.State.SUCCEEDED
    assert orders.here() == ["shipped"] * 3
    assert orders.pio.do(SyncRun.Kind.COUNT).state == SyncRun.State.SUCCEEDED
    ends_well(orders)


def test_an_order_that_was_rejected_at_the_port_is_somebodys_to_mend(orders: Orders):
    orders.work_out()
    orders.at_port("reject", orders.owed[0], reason="Broken")
    orders.hear()
    assert orders.here() == ["rejected", "sent", "sent"]
    [said] = Hindrance.objects.all()
    assert (said.code, said.detail["reason"]) == ("rejected_by_warehouse", "Broken")


@pytest.mark.parametrize("fault", PASSING, ids=lambda fault: fault["kind"])
def test_a_cancel_gets_there_over_a_passing_fault(orders: Orders, fault):
    orders.work_out()
    orders.pio.sandbox.fault(**fault, path=ORDERS)
    for one in orders.owed:
        cancelling.cancel(one.order, by=ANNA)
    orders.work_out()
    assert (orders.here(), orders.states()) == (["cancelled"] * 3, {"cancelled"})
    orders.pio.sandbox.control("DELETE", "faults")
    assert orders.pio.shop.good("GET", "orders")["data"] == []


def test_a_cancel_that_comes_too_late_is_flagged_and_the_order_goes_on(orders: Orders):
    orders.work_out()
    orders.pick_all()
    for one in orders.owed:
        cancelling.cancel(one.order, by=ANNA)
    orders.work_out()
    assert (orders.here(), orders.states()) == (["sent"] * 3, {"sent"})
    orders.hear()
    assert (orders.here(), orders.states()) == (["shipped"] * 3, {"fulfilled"})
    assert {*Hindrance.objects.values_list("code", "detail__code")} == {("cancel_refused", "order_already_fulfilled")}


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_between_the_call_and_its_note_sends_nothing_twice(orders: Orders):
    one = orders.owed[0]
    with orders.worker() as worker, transaction.atomic():
        changing.lock(one.order_id)  # so it cannot write down what it did
        becomes(lambda: str(one.pk) in orders.there(), within=30)
        worker.kill()
        assert worker.wait(timeout=10) < 0
    assert Fulfillment.objects.get(pk=one.pk).state == "ready"
    orders.turn()
    assert str(one.pk) not in [str(pk) for pk in Fulfillment.objects.filter(owes="").values_list("pk", flat=True)]
    orders.work_out()
    all_is_well(orders)
