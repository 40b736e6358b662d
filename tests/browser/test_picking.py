"""Picking orders by hand in a real browser: on a desk, on a phone, and without scripts (behaviours 70 and 93)."""

import pytest
from playwright.sync_api import expect

from apps.accounts.models import Organization
from apps.catalog.models import Location, Product, StockLevel
from apps.orders.models import Fulfillment

from ..factories import make_custom_integration, make_fulfillment, make_order, make_shop
from .inspecting import inspect, photograph
from .owner import DESKTOP, PHONE
from .test_port import at_the_port, goods  # noqa: F401 - fixtures

NOTES = "It is a present: wrap it, and put the card on top.\nNo invoice in the parcel."


@pytest.fixture
def order(goods):  # noqa: F811
    customer = Organization.objects.get(name="Great Hats")
    shop = make_shop(integration=make_custom_integration(organization=customer, category="shop"))
    lines = [
        {"sku": one.sku, "product": one, "name": one.name, "quantity": 2} for one in Product.objects.order_by("pk")
    ]
    shelf = Location.objects.get(name="A-1")
    urgent = make_order(shop=shop, number="#2042", lines=lines, notes=NOTES, tags=["gift", "express"])
    later = make_order(shop=shop, number="#2041", lines=lines[:1])
    make_fulfillment(order=later, location=shelf)
    make_fulfillment(order=urgent, location=shelf, priority=10, service_name="Next day")
    return urgent


@pytest.mark.parametrize(
    ("size", "scripts"), [(DESKTOP, True), (PHONE, True), (PHONE, False)], ids=["desktop", "phone", "plain"]
)
def test_an_order_is_picked_with_what_is_there(size, scripts, at_the_port, order):  # noqa: F811
    person = at_the_port(size=size, scripts=scripts)
    page = person.page
    name = "desktop" if size == DESKTOP else "phone"
    person.go("/port/")
    person.follow("Great Hats")
    person.follow("Pick orders")
    person.arrives("Pick orders")
    inspect(person)
    if scripts:
        photograph(person, f"picks-{name}", size=size)
    expect(page.locator(".port-found").first).to_contain_text("#2042")
    person.follow("#2042")
    person.arrives("Order #2042")
    person.press("I pick this one")
    person.arrives("Order #2042")
    expect(page.locator(".port-notes")).to_contain_text("wrap it")
    inspect(person)
    if scripts:
        photograph(person, f"pick-{name}", size=size)
    page.get_by_label("Red fedora, M").fill("1")
    page.get_by_label("Tracking number").fill("3S12345")
    person.press("Picked and packed")
    expect(page.get_by_role("alert")).to_contain_text("Say what becomes of the rest")
    inspect(person)
    page.get_by_label("It is not there, or not good").check()
    page.get_by_label("What is missing, and why").fill("1 red fedora is torn")
    person.press("Picked and packed")
    person.arrives("Pick orders")
    expect(page.get_by_text("3 pieces of #2042 are on their way.")).to_be_visible()
    inspect(person)
    picked = Fulfillment.objects.get(order=order)
    assert (picked.state, picked.reason) == ("partly_shipped", "1 red fedora is torn")
    assert picked.parcels.get().tracking_number == "3S12345"
    assert StockLevel.objects.get(product__sku="HAT-RED-M", location__name="A-1").on_hand == 11
