"""Tags, notes and destination can be changed, until the order has left (Pio; behaviour 72)."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.api.errors import Problem
from apps.audit.models import Entry as Trail
from apps.audit.trail import Actor
from apps.orders import revising
from apps.orders.models import Fulfillment, Order
from tests.factories import make_custom_integration, make_fulfillment, make_integration, make_location, make_order
from tests.happenings import of_goods

pytestmark = pytest.mark.django_db
ANNA = Actor("anna@foo-3pl.example")
GOUDA = {"address1": "Market 1", "city": "Gouda", "zip": "2801 JG", "country": "NL", "email": "Cem@Example.com"}


def revise(order: Order, **changes: Any) -> Order:
    return revising.revise(order, changes, by=ANNA)


def at_warehouse(order: Order, *, calls: bool = True, **fields: Any) -> Fulfillment:
    """All of it at a warehouse that is called, or at one that asks us."""
    organization = order.organization
    wms = make_integration(organization=organization, connector="pio") if calls else None
    place = make_location(integration=wms or make_custom_integration(organization=organization))
    return make_fulfillment(order=order, location=place, **fields)


def events() -> list[tuple[str, int]]:
    return list(of_goods().order_by("pk").values_list("type", "sequence"))


def test_what_is_said_is_changed_and_the_rest_stays():
    order = make_order(tags=["gift"], notes="Ring twice", due_at=None, email="ann@example.com")
    before = timezone.now()
    revised = revise(order, tags=["gift", "late"], destination=GOUDA)
    order.refresh_from_db()
    assert (order.tags, order.notes, order.destination) == (["gift", "late"], "Ring twice", GOUDA)
    assert (order.email, order.version) == ("cem@example.com", 2)
    assert before <= order.due_at <= timezone.now()
    assert (revised.tags, revised.version) == (order.tags, 2)
    entry = order.entries.get()
    assert (entry.kind, entry.actor, entry.data) == ("edited", ANNA.text, {"fields": ["destination", "tags"]})
    assert events() == [("order.updated", 2)]


def test_the_trail_says_what_was_changed_and_no_address():
    order = make_order()
    revise(order, destination=GOUDA)
    trail = Trail.objects.get()
    assert (trail.action, trail.target_id, trail.after) == ("order.update", str(order.pk), {"fields": ["destination"]})
    assert trail.before == {}


def test_an_order_is_found_by_who_bought_it_wherever_it_goes():
    order = make_order(customer={"email": "Bob@Example.com"}, email="bob@example.com")
    assert revise(order, destination=GOUDA).email == "bob@example.com"


def test_what_changes_nothing_is_nothing():
    order = make_order(tags=["gift"], notes="Ring twice", due_at=None)
    at_warehouse(order, state="sent", fence=1)
    revise(order, tags=["gift"], notes="Ring twice", destination=dict(order.destination))
    order.refresh_from_db()
    assert (order.version, order.due_at, order.fulfillments.get().owes) == (1, None, "")
    assert (events(), order.entries.count(), Trail.objects.count()) == ([], 0, 0)


@pytest.mark.parametrize(
    ("state", "code"),
    [("fulfilled", "order_already_fulfilled"), ("cancelled", "conflict"), ("cancelling", "conflict")],
)
def test_one_that_is_over_is_not_changed(state, code):
    order = make_order(state=state, cancelled_at=timezone.now() if state == "cancelled" else None)
    with pytest.raises(Problem, match=f"^{code}:"):
        revise(order, notes="Late")
    assert Order.objects.get().notes == ""


@pytest.mark.parametrize("state", ["sent", "picking"])
def test_a_warehouse_that_has_it_is_told(state):
    order = make_order()
    one = at_warehouse(order, state=state, fence=1, tries=2, error="unreachable")
    before = timezone.now()
    revise(order, notes="Ring twice")
    one.refresh_from_db()
    assert (one.state, one.owes, one.tries, one.error, one.fence) == (state, "change", 0, "", 2)
    assert before <= one.due_at <= timezone.now()


def test_what_is_just_being_changed_is_changed_once_more():
    order, lease = make_order(), timezone.now() + timedelta(seconds=30)
    one = at_warehouse(order, state="sent", owes="change", due_at=timezone.now(), fence=2, lease_until=lease)
    revise(order, notes="Ring twice")
    one.refresh_from_db()
    assert (one.owes, one.fence, one.lease_until) == ("change", 3, lease)


@pytest.mark.parametrize("owes", ["send", "cancel"])
def test_what_a_warehouse_is_owed_already_is_not_forgotten(owes):
    order = make_order()
    one = at_warehouse(order, owes=owes, due_at=timezone.now(), fence=1)
    revise(order, notes="Ring twice")
    one.refresh_from_db()
    assert (one.owes, one.fence) == (owes, 1)


def test_one_that_was_never_sent_is_sent_as_it_is_then():
    order = make_order()
    one = at_warehouse(order, owes="send", due_at=timezone.now())
    revise(order, notes="Ring twice")
    one.refresh_from_db()
    assert (one.owes, one.fence, one.version) == ("send", 0, 1)


def test_a_warehouse_that_asks_us_learns_of_it_by_the_event():
    order = make_order()
    one = at_warehouse(order, calls=False, state="sent")
    revise(order, notes="Ring twice")
    one.refresh_from_db()
    assert (one.owes, one.due_at, one.version) == ("", None, 2)
    assert [kind for kind, _ in events()] == ["order.updated", "fulfillment.updated"]


def test_people_who_pick_see_it_on_their_page():
    order = make_order()
    one = make_fulfillment(order=order, state="picking")
    revise(order, notes="Ring twice")
    one.refresh_from_db()
    assert (one.owes, one.version) == ("", 1)
