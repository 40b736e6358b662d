"""What comes back from a warehouse (behaviours 76, 78 and 79): facts, each of which counts once."""

from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, connection, transaction

from apps.api.errors import Problem
from apps.audit.trail import Actor
from apps.catalog.models import Location, StockLevel, StockMovement
from apps.integrations.connectors.orders import Tracking
from apps.orders import fulfilling
from apps.orders.models import Fulfillment, Parcel
from apps.webhooks.models import Event
from tests.catalog.stock import check
from tests.factories import make_fulfillment, make_integration, make_location, make_order, make_shop

from .goods import handed, line_ids, stock

pytestmark = pytest.mark.django_db
ANNA = Actor("anna@foo-3pl.example")
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
TRACKING = Tracking("DHL", "3S123", "https://dhl.example/3S123")


def told(order):
    return list(order.entries.values_list("kind", "actor"))


def again(row):
    """As it is stored now."""
    return type(row).objects.get(pk=row.pk)


def refused(code):
    return pytest.raises(Problem, match=f"^{code}:")


def test_a_warehouse_takes_it_once():
    one = handed(2, owes="send", due_at=NOON, tries=3, error="unreachable")
    fulfilling.acknowledge(one, by=ANNA, remote_id="W-1", remote_url="https://wms.example/1")
    fulfilling.acknowledge(one, by=ANNA, remote_id="W-1")
    one = again(one)
    assert (one.state, one.remote_id, one.remote_url) == ("sent", "W-1", "https://wms.example/1")
    assert (one.owes, one.due_at, one.tries, one.error) == ("", None, 0, "")
    assert one.sent_at
    assert one.order.state == "sent"
    assert told(one.order) == [("sent", "anna@foo-3pl.example")]
    events = Event.objects.filter(entity="fulfillment").values_list("type", "sequence", "data__state", "data__before")
    assert list(events) == [("fulfillment.updated", 2, "sent", "ready")]


def test_what_it_is_owed_beside_being_sent_it_is_owed_still():
    one = handed(2, owes="cancel", due_at=NOON)
    fulfilling.acknowledge(one, by=ANNA)
    assert (again(one).state, again(one).owes, again(one).due_at) == ("sent", "cancel", NOON)


def test_what_was_not_sent_is_no_longer_a_trouble_when_it_is():
    one = handed(2)
    one.order.hindrances.create(organization=one.organization, code="not_sent", ref=str(one.pk), who="warehouse")
    fulfilling.acknowledge(one, by=ANNA)
    assert not one.order.hindrances.exists()


def test_picking_begins_once():
    one = handed(2, owes="send", due_at=NOON)
    fulfilling.start_picking(one, by=ANNA)
    fulfilling.start_picking(one, by=Actor("bram"))
    fulfilling.acknowledge(one, by=ANNA)
    assert (again(one).state, again(one).owes, again(one).order.state) == ("picking", "", "picking")
    assert told(one.order) == [("picking", "anna@foo-3pl.example")]


@pytest.mark.parametrize("by_hand", [True, False])
def test_what_is_shipped_leaves_the_stock_with_its_event(by_hand):
    """Behaviour 76."""
    one = handed(2, 3, by_hand=by_hand)
    parcel = fulfilling.ship(one, by=ANNA, tracking=TRACKING, shipped_at=NOON)
    assert stock(one) == [(8, 0), (7, 0)]
    check()
    first, second = line_ids(one)
    assert parcel.lines == [[first, 2], [second, 3]]
    assert (parcel.carrier, parcel.tracking_number, parcel.tracking_url) == (
        "DHL",
        "3S123",
        "https://dhl.example/3S123",
    )
    assert (parcel.shipped_at, parcel.shop, parcel.order) == (NOON, one.order.shop, one.order)
    one = again(one)
    assert (one.state, one.order.state) == ("shipped", "fulfilled")
    assert one.finished_at
    assert list(one.lines.values_list("shipped", "order_line__shipped")) == [(2, 2), (3, 3)]
    assert Event.objects.filter(type="fulfillment.updated").values_list("data__state", flat=True).get() == "shipped"
    gone = StockMovement.objects.filter(cause="fulfillment", on_hand_change__lt=0)
    assert set(gone.values_list("reference", "entry", "actor", "integration")) == {
        (str(one.pk), str(parcel.pk), "anna@foo-3pl.example", one.integration_id)
    }
    stock_events = Event.objects.filter(type="stock.changed", data__cause="fulfillment", data__change__lt=0)
    assert sorted(stock_events.values_list("data__change", flat=True)) == [-3, -2]
    assert told(one.order) == [("parcel", "anna@foo-3pl.example")]


@pytest.mark.parametrize(("by_hand", "states"), [(True, ("picking", "picking")), (False, ("sent", "partly_fulfilled"))])
def test_a_part_may_leave_first(by_hand, states):
    one = handed(2, 3, by_hand=by_hand)
    first, second = line_ids(one)
    fulfilling.ship(one, by=ANNA, pieces={first: 2, second: 1})
    assert (again(one).state, again(one).order.state, stock(one)) == (*states, [(8, 0), (9, 2)])
    fulfilling.ship(one, by=ANNA)
    assert (again(one).state, again(one).order.state, stock(one)) == ("shipped", "fulfilled", [(8, 0), (7, 0)])
    assert [parcel.lines for parcel in one.parcels.all()] == [[[first, 2], [second, 1]], [[second, 2]]]


def test_the_same_parcel_counts_once():
    one = handed(2)
    parcel = fulfilling.ship(one, by=ANNA, pieces={line_ids(one)[0]: 1}, entry="P-1")
    assert fulfilling.ship(one, by=ANNA, entry="P-1") == parcel
    fulfilling.ship(one, by=ANNA, entry="P-2")
    assert fulfilling.ship(one, by=ANNA, entry="P-1") == parcel
    assert (stock(one), Parcel.objects.count()) == ([(8, 0)], 2)


def test_what_stays_open_when_it_is_final_is_given_back():
    one = handed(2, 3)
    first, second = line_ids(one)
    fulfilling.ship(one, by=ANNA, pieces={first: 2, second: 1}, is_final=True, reason="2 broken")
    one = again(one)
    assert (one.state, one.reason, one.order.state) == ("partly_shipped", "2 broken", "partly_fulfilled")
    assert stock(one) == [(8, 0), (9, 0)]
    check()
    hindrance = one.order.hindrances.get()
    assert (hindrance.code, hindrance.who, hindrance.ref) == ("rejected_by_warehouse", "operator", str(one.pk))
    assert hindrance.detail == {"reason": "2 broken", "pieces": 2, "location": one.location.name}


def test_products_that_are_on_two_lines_leave_together():
    one = handed(2)
    line = one.lines.get().order_line
    twin = type(line).objects.create(
        organization=one.organization, order=one.order, position=1, sku=line.sku, product=line.product, quantity=1
    )
    own = {"organization": one.organization, "product": line.product, "order_line": twin, "quantity": 1}
    one.lines.create(**own)
    StockLevel.objects.update(reserved=3)
    fulfilling.ship(one, by=ANNA)
    assert (again(one).state, stock(one)) == ("shipped", [(7, 0)])


@pytest.mark.parametrize(
    ("pieces", "code"),
    [({0: 3}, "more_than_ordered"), ({0: -1}, "validation_error"), ({0: 0}, "validation_error"),
     ({}, "validation_error"), ({99: 1}, "validation_error")],
)  # fmt: skip
def test_what_cannot_be_shipped_changes_nothing(pieces, code):
    one = handed(2)
    [line] = line_ids(one)
    with refused(code):
        fulfilling.ship(one, by=ANNA, pieces={line + key: number for key, number in pieces.items()})
    assert (stock(one), Parcel.objects.count(), again(one).version) == ([(10, 2)], 0, 1)


def test_people_ship_what_a_count_did_not_find():
    """The parcel is a fact: at most everything we know of is gone."""
    one = handed(2, by_hand=True)
    StockLevel.objects.update(on_hand=1)
    fulfilling.ship(one, by=ANNA)
    assert (again(one).state, stock(one)) == ("shipped", [(0, 0)])
    assert StockLevel.objects.get().missing == 0


def test_what_a_warehouse_shipped_beyond_its_count_is_set_off():
    one = handed(2)
    StockLevel.objects.update(on_hand=1)
    fulfilling.ship(one, by=ANNA)
    assert (again(one).state, stock(one)) == ("shipped", [(0, 0)])
    assert StockLevel.objects.get().missing == 1


def test_a_place_that_was_closed_meanwhile_still_ships():
    one = handed(2)
    Location.objects.update(is_active=False)
    fulfilling.ship(one, by=ANNA)
    assert (again(one).state, stock(one)) == ("shipped", [(8, 0)])


def test_a_platform_that_takes_such_news_is_owed_them(django_capture_on_commit_callbacks, rung):
    shop = make_shop(integration=make_integration(connector="vendure"))
    one = make_fulfillment(order=make_order(shop=shop))
    with django_capture_on_commit_callbacks(execute=True):
        parcel = fulfilling.ship(one, by=ANNA)
    assert parcel.due_at
    assert rung == ["apps.syncs.tasks.tell_parcels"]


@pytest.fixture
def rung(monkeypatch):
    """At which doors it was rung."""
    doors = []
    monkeypatch.setattr("apps.orders.packing.ring", doors.append)
    return doors


def test_an_order_whose_connector_is_gone_is_shipped_all_the_same():
    shop = make_shop(integration=make_integration(connector="gone"))
    assert fulfilling.ship(make_fulfillment(order=make_order(shop=shop)), by=ANNA).due_at is None


def test_a_refused_one_frees_its_stock_and_somebody_has_to_act():
    one = handed(2, owes="send", due_at=NOON)
    fulfilling.reject(one, by=ANNA, reason="unknown item")
    one = again(one)
    assert (one.state, one.reason, one.owes, one.due_at) == ("rejected", "unknown item", "", None)
    assert (one.order.state, stock(one)) == ("waiting", [(10, 0)])
    hindrance = one.order.hindrances.get()
    assert (hindrance.code, hindrance.who, hindrance.ref) == ("rejected_by_warehouse", "operator", str(one.pk))
    check()


def test_one_of_which_something_left_is_partly_shipped_when_the_rest_is_refused():
    one = handed(2)
    fulfilling.ship(one, by=ANNA, pieces={line_ids(one)[0]: 1})
    fulfilling.reject(one, by=ANNA, reason="broken")
    assert (again(one).state, again(one).order.state, stock(one)) == ("partly_shipped", "partly_fulfilled", [(9, 0)])


def test_one_that_is_closed_without_a_parcel_was_refused():
    one = handed(2)
    fulfilling.close(one, by=ANNA)
    assert (again(one).state, again(one).reason, stock(one)) == ("rejected", "not_all_shipped", [(10, 0)])


def is_asked_to_stop(one):
    return fulfilling.asked_to_stop(Fulfillment.objects.filter(pk=one.pk)).exists()


def asked_to_stop(*ones):
    order = again(ones[0]).order
    order.cancel_requested_at, order.state = NOON, "cancelling"
    order.save()
    Fulfillment.objects.filter(pk__in=[one.pk for one in ones]).update(state="sent", owes="cancel", due_at=NOON)


def test_an_order_is_cancelled_when_its_warehouse_has_stopped():
    one = handed(2)
    asked_to_stop(one)
    fulfilling.confirm_cancelled(one, by=ANNA)
    one = again(one)
    assert (one.state, one.owes, one.due_at, one.order.state) == ("cancelled", "", None, "cancelled")
    assert one.order.cancelled_at
    assert stock(one) == [(10, 0)]
    assert [kind for kind, _ in told(one.order)] == ["stopped", "cancelled"]
    assert Event.objects.filter(entity="order").values_list("type", flat=True).get() == "order.cancelled"


def test_a_stop_that_nobody_asked_for_waits_for_somebody():
    one = handed(2)
    fulfilling.confirm_cancelled(one, by=ANNA)
    assert (again(one).state, again(one).order.state, stock(one)) == ("cancelled", "waiting", [(10, 0)])


def test_what_left_before_it_could_be_stopped_stays_shipped_and_the_rest_is_cancelled():
    one = handed(2, 3)
    first, _second = line_ids(one)
    fulfilling.ship(one, by=ANNA, pieces={first: 1})
    asked_to_stop(one)
    fulfilling.confirm_cancelled(one, by=ANNA)
    one = again(one)
    assert (one.state, one.order.state, one.order.cancelled_at) == ("partly_shipped", "fulfilled", None)
    assert list(one.order.lines.values_list("quantity", "shipped", "cancelled")) == [(2, 1, 1), (3, 0, 3)]
    assert one.order.hindrances.get().code == "cancel_refused"
    assert stock(one) == [(9, 0), (10, 0)]


def test_an_order_that_is_all_shipped_after_all_says_so():
    one = handed(2)
    asked_to_stop(one)
    fulfilling.ship(one, by=ANNA)
    one = again(one)
    assert (one.state, one.owes, one.order.state, one.order.cancel_requested_at) == ("shipped", "", "fulfilled", None)
    assert one.order.hindrances.get().detail["code"] == "order_already_fulfilled"


def test_a_warehouse_that_cannot_stop_it_goes_on():
    """Behaviour 77."""
    one = handed(2)
    asked_to_stop(one)
    assert is_asked_to_stop(again(one))
    fulfilling.refuse_cancel(one, by=ANNA, code="picking_in_progress")
    one = again(one)
    assert (one.state, one.owes, one.order.state, one.order.cancel_requested_at) == ("sent", "", "sent", None)
    hindrance = one.order.hindrances.get()
    assert (hindrance.code, hindrance.detail["code"]) == ("cancel_refused", "picking_in_progress")
    assert not is_asked_to_stop(one)


def test_another_warehouse_may_still_stop_its_part():
    one = handed(2)
    other = make_fulfillment(order=again(one).order, location=make_location(integration=one.integration))
    asked_to_stop(one, other)
    fulfilling.refuse_cancel(one, by=ANNA, code="picking_in_progress")
    assert (again(one).order.state, is_asked_to_stop(again(one))) == ("cancelling", False)
    assert is_asked_to_stop(again(other))
    fulfilling.confirm_cancelled(other, by=ANNA)
    assert (again(one).order.state, again(other).state) == ("cancelling", "cancelled")
    fulfilling.ship(one, by=ANNA)
    assert again(one).order.state == "fulfilled"


@pytest.mark.parametrize(
    "deed",
    [
        lambda one: fulfilling.start_picking(one, by=ANNA),
        lambda one: fulfilling.ship(one, by=ANNA, entry="another"),
        lambda one: fulfilling.close(one, by=ANNA),
        lambda one: fulfilling.reject(one, by=ANNA),
        lambda one: fulfilling.confirm_cancelled(one, by=ANNA),
        lambda one: fulfilling.refuse_cancel(one, by=ANNA, code="picking_in_progress"),
    ],
)
@pytest.mark.parametrize("state", ["shipped", "partly_shipped", "rejected", "cancelled"])
def test_a_final_one_does_not_change(deed, state):
    """Behaviour 78."""
    one = handed(2)
    Fulfillment.objects.update(state=state)
    with refused("fulfillment_is_final"):
        deed(one)
    fulfilling.acknowledge(one, by=ANNA, remote_id="W-1")
    assert (again(one).state, again(one).version, again(one).remote_id) == (state, 1, "")
    assert not one.order.entries.exists()


@pytest.mark.parametrize(
    "change",
    ["state = 'ready'", "location_id = gen_random_uuid()", "reason = 'other'", "finished_at = now()", "version = 9"],
)
def test_not_even_a_statement_changes_a_final_one(change):
    """Behaviour 78."""
    one = handed(2)
    fulfilling.ship(one, by=ANNA)
    with pytest.raises(IntegrityError, match="does not change"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE orders_fulfillment SET {change}")  # noqa: S608 - ours
    assert again(one).state == "shipped"


@pytest.mark.parametrize("change", ["lines = '[]'", "tracking_number = ''", "shipped_at = now()"])
def test_not_even_a_statement_changes_a_parcel(change):
    one = handed(2)
    fulfilling.ship(one, by=ANNA, tracking=TRACKING, shipped_at=NOON)
    with pytest.raises(IntegrityError, match="does not change"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE orders_parcel SET {change}")  # noqa: S608 - ours
    assert Parcel.objects.get().tracking_number == "3S123"
