"""Cancelling: at once what nobody works on, by asking the warehouse for what it has (behaviour 77)."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.api.errors import Problem
from apps.audit.models import Entry as Trail
from apps.audit.trail import Actor
from apps.catalog.models import StockMovement
from apps.orders import cancelling
from apps.orders.models import Fulfillment, Order, OrderLine
from apps.webhooks.models import Event
from tests.catalog.stock import check
from tests.concurrency import at_once
from tests.factories import (
    make_custom_integration,
    make_fulfillment,
    make_hindrance,
    make_integration,
    make_location,
    make_order,
)

from .goods import handed, stock

pytestmark = pytest.mark.django_db
ANNA = Actor("anna@foo-3pl.example")


def cancel(order: Order, **options: Any) -> Order:
    return cancelling.cancel(order, by=ANNA, **options)


def refused(code):
    return pytest.raises(Problem, match=f"^{code}:")


def told(order: Order) -> list[tuple[str, str]]:
    return list(order.entries.values_list("kind", "actor"))


def events() -> list[str]:
    return list(Event.objects.filter(entity__in=["order", "fulfillment"]).order_by("pk").values_list("type", flat=True))


def at_warehouse(order: Order, *, calls: bool = True, **fields: Any) -> Fulfillment:
    """All of it at a warehouse that is called, or at one that asks us."""
    organization = order.organization
    wms = make_integration(organization=organization, connector="pio") if calls else None
    place = make_location(integration=wms or make_custom_integration(organization=organization))
    return make_fulfillment(order=order, location=place, **fields)


def test_an_order_that_nobody_works_on_is_cancelled_at_once():
    order = make_order(due_at=timezone.now())
    make_hindrance(order=order)
    done = cancel(order, reason="Changed his mind")
    order.refresh_from_db()
    assert (order.state, order.cancel_reason, order.due_at, order.version) == ("cancelled", "Changed his mind", None, 2)
    assert order.cancelled_at == done.cancelled_at
    assert order.cancelled_at >= order.cancel_requested_at
    assert list(order.hindrances.all()) == []
    assert told(order) == [("cancelled", "anna@foo-3pl.example")]
    assert events() == ["order.cancelled"]
    trail = Trail.objects.get()
    assert (trail.action, trail.target_id, trail.before, trail.reason) == (
        "order.cancel", str(order.pk), {"state": "new"}, "Changed his mind"
    )  # fmt: skip


def test_what_people_would_have_picked_is_free_again():
    one = handed(2, 3, by_hand=True)
    assert stock(one) == [(10, 2), (10, 3)]
    cancel(one.order)
    one.refresh_from_db()
    assert (one.state, one.order.state) == ("cancelled", "cancelled")
    assert one.finished_at
    assert stock(one) == [(10, 0), (10, 0)]
    movement = StockMovement.objects.order_by("-pk").first()
    assert (movement.cause, movement.reference, movement.actor) == ("order", str(one.order_id), ANNA.text)
    check()
    assert events() == ["fulfillment.updated", "order.cancelled"]


def test_two_lines_of_one_product_are_freed_together():
    one = handed(2, by_hand=True)
    line = one.lines.get()
    other = OrderLine.objects.create(
        organization=one.organization, order=one.order, position=1, sku="B", product=line.product, quantity=2
    )
    line.pk, line.order_line = None, other
    one.lines.filter(order_line__position=0).update(quantity=1)
    line.quantity = 1
    line.save()
    cancel(one.order)
    assert stock(one) == [(10, 0)]


@pytest.mark.parametrize("calls", [True, False])
def test_what_was_never_sent_is_not_asked_for(calls):
    order = make_order()
    one = at_warehouse(order, calls=calls, **({"owes": "send", "due_at": timezone.now()} if calls else {}))
    cancel(order)
    one.refresh_from_db()
    assert (one.state, one.owes, one.due_at, one.order.state) == ("cancelled", "", None, "cancelled")
    assert stock(one) == [(10, 0)]


def test_what_a_warehouse_has_it_is_asked_to_stop():
    order = make_order()
    one = at_warehouse(order, state="sent", fence=1, tries=3, error="unreachable")
    before = timezone.now()
    done = cancel(order)
    one.refresh_from_db()
    order.refresh_from_db()
    assert (one.state, one.owes, one.tries, one.error, one.fence) == ("sent", "cancel", 0, "", 2)
    assert before <= one.due_at <= timezone.now()
    assert (order.state, done.state, order.cancelled_at) == ("cancelling", "cancelling", None)
    assert stock(one) == [(10, 2)]
    assert (told(order), events()) == ([("cancel_asked", ANNA.text)], ["order.updated"])


def test_one_that_is_just_being_sent_is_asked_for_when_that_call_is_over():
    order, lease = make_order(), timezone.now() + timedelta(seconds=30)
    one = at_warehouse(order, owes="send", due_at=timezone.now(), fence=1, lease_until=lease)
    cancel(order)
    one.refresh_from_db()
    assert (one.state, one.owes, one.fence, one.lease_until) == ("ready", "cancel", 2, lease)
    assert not Fulfillment.objects.due().exists()
    order.refresh_from_db()
    assert order.state == "cancelling"


def test_a_warehouse_that_asks_us_learns_of_it_by_the_event():
    order = make_order()
    one = at_warehouse(order, calls=False, state="sent")
    cancel(order)
    one.refresh_from_db()
    order.refresh_from_db()
    assert (one.state, one.owes, one.version, order.state) == ("sent", "", 2, "cancelling")
    assert events() == ["fulfillment.updated", "order.updated"]


def test_of_two_warehouses_one_is_asked_and_the_other_never_hears_of_it():
    order = make_order()
    sent = at_warehouse(order, state="sent", fence=1)
    unsent = at_warehouse(order, owes="send", due_at=timezone.now())
    cancel(order)
    assert [one.state for one in (Fulfillment.objects.get(pk=one.pk) for one in (sent, unsent))] == [
        "sent",
        "cancelled",
    ]
    assert (stock(sent), stock(unsent)) == ([(10, 2)], [(10, 0)])


@pytest.mark.parametrize("calls", [True, False])
def test_what_is_being_picked_is_not_cancelled(calls):
    order = make_order()
    at_warehouse(order, calls=calls, state="picking")
    with refused("picking_in_progress"):
        cancel(order)
    order.refresh_from_db()
    assert (order.state, order.cancel_requested_at, order.version) == ("new", None, 1)
    assert (told(order), events()) == ([], [])


def test_what_has_left_is_not_cancelled():
    order = make_order()
    make_fulfillment(order=order)
    order.lines.update(shipped=1)
    with refused("order_already_fulfilled"):
        cancel(order)
    assert order.fulfillments.get().state == "ready"


def test_to_cancel_it_again_changes_nothing():
    done, asked = make_order(), make_order()
    at_warehouse(asked, state="sent", fence=1)
    for order in (done, asked):
        cancel(order)
    before = list(Order.objects.order_by("pk").values())
    for order in (done, asked):
        cancel(order, reason="again")
    assert list(Order.objects.order_by("pk").values()) == before
    assert len(told(done)) == len(told(asked)) == 1


def test_one_that_could_not_be_stopped_can_be_asked_for_again():
    order = make_order()
    one = at_warehouse(order, state="sent", fence=1)
    cancel(order)
    Fulfillment.objects.filter(pk=one.pk).update(owes="", due_at=None)
    Order.objects.filter(pk=order.pk).update(cancel_requested_at=None, state="sent")
    cancel(order)
    one.refresh_from_db()
    assert one.owes == "cancel"


def test_many_lines_take_as_many_statements_as_one():
    counts = []
    for lines in (1, 30):
        one = handed(*[1] * lines, by_hand=True)
        with CaptureQueriesContext(connection) as queries:
            cancel(one.order)
        counts.append(len(queries))
    assert counts[0] == counts[1]


@pytest.mark.django_db(transaction=True)
def test_of_several_at_once_one_cancels():
    one = handed(2, by_hand=True)
    found = at_once(4, lambda: cancel(one.order).state)
    assert found == ["cancelled"] * 4
    assert stock(one) == [(10, 0)]
    assert len(told(one.order)) == 1
