"""Picking by hand: who picks what in which order, and that no two of them ship it (behaviours 70, 75 and 93)."""

from uuid import uuid4

import pytest

from apps.api.errors import Problem
from apps.audit.trail import Actor
from apps.integrations.connectors.orders import Tracking
from apps.orders import picking
from apps.orders.models import Fulfillment, Parcel
from tests.factories import make_organization

from .goods import handed, line_ids, stock

pytestmark = pytest.mark.django_db
ANNA, BRAM = Actor("anna@foo-3pl.example"), Actor("bram@foo-3pl.example")
TRACKING = Tracking("DHL", "3S1")


def ship(one, *, by=ANNA, version=1, pieces=None, entry="", **said):
    pieces = dict.fromkeys(line_ids(one), 2) if pieces is None else pieces
    return picking.ship(one, by=by, version=version, pieces=pieces, tracking=TRACKING, entry=entry, **said)


def refused(code):
    return pytest.raises(Problem, match=rf"^{code}:")


def test_the_most_urgent_are_picked_first_then_the_oldest():
    """Behaviour 75."""
    first = handed(2, 1, by_hand=True)
    later, urgent = (handed(1, by_hand=True, priority=priority) for priority in (0, 5))
    handed(1), handed(1, by_hand=True, state="shipped")
    begun = handed(1, by_hand=True, state="picking", priority=1)
    assert [(one, one.pieces) for one in picking.to_pick()] == [(urgent, 1), (begun, 1), (first, 3), (later, 1)]
    assert list(picking.to_pick(first.organization)) == [first]
    later.organization.is_active = False
    later.organization.save()
    assert later not in picking.to_pick()
    assert list(picking.to_pick(make_organization())) == []


def test_who_has_begun_is_known():
    one = handed(2, by_hand=True)
    assert picking.picker_of(one) is None
    begun = picking.begin(one, by=ANNA, version=1)
    picker = picking.picker_of(begun)
    assert (picker.name, begun.state, begun.version) == ("anna@foo-3pl.example", "picking", 2)


def test_the_second_picker_is_told():
    one = handed(2, by_hand=True)
    picking.begin(one, by=ANNA, version=1)
    with refused("stale_version"):
        picking.begin(one, by=BRAM, version=1)
    with refused("stale_version"):
        ship(one, by=BRAM, version=1, entry=str(uuid4()))
    with refused("stale_version"):
        picking.put_back(one, by=BRAM, version=1, reason="nothing there")
    ship(one, version=2)
    with refused("fulfillment_is_final"):
        ship(one, by=BRAM, version=3, entry=str(uuid4()))
    assert (stock(one), Parcel.objects.count()) == ([(8, 0)], 1)


def test_a_form_that_is_sent_twice_ships_once():
    one, entry = handed(2, by_hand=True), str(uuid4())
    assert ship(one, entry=entry) == ship(one, entry=entry)
    assert (stock(one), Parcel.objects.count()) == ([(8, 0)], 1)


def test_what_is_missing_is_said_with_its_reason():
    one = handed(2, by_hand=True)
    ship(one, pieces={line_ids(one)[0]: 1}, is_final=True, reason="1 broken")
    one = Fulfillment.objects.get()
    assert (one.state, one.reason, stock(one)) == ("partly_shipped", "1 broken", [(9, 0)])


def test_nothing_that_was_there_frees_the_stock_and_waits_for_somebody():
    one = picking.put_back(handed(2, by_hand=True), by=ANNA, version=1, reason="shelf is empty")
    assert (one.state, one.reason, one.order.state, stock(one)) == (
        "rejected", "shelf is empty", "waiting", [(10, 0)]
    )  # fmt: skip
