"""Letting an order go before its hold window is over."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.audit.trail import Actor
from apps.orders.models import Order
from apps.orders.releasing import release
from apps.webhooks.models import Event
from tests.factories import make_order

pytestmark = pytest.mark.django_db
ANNA = Actor("anna@hats.example")


def held(state: str = Order.State.HELD) -> Order:
    later = timezone.now() + timedelta(hours=1)
    return make_order(state=state, release_at=later, due_at=later)


def test_its_hold_ends_and_everybody_hears_of_it():
    order = held()
    assert release(order, by=ANNA) is True
    order.refresh_from_db()
    assert (order.state, order.release_at <= timezone.now(), order.due_at <= timezone.now()) == ("new", True, True)
    assert [event.data["state"] for event in Event.objects.filter(entity_id=order.pk)] == ["new"]


@pytest.mark.parametrize("state", [one for one in Order.State if one not in (Order.State.HELD, Order.State.CANCELLED)])
def test_what_is_not_held_is_left_alone(state):
    order = held(state)
    assert release(order, by=ANNA) is False
    assert order.entries.count() == 0
