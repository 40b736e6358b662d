"""An order's state follows from its fulfilments alone, in whatever order they got there (behaviour 79)."""

from itertools import permutations, product

import pytest
from django.utils import timezone

from apps.audit.trail import Actor
from apps.orders import fulfilling
from apps.orders.models import Fulfillment, FulfillmentLine, Hindrance, Order, OrderLine
from apps.orders.standing import state_of
from tests.factories import make_fulfillment, make_order

WMS = Actor("Custom 1")
REFUSED = ("rejected", "partly_shipped")
SHIPPED = {"shipped": 2, "partly_shipped": 1}  # of the two pieces that each is to ship


def stands(states):
    """The state of an order with one fulfilment of each state, each for a line of its own."""
    now = timezone.now()
    lines = [OrderLine(quantity=2, cancelled=0, is_excluded=False, shipped=SHIPPED.get(state, 0)) for state in states]
    fulfillments = [Fulfillment(state=state) for state in states]
    hindrances = [
        Hindrance(code="rejected_by_warehouse") for state in states if state in ("rejected", "partly_shipped")
    ]
    return state_of(Order(release_at=now), lines=lines, fulfillments=fulfillments, hindrances=hindrances, now=now)


def expected(states):
    live = set(states) & {"ready", "sent", "picking"}
    left = any(state in SHIPPED for state in states)
    if set(states) == {"shipped"}:
        return "fulfilled"
    if "picking" in live:
        return "picking"
    if left:
        return "partly_fulfilled"
    if live:
        return "sent" if live == {"sent"} else "ready"
    return "waiting" if "rejected" in states else "new"


@pytest.mark.parametrize("count", [1, 2, 3])
def test_the_state_follows_from_the_fulfilments_alone(count):
    for states in product(Fulfillment.State.values, repeat=count):
        assert (states, stands(states)) == (states, expected(states))
        assert {stands(order) for order in permutations(states)} == {stands(states)}


DEEDS = {
    "all": lambda one: fulfilling.ship(one, by=WMS),
    "some": lambda one: fulfilling.ship(one, by=WMS, pieces={one.lines.get().order_line_id: 1}, is_final=True),
    "none": lambda one: fulfilling.reject(one, by=WMS),
}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("deeds", "state"),
    [
        (("all",), "fulfilled"),
        (("some",), "partly_fulfilled"),
        (("none",), "waiting"),
        (("all", "all"), "fulfilled"),
        (("all", "none"), "partly_fulfilled"),
        (("none", "none"), "waiting"),
        (("all", "all", "all"), "fulfilled"),
        (("all", "some", "none"), "partly_fulfilled"),
        (("none", "none", "none"), "waiting"),
    ],
)
def test_whatever_comes_first_the_order_ends_the_same(deeds, state):
    for order in set(permutations(deeds)):
        ones = split(len(order))
        for one, deed in zip(ones, order, strict=True):
            DEEDS[deed](one)
        assert (order, Order.objects.get(pk=ones[0].order_id).state) == (order, state)


def split(count):
    """Fulfilments of one order, each of two pieces of its line at a place of its own."""
    order = make_order()
    order.lines.update(quantity=2 * count)
    ones = [make_fulfillment(order=order) for _ in range(count)]
    FulfillmentLine.objects.update(quantity=2)
    return ones
