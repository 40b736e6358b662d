"""The owner's orders in a real browser: what waits, why, and mending it, on a desk and on a phone."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import BrowserContext, expect

from apps.orders.models import Fulfillment, Hindrance, Order

from ..factories import (
    make_connection,
    make_entry,
    make_fulfillment,
    make_hindrance,
    make_integration,
    make_location,
    make_member,
    make_order,
    make_organization,
    make_parcel,
    make_product,
)
from .conftest import listen
from .inspecting import inspect, photograph
from .owner import DESKTOP, PHONE, Owner
from .test_operations import sign_in

LONG = "HAT-" + "ABCDEFGHIJ-0123456789" * 10
NOWHERE = {"first_name": "Ann", "last_name": "de Vries", "address1": "Main Street 1", "zip": "2611 AA", "country": "NL"}
WAITING = Order.State.WAITING


@pytest.fixture
def orders(transactional_db) -> None:
    """One without a city, four with SKUs nobody knows, one long on its way, and a hundred lines of a very long SKU."""
    organization = make_organization(name="Great Hats")
    shop = make_connection(integration=make_integration(organization=organization)).shop
    hat = make_product(organization=organization, sku="HAT-RED-M", name="Red fedora, M")
    hall = make_location(organization=organization, name="Hall 1")
    shipped = make_order(
        shop=shop, number="#1001", lines=[{"sku": hat.sku, "product": hat, "name": hat.name, "quantity": 2}]
    )
    fulfillment = make_fulfillment(order=shipped, location=hall, state=Fulfillment.State.PICKING)
    make_parcel(
        fulfillment=fulfillment, carrier="PostNL", tracking_number="3SABC123", tracking_url="https://t.example/3SABC123"
    )
    Order.objects.filter(pk=shipped.pk).update(state=Order.State.PICKING)
    for kind, data in (
        ("routed", {"location": "Hall 1", "pieces": 2}),
        ("picking", {"location": "Hall 1"}),
        ("parcel", {"location": "Hall 1", "pieces": 1, "carrier": "PostNL", "tracking": "3SABC123"}),
    ):
        make_entry(order=shipped, kind=kind, data=data)
    for n in range(4):
        line = {"sku": "CAP-BLUE", "name": "Blue cap"}
        make_hindrance(order=make_order(shop=shop, number=f"#100{n + 2}", lines=[line], state=WAITING), ref="CAP-BLUE")
    many = make_order(shop=shop, number=f"#{LONG}", lines=[{"sku": f"{LONG}{n}"} for n in range(100)], state=WAITING)
    make_hindrance(order=many, ref=f"{LONG}1")
    lost = make_order(shop=shop, number="#1007", destination=NOWHERE, state=WAITING, due_at=None)
    make_hindrance(order=lost, code=Hindrance.Code.INCOMPLETE_ADDRESS, ref="city")


@pytest.fixture
def at_home(new_context: Callable[..., BrowserContext], live_server, orders) -> Iterator[Callable[..., Owner]]:
    """Opens windows in which the owner has signed in. What Chromium complains of fails the test."""
    complaints: list[str] = []
    owner = make_member(email="anna@hats.example", organization=Order.objects.all()[0].organization)

    def open_one(*, size: dict[str, int], scripts: bool = True) -> Owner:
        context = new_context(viewport=size, java_script_enabled=scripts, locale="en-GB", reduced_motion="reduce")
        page = context.new_page()
        listen(page, complaints)
        sign_in(page, owner, address=live_server.url)
        return Owner(page, facts={"portal_url": live_server.url}, scripts=scripts)

    yield open_one
    assert complaints == []


@pytest.mark.parametrize(
    ("size", "scripts"), [(DESKTOP, True), (PHONE, True), (PHONE, False)], ids=["desktop", "phone", "plain"]
)
def test_an_owner_sees_what_waits_mends_it_and_follows_an_order(size, scripts, at_home):
    person = at_home(size=size, scripts=scripts)
    page, name = person.page, "desktop" if size == DESKTOP else "phone"
    person.go("/")
    person.follow("4 orders: waiting for the SKU “CAP-BLUE”")
    person.arrives("Orders")
    expect(page.locator("#results li")).to_have_count(4)
    page.get_by_role("link", name="Show all orders").click()
    expect(page.locator("#results li")).to_have_count(7)
    inspect(person)
    photograph(person, f"orders-{name}", size=size)

    page.get_by_role("searchbox").fill("#1007")
    person.press("Search")
    expect(page.locator("#results li")).to_have_count(1)
    person.follow("#1007")
    person.arrives("Order #1007")
    expect(page.get_by_text("The address is not complete: city.")).to_be_visible()
    inspect(person)
    photograph(person, f"order-{name}", size=size)
    page.get_by_label("City").fill("Delft")
    person.press("Save the address")
    expect(page.get_by_text("Saved.")).to_be_visible()
    assert Order.objects.get(number="#1007").destination == NOWHERE | {"city": "Delft"}

    person.go("/orders/?q=%231001")
    person.follow("#1001")
    person.arrives("Order #1001")
    expect(page.get_by_role("link", name="Follow it")).to_have_attribute("href", "https://t.example/3SABC123")
    expect(page.get_by_text("Being picked at Hall 1")).to_be_visible()
    inspect(person)
    photograph(person, f"order-on-its-way-{name}", size=size)

    person.go("/orders/?q=%231002")
    person.follow("#1002")
    person.follow("Cancel the order…")
    person.arrives("Cancel order #1002?")
    inspect(person)
    person.press("Cancel the order")
    expect(page.get_by_text("It is cancelled.")).to_be_visible()


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_long_names_and_many_lines_fit(size, at_home):
    person = at_home(size=size)
    many = Order.objects.get(number=f"#{LONG}")
    person.go(f"/orders/{many.pk}/")
    expect(person.page.get_by_text("80 more lines")).to_be_visible()
    inspect(person)
    person.page.get_by_text("80 more lines").click()
    inspect(person)
