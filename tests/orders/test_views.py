"""The owner's pages of orders: what came, what it waits for, where it is, and what can be done about it."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import Role
from apps.audit.models import Entry
from apps.orders import views
from apps.orders.models import Fulfillment, Hindrance, Order
from tests.conftest import signed_in
from tests.factories import (
    TO_ANN,
    make_connection,
    make_entry,
    make_fulfillment,
    make_hindrance,
    make_integration,
    make_location,
    make_member,
    make_order,
    make_parcel,
    make_product,
    make_shop,
)
from tests.onboarding.pages import HTMX, is_part, text

pytestmark = pytest.mark.django_db
Code, State = Hindrance.Code, Order.State


@pytest.fixture
def shop(owner):
    return make_shop(integration=make_integration(organization=owner.organization, name="Vendure of Hats"))


@pytest.fixture
def order(shop):
    return make_order(shop=shop, number="#1001")


def page_of(order) -> str:
    return reverse("order", args=[order.pk])


def listed(client, **query) -> list[str]:
    """The numbers of the orders on the page."""
    return [row["order"].number for row in client.get("/orders/", query).context["rows"]]


def said(answer) -> list[str]:
    return [str(message) for message in answer.context["messages"]]


# ---- The list


def test_orders_stand_there_newest_first_and_nobody_elses(owner_client, shop):
    for number in ("#1", "#2", "#3"):
        make_order(shop=shop, number=number)
    make_order(number="#4")
    assert listed(owner_client) == ["#3", "#2", "#1"]


def test_htmx_gets_the_same_list_and_the_same_order(owner_client, order):
    make_hindrance(order=order)
    make_parcel(fulfillment=make_fulfillment(order=order))
    for address in ("/orders/", page_of(order)):
        whole, part = owner_client.get(address), owner_client.get(address, headers=HTMX)
        assert is_part(part, of=whole)


def test_the_list_goes_on_where_the_page_before_ended(owner_client, shop, monkeypatch):
    monkeypatch.setattr(views, "PAGE", 2)
    for n in range(5):
        make_order(shop=shop, number=f"#{n}")
    pages, after = [], ""
    while after is not None:
        page = owner_client.get("/orders/", {"after": after} if after else {})
        pages.append([row["order"].number for row in page.context["rows"]])
        after = page.context["next"]
    assert pages == [["#4", "#3"], ["#2", "#1"], ["#0"]]


@pytest.mark.parametrize("rows", [1, 3])
def test_the_list_takes_as_many_statements_for_any_number_of_orders(
    owner_client, shop, rows, django_assert_num_queries
):
    for n in range(rows):
        order = make_order(shop=shop)
        make_hindrance(order=order, ref=f"SKU {n}")
    with django_assert_num_queries(10):
        owner_client.get("/orders/")


def test_orders_are_found_by_number_id_email_and_sku_and_no_others(owner_client, shop):
    fields = {"number": "#7", "ext_order_id": "gid-7", "email": "ann@b.example"}
    found = make_order(shop=shop, lines=[{"sku": "HAT 1"}], **fields)
    make_order(shop=shop, number="#70", ext_order_id="gid-70", email="joann@b.example", lines=[{"sku": "HAT 10"}])
    make_order(number="#7", email="ann@b.example", lines=[{"sku": "HAT 1"}])
    asked = ["#7", "gid-7", "ANN@b.example", "HAT 1", str(found.pk), "#8", "hat 1", "%"]
    assert [listed(owner_client, q=text) for text in asked] == [["#7"]] * 5 + [[]] * 3


def test_the_list_is_narrowed_by_state_and_store(owner_client, shop, owner):
    other = make_shop(integration=shop.integration)
    make_order(shop=shop, number="#new")
    make_order(shop=shop, number="#over", state=State.FULFILLED)
    waiting = make_order(shop=other, number="#waiting", state=State.WAITING)
    make_hindrance(order=waiting)
    assert listed(owner_client, state="new") == ["#new"]
    assert listed(owner_client, state="open") == ["#waiting", "#new"]
    assert listed(owner_client, state="needs") == ["#waiting"]
    assert listed(owner_client, shop=str(other.pk)) == ["#waiting"]
    assert listed(owner_client, shop=str(shop.pk), state="fulfilled") == ["#over"]


def test_what_most_orders_wait_for_stands_on_top_with_what_to_do(owner_client, shop):
    for _ in range(3):
        make_hindrance(order=make_order(shop=shop), ref="HAT-9")
    hat = make_product(organization=shop.organization, sku="CAP-1")
    detail = {"sku": "CAP-1", "pieces": 1}
    stock = make_hindrance(
        order=make_order(shop=shop), code=Code.OUT_OF_STOCK, who="nobody", ref=str(hat.pk), detail=detail
    )
    make_hindrance(ref="HAT-9")
    page = owner_client.get("/orders/")
    assert [(one.count, one.text, one.link, one.is_urgent) for one in page.context["reasons"]] == [
        (3, "waiting for the SKU “HAT-9”", f"/unknown-skus/{shop.integration_id}/", True),
        (1, "waiting for stock of CAP-1", "", False),
    ]
    assert "3 orders: waiting for the SKU “HAT-9”" in text(page)
    assert listed(owner_client, reason="out_of_stock", ref=str(hat.pk)) == [stock.order.number]


def test_a_shipping_method_leads_to_the_warehouse_that_does_not_know_it(owner_client, shop):
    place = make_location(integration=make_integration(organization=shop.organization, account_ref="2"), name="Hall 1")
    detail = {"locations": ["Hall 1"]}
    order = make_order(shop=shop)
    make_hindrance(order=order, code=Code.UNMAPPED_METHOD, ref="Pigeon", detail=detail)
    link = f"/shipping-methods/{place.integration_id}/"
    assert [one.link for one in owner_client.get("/orders/").context["reasons"]] == [link]
    assert [one.link for one in owner_client.get(page_of(order)).context["troubles"]] == [link]


def test_home_and_the_stores_page_say_how_many_orders_wait(owner_client, owner):
    connection = make_connection(integration=make_integration(organization=owner.organization))
    make_hindrance(order=make_order(shop=connection.shop, state=State.WAITING), ref="HAT-9")
    make_order(shop=connection.shop, state=State.FULFILLED)
    assert "1 order: waiting for the SKU “HAT-9”" in text(owner_client.get("/"))
    store = text(owner_client.get(f"/stores/{connection.pk}/"))
    assert "Open orders 1 1 needs attention" in store


def test_without_orders_the_page_says_what_comes_there(owner_client):
    assert "No orders yet" in text(owner_client.get("/orders/"))


# ---- One order


def test_the_page_says_where_the_order_is_what_holds_it_and_who_must_act(owner_client, order):
    type(order).objects.update(state=State.WAITING)
    make_hindrance(order=order, ref="HAT-9")
    make_hindrance(order=order, code=Code.NO_LOCATION, ref="", who="operator")
    page = text(owner_client.get(page_of(order)))
    assert "It cannot go on until somebody does something about it." in page
    assert "We do not know the SKU “HAT-9”. Say which product it is." in page
    assert "This is for you to do." in page
    assert "There is no place it could be shipped from." in page
    assert "This is for the 3PL to do." in page


def test_the_page_shows_what_was_shipped_and_links_to_web_addresses_only(owner_client, order):
    parcel = make_parcel(
        fulfillment=make_fulfillment(order=order), tracking_number="3S1", tracking_url="https://track.example/3S1"
    )
    make_parcel(fulfillment=parcel.fulfillment, tracking_number="3S2", tracking_url="javascript:alert(1)")
    page = owner_client.get(page_of(order))
    assert ('href="https://track.example/3S1"' in page.text, "javascript:alert" in page.text) == (True, False)
    assert ("3S1" in text(page), "3S2" in text(page)) == (True, True)


def test_an_owner_reads_no_internals(owner_client, order):
    fulfillment = make_fulfillment(order=order)
    Fulfillment.objects.filter(pk=fulfillment.pk).update(error="rejected", detail="HTTP 500 from 10.0.0.7")
    make_entry(order=order, kind="found_there", is_internal=True, data={"location": "X", "remote_id": "R-SECRET"})
    make_entry(order=order, kind="released", actor="admin@foo-3pl.example")
    page = owner_client.get(page_of(order)).text
    assert [word for word in ("10.0.0.7", "R-SECRET", "admin@foo-3pl.example") if word in page] == []
    assert "the 3PL" in page


@pytest.mark.parametrize("rows", [1, 3])
def test_the_page_takes_as_many_statements_for_any_number_of_parts(
    owner_client, order, rows, django_assert_num_queries
):
    for n in range(rows):
        make_parcel(fulfillment=make_fulfillment(order=order))
        make_hindrance(order=order, ref=f"SKU {n}")
        make_entry(order=order)
    with django_assert_num_queries(13):
        owner_client.get(page_of(order))


ADDRESS = {f"to-{name}": value for name, value in TO_ANN.items()}


def test_an_address_is_completed_and_the_order_is_looked_at_again(owner_client, order, owner):
    Order.objects.filter(pk=order.pk).update(due_at=None, destination={"last_name": "de Vries"})
    data = ADDRESS | {"to-country": "nl", "to-version": str(order.version)}
    answer = owner_client.post(f"{page_of(order)}address/", data, follow=True)
    order.refresh_from_db()
    assert (said(answer), order.destination, order.due_at is None) == (["Saved."], TO_ANN, False)
    assert [(one.kind, one.actor) for one in order.entries.all()] == [("edited", owner.email)]


def test_tags_and_notes_are_changed(owner_client, order):
    data = {"tags": "vip, gift ,vip,", "notes": "Ring twice.", "version": str(order.version)}
    owner_client.post(f"{page_of(order)}notes/", data)
    order.refresh_from_db()
    assert (order.tags, order.notes) == (["vip", "gift"], "Ring twice.")


def test_what_somebody_else_changed_since_is_not_overwritten_until_it_was_seen(owner_client, order):
    Order.objects.filter(pk=order.pk).update(notes="Theirs", version=5)
    address = f"{page_of(order)}notes/"
    answer = owner_client.post(address, {"tags": "", "notes": "Mine", "version": "1"})
    order.refresh_from_db()
    assert (order.notes, "It was changed in the meantime." in text(answer)) == ("Theirs", True)
    shown = answer.context["notes"]
    assert (shown["notes"].value(), shown["version"].value()) == ("Mine", "5")
    owner_client.post(address, {"tags": "", "notes": "Mine", "version": "5"})
    order.refresh_from_db()
    assert order.notes == "Mine"


def test_what_has_left_cannot_be_changed_any_more(owner_client, order):
    Order.objects.filter(pk=order.pk).update(state=State.FULFILLED)
    answer = owner_client.post(f"{page_of(order)}notes/", {"tags": "", "notes": "Late", "version": "1"}, follow=True)
    order.refresh_from_db()
    assert (order.notes, said(answer)) == ("", ["It has left, so it cannot be changed any more."])
    assert "Change the address" not in text(owner_client.get(page_of(order)))


def test_an_order_is_cancelled_after_a_question(owner_client, order, owner):
    assert "Cancel order #1001?" in text(owner_client.get(f"{page_of(order)}cancel/"))
    assert said(owner_client.post(f"{page_of(order)}cancel/", follow=True)) == ["It is cancelled."]
    order.refresh_from_db()
    assert (order.state, order.entries.get().actor) == (State.CANCELLED, owner.email)
    assert "It cannot be cancelled any more." in text(owner_client.get(f"{page_of(order)}cancel/"))


def test_what_is_being_picked_is_not_cancelled_and_the_page_says_why(owner_client, order):
    make_fulfillment(order=order, state=Fulfillment.State.PICKING)
    answer = owner_client.post(f"{page_of(order)}cancel/", follow=True)
    assert said(answer) == ["It is being picked, so it cannot be changed any more."]


def test_a_held_order_is_released_once(owner_client, order, owner):
    later = timezone.now() + timedelta(hours=1)
    Order.objects.filter(pk=order.pk).update(state=State.HELD, release_at=later, due_at=later)
    assert said(owner_client.post(f"{page_of(order)}release/", follow=True)) == ["It goes on now."]
    order.refresh_from_db()
    assert (order.state, order.release_at <= timezone.now(), order.due_at <= timezone.now()) == (State.NEW, True, True)
    assert said(owner_client.post(f"{page_of(order)}release/", follow=True)) == ["It was not held any more."]
    assert [(one.kind, one.actor) for one in order.entries.all()] == [("released", owner.email)]


def test_a_manager_has_what_is_left_routed_again(owner_client, owner, order):
    hindrance = make_hindrance(order=order, code=Code.REJECTED, ref="", who="operator")
    Order.objects.filter(pk=order.pk).update(state=State.WAITING)
    assert "Route it again" in text(owner_client.get(page_of(order)))
    answer = owner_client.post(f"{page_of(order)}route/", follow=True)
    assert said(answer) == ["We looked for a place that what is left can be shipped from."]
    assert not type(hindrance).objects.filter(pk=hindrance.pk).exists()
    entry = Entry.objects.get()
    assert (entry.action, entry.actor, entry.target_id) == ("order.route_again", owner.email, str(order.pk))


def test_there_is_nothing_to_route_in_an_order_that_was_cancelled(owner_client, order):
    owner_client.post(f"{page_of(order)}cancel/")
    owner_client.get(page_of(order))
    answer = owner_client.post(f"{page_of(order)}route/", follow=True)
    assert said(answer) == ["There is nothing of it to be routed at the moment."]


def test_who_may_only_look_sees_no_buttons(owner, order):
    make_hindrance(order=order, code=Code.INCOMPLETE_ADDRESS, ref="city")
    viewer = signed_in(make_member(organization=owner.organization, role=Role.VIEWER))
    page = viewer.get(page_of(order))
    assert "The address is not complete: city." in text(page)
    assert [word for word in ("Cancel the order", "Change the address", "#address") if word in page.text] == []
