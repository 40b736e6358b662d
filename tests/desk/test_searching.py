"""The one box: what it shows of what it found, to whom, and where it leads."""

import re

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.desk.finding import MOST
from apps.integrations.models import Integration
from apps.orders.models import Order
from tests.conftest import signed_in
from tests.factories import (
    make_connection,
    make_event,
    make_fulfillment,
    make_key,
    make_order,
    make_parcel,
    make_product,
    make_receipt,
    make_shop,
    make_store,
    make_user,
)

SEARCH = "/admin/search/"
TYPING = {"HX-Request": "true"}


def groups(client, text):
    """What is under the box while somebody types, as kind and titles."""
    page = client.get(SEARCH, {"s": text}, headers=TYPING)
    return [(group.name, [hit.title for hit in group.hits]) for group in page.context["groups"]]


def test_each_hit_says_its_kind_its_organization_and_its_state(staff_client):
    order = make_order(number="#4711", state=Order.State.WAITING, shop=make_shop())
    page = staff_client.get(SEARCH, {"s": "4711"}, headers=TYPING)
    ((group,), (hit,)) = page.context["groups"], page.context["groups"][0].hits
    assert (group.name, hit.title, hit.organization, hit.state, hit.is_exact) == (
        "orders", "#4711", order.organization.name, "Needs attention", True
    )  # fmt: skip
    assert [text for text in ("Needs attention", order.organization.name, "Exact match") if text not in page.text] == []


def test_exact_hits_come_first_then_what_begins_so(staff_client):
    shop = make_shop()
    make_order(shop=shop, number="AB-12", ext_order_id="x1")
    make_product(sku="AB-1", organization=shop.organization)
    make_order(shop=shop, number="AB-11", ext_order_id="x2")
    assert groups(staff_client, "ab-1") == [("products", ["AB-1"]), ("orders", ["AB-11", "AB-12"])]


def test_so_many_of_a_kind_are_shown_and_all_others_are_a_link_away(staff_client):
    shop = make_shop()
    for n in range(MOST + 3):
        make_order(shop=shop, number=f"Z-{n:02}", ext_order_id=f"x{n}")
    make_order(shop=shop, number="Y-1", ext_order_id="y")
    page = staff_client.get(SEARCH, {"s": "z-"}, headers=TYPING)
    (group,) = page.context["groups"]
    assert (len(group.hits), group.more) == (MOST, "/admin/orders/order/?q=z-")
    assert "All orders like this" in page.text
    listed = staff_client.get(group.more).context["cl"].result_list
    assert len(listed) == MOST + 3
    assert [hit.number for hit in group.hits] + [group.more_number] == list(range(1, MOST + 2))


@pytest.mark.parametrize(
    ("make", "text", "address"),
    [
        (lambda: make_parcel(tracking_number="3STEST1"), "3STES", "/admin/orders/parcel/"),
        (
            lambda: make_parcel(fulfillment=make_fulfillment(order=make_order(number="#77"))),
            "7",
            "/admin/orders/parcel/",
        ),
        (lambda: make_fulfillment(remote_id="WH-55"), "wh", "/admin/orders/fulfillment/"),
        (lambda: make_fulfillment(order=make_order(number="#4711")), "#47", "/admin/orders/fulfillment/"),
        (lambda: make_product(sku="HAT-1"), "hat", "/admin/catalog/product/"),
        (lambda: make_product(name="Great hat"), "GREAT H", "/admin/catalog/product/"),
        (lambda: make_product(name=f"{'long ' * 20}hat"), f"{'long ' * 20}h", "/admin/catalog/product/"),
        (lambda: make_receipt(remote_id="evt_77"), "EVT_", "/admin/webhooks/receipt/"),
        (lambda: make_connection(ext_shop_id="shop-north"), "shop-n", "/admin/shops/connection/"),
        (lambda: make_store(ext_id="platform-9"), "platf", "/admin/accounts/store/"),
    ],
    ids=["parcel", "order", "fulfillment", "its-order", "product", "name", "long", "receipt", "connection", "store"],
)
def test_a_list_finds_by_a_beginning_what_the_box_finds(make, text, address, staff_client):
    row = make()
    assert list(staff_client.get(address, {"q": text}).context["cl"].result_list) == [row]


@pytest.mark.parametrize("name", ["catalog_product", "orders_order", "orders_fulfillment", "orders_parcel"])
def test_a_long_list_is_never_read_through_for_a_text_in_the_middle_of_a_name(name, staff_client):
    with CaptureQueriesContext(connection) as queries:
        staff_client.get(reverse(f"admin:{name}_changelist"), {"q": "nowhere"})
    looked = [query["sql"] for query in queries if "nowhere" in query["sql"].casefold()]
    assert looked
    assert [sql for sql in looked if re.search(r"::text\) (LIKE|=) UPPER\(", sql)] == []  # contains, or is in any case


def test_enter_leads_straight_to_the_only_row_that_is_called_so(staff_client):
    order = make_order(number="#4711")
    make_order(number="#47112")
    for text in ("#4711", "4711", str(order.pk)):
        assert staff_client.get(SEARCH, {"s": text}).headers["Location"] == f"/admin/orders/order/{order.pk}/change/"


def test_a_bare_number_is_the_orders_before_it_is_an_events(staff_client):
    event = make_event()
    order = make_order(number=str(event.pk), ext_order_id="x")
    leads_to = staff_client.get(SEARCH, {"s": order.number}).headers["Location"]
    assert leads_to == f"/admin/orders/order/{order.pk}/change/"
    order.lines.all().delete()
    order.delete()
    leads_to = staff_client.get(SEARCH, {"s": order.number}).headers["Location"]
    assert leads_to == f"/admin/webhooks/event/{event.pk}/change/"


def test_where_several_are_called_so_all_are_shown(staff_client):
    made = make_connection()
    page = staff_client.get(SEARCH, {"s": made.ext_shop_id})
    assert [group.name for group in page.context["groups"]] == ["connections", "shops"]


def test_only_kinds_that_one_may_look_at_are_found(db, settings):
    settings.DEMO = True
    shop = make_shop()
    make_order(shop=shop, number="#4711")
    make_product(organization=shop.organization, sku="#4711")
    person = make_user(is_staff=True)
    assert groups(signed_in(person), "#4711") == []
    person.user_permissions.add(Permission.objects.get(codename="view_product"))
    assert groups(signed_in(person), "#4711") == [("products", ["#4711"])]


def test_nobody_else_finds_anything(owner_client, client):
    make_order(number="#4711")
    assert [one.get(SEARCH, {"s": "#4711"}).status_code for one in (owner_client, client)] == [302, 302]


def test_a_whole_key_is_neither_looked_for_nor_shown(staff_client):
    token = make_key()
    page = staff_client.get(SEARCH, {"s": token}, follow=True)
    assert token not in page.text
    assert page.redirect_chain[-1][0].startswith("/admin/integrations/apikey/")


def test_lists_are_found_by_their_names(staff_client):
    assert ("lists", ["Saved views"]) not in groups(staff_client, "zz")
    assert groups(staff_client, "Deliver")[-1] == ("lists", ["Deliveries"])


@pytest.mark.parametrize("text", ["", "a", " ", "a" * 300])
def test_what_cannot_be_looked_for_is_answered_with_what_to_type(text, staff_client):
    page = staff_client.get(SEARCH, {"s": text})
    assert (page.status_code, "Type two letters or more." in page.text) == (200, True)


def test_nothing_found_is_said(staff_client):
    assert "Nothing is called “zzz”" in staff_client.get(SEARCH, {"s": "zzz"}).text
    assert "Nothing is called so." in staff_client.get(SEARCH, {"s": "zzz"}, headers=TYPING).text


def test_an_integration_of_a_connector_that_was_removed_is_found(staff_client):
    made = make_connection()
    Integration.objects.update(connector="gone")
    assert staff_client.get(SEARCH, {"s": str(made.integration_id)}).status_code == 302


@pytest.mark.parametrize("text", ["match", "00000000-0000-7000-8000-000000000000"])
def test_a_look_costs_the_same_whatever_there_is(text, staff_client):
    def make(n):
        shop = make_shop()
        make_order(shop=shop, number=f"match {n}", ext_order_id=f"match-{n}", email="")
        make_product(organization=shop.organization, sku=f"match {n}")
        make_user(email=f"match{n}@hats.example")
        make_connection(name=f"match {n}")

    make(0)
    staff_client.get(SEARCH, {"s": text})
    with CaptureQueriesContext(connection) as one:
        staff_client.get(SEARCH, {"s": text})
    for n in range(1, 12):
        make(n)
    with CaptureQueriesContext(connection) as many:
        staff_client.get(SEARCH, {"s": text})
    assert len(many) == len(one) < 30
