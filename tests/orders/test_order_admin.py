"""The 3PL's pages of orders: what waits and why, all that happened, and what can be done about it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.audit.models import Entry as Deed
from apps.orders.models import Fulfillment, Hindrance, Order, Parcel
from tests.conftest import signed_in
from tests.factories import (
    make_entry,
    make_fulfillment,
    make_hindrance,
    make_integration,
    make_location,
    make_order,
    make_parcel,
    make_shop,
    make_user,
)
from tests.onboarding.pages import text

pytestmark = pytest.mark.django_db
LIST = "/admin/orders/order/"
State = Order.State


@pytest.fixture
def order():
    return make_order(number="#7", ext_order_id="gid-7", email="ann@b.example", lines=[{"sku": "HAT 1"}])


def listed(client, **query) -> list[str]:
    return [one.number for one in client.get(LIST, query).context["cl"].result_list]


def owed() -> Fulfillment:
    """One that its warehouse did not take."""
    integration = make_integration()
    place = make_location(integration=integration)
    failed = {"owes": "send", "due_at": timezone.now() + timedelta(hours=1), "tries": 4, "error": "rejected"}
    return make_fulfillment(order=make_order(shop=make_shop(integration=integration)), location=place, **failed)


@pytest.mark.parametrize("asked", ["#7", "gid-7", "ANN@b.example", "HAT 1"])
def test_an_order_is_found_by_what_people_have_at_hand(staff_client, order, asked):
    make_order(number="#70", ext_order_id="gid-70", email="joann@b.example", lines=[{"sku": "HAT 10"}])
    assert listed(staff_client, q=asked) == ["#7"]
    assert listed(staff_client, q=str(order.pk)) == ["#7"]


def test_the_list_says_why_each_waits_and_who_must_act(staff_client, order):
    make_hindrance(order=order, ref="HAT 1")
    make_hindrance(order=order, code=Hindrance.Code.OUT_OF_STOCK, who="nobody", ref="5", detail={"sku": "CAP 2"})
    page = text(staff_client.get(LIST))
    assert "We do not know the SKU “HAT 1”. (the store's owner)" in page
    assert "There are not enough pieces of CAP 2." in page


def test_the_list_is_narrowed_by_what_orders_wait_for(staff_client, order):
    make_hindrance(order=order)
    late = make_hindrance(order=make_order(number="#late"), code=Hindrance.Code.EDITED_LATE, ref="").order
    assert listed(staff_client, hindrance="unknown_sku") == ["#7"]
    assert listed(staff_client, hindrance="late") == [late.number]
    assert listed(staff_client, hindrance="bug") == []


def test_the_page_has_the_whole_history_with_internals(staff_client, order):
    make_entry(order=order, kind="found_there", is_internal=True, data={"location": "Hall 1", "remote_id": "R1"})
    page = text(staff_client.get(f"{LIST}{order.pk}/change/"))
    assert "Hall 1 had it already, as R1: it was not sent twice" in page


def test_a_held_order_is_released_from_its_page(staff_client, staff, order):
    later = timezone.now() + timedelta(hours=1)
    Order.objects.filter(pk=order.pk).update(state=State.HELD, release_at=later, due_at=later)
    assert "Release #7 now?" in text(staff_client.get(f"{LIST}{order.pk}/release/"))
    staff_client.post(f"{LIST}{order.pk}/release/")
    order.refresh_from_db()
    assert (order.state, order.entries.get().actor) == (State.NEW, staff.email)
    assert Deed.objects.get(action="order.release").organization_id == order.organization_id


def test_an_order_is_cancelled_from_its_page(staff_client, staff, order):
    staff_client.post(f"{LIST}{order.pk}/cancel/")
    order.refresh_from_db()
    assert (order.state, order.entries.get().actor) == (State.CANCELLED, staff.email)


def test_what_cannot_be_cancelled_says_why_and_stays(staff_client, order):
    make_fulfillment(order=order, state=Fulfillment.State.PICKING)
    answer = staff_client.post(f"{LIST}{order.pk}/cancel/")
    order.refresh_from_db()
    assert (answer.status_code, order.is_cancelled) == (422, False)


def test_what_was_refused_is_routed_again_from_the_orders_page(staff_client, order):
    make_hindrance(order=order, code=Hindrance.Code.REJECTED, ref="")
    staff_client.post(f"{LIST}{order.pk}/route_again/")
    assert not order.hindrances.filter(code=Hindrance.Code.REJECTED).exists()


def test_a_warehouse_is_told_again_at_once(staff_client, staff):
    untaken = owed()
    staff_client.post(f"/admin/orders/fulfillment/{untaken.pk}/again/")
    untaken.refresh_from_db()
    assert (untaken.due_at <= timezone.now(), untaken.tries, untaken.error) == (True, 0, "rejected")
    assert [(one.kind, one.actor) for one in untaken.order.entries.all()] == [("send_again", staff.email)]


def test_a_platform_is_told_again_at_once(staff_client, staff):
    parcel = make_parcel(error="not_found", tries=7)
    staff_client.post(f"/admin/orders/parcel/{parcel.pk}/again/")
    parcel.refresh_from_db()
    assert (parcel.due_at <= timezone.now(), parcel.tries) == (True, 0)
    assert [(one.kind, one.actor) for one in parcel.order.entries.all()] == [("tell_again", staff.email)]


def test_who_knows_already_is_told_nothing_again(staff_client):
    parcel, taken = make_parcel(told_at=timezone.now()), make_fulfillment()
    answers = [
        staff_client.post(f"/admin/orders/parcel/{parcel.pk}/again/"),
        staff_client.post(f"/admin/orders/fulfillment/{taken.pk}/again/"),
    ]
    assert [answer.status_code for answer in answers] == [403, 403]
    assert (Parcel.objects.get(pk=parcel.pk).due_at, Fulfillment.objects.get(pk=taken.pk).due_at) == (None, None)


def test_what_another_system_did_not_take_is_listed(staff_client):
    untaken = owed()
    make_fulfillment()
    page = staff_client.get("/admin/orders/fulfillment/", {"owed": "failed"})
    assert list(page.context["cl"].result_list) == [untaken]


def test_a_link_of_a_warehouse_is_a_web_address_or_no_link(staff_client):
    parcel = make_parcel(tracking_url="javascript:alert(1)")
    page = staff_client.get(f"/admin/orders/parcel/{parcel.pk}/change/")
    assert 'href="javascript:' not in page.text


@pytest.mark.parametrize("deed", ["release", "route_again", "cancel"])
def test_who_may_not_change_orders_does_nothing_to_one(settings, order, deed):
    settings.DEMO = True
    Order.objects.filter(pk=order.pk).update(state=State.HELD)
    answer = signed_in(make_user(is_staff=True)).post(f"{LIST}{order.pk}/{deed}/")
    order.refresh_from_db()
    assert (answer.status_code, order.state, order.entries.count()) == (403, State.HELD, 0)
