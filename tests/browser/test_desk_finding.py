"""The one box and saved views in a real browser, at both widths and without JavaScript."""

import re
from collections.abc import Iterator

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from apps.orders.models import Order

from ..factories import make_order, make_product, make_shop, make_user, make_view
from .conftest import listen
from .owner import DESKTOP, PHONE
from .test_operations import sign_in

ORDERS = "/admin/orders/order/"
FITS = "document.documentElement.scrollWidth <= innerWidth"


@pytest.fixture
def order(transactional_db) -> Order:
    """Number #4711, among others that begin alike."""
    shop = make_shop()
    for n in range(12):
        make_order(shop=shop, number=f"#4711{n}", ext_order_id=f"x{n}", state=Order.State.WAITING)
    make_product(organization=shop.organization, sku="4711-HAT")
    return make_order(shop=shop, number="#4711", ext_order_id="x", state=Order.State.WAITING)


@pytest.fixture
def desk(page: Page, live_server, order: Order, settings) -> Iterator[Page]:
    """The browser of somebody of the 3PL. Whatever it complains about fails the test."""
    settings.DEMO = True
    complaints: list[str] = []
    listen(page, complaints)
    person = make_user(email="anna@foo-3pl.example", is_staff=True, is_superuser=True)
    make_view(user=person, name="Mine to mend")
    make_view(user=make_user(is_staff=True), name="Late ones", query="hindrance=late", is_shared=True)
    sign_in(page, person, address=live_server.url)
    yield page
    assert complaints == []


def page_of(order: Order) -> str:
    return reverse("admin:orders_order_change", args=[order.pk])


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_box_shows_what_begins_so_and_the_keys_go_through_it(size, desk, live_server, order):
    desk.set_viewport_size(size)
    desk.goto(f"{live_server.url}{ORDERS}")
    desk.keyboard.press("Control+k")
    box = desk.locator("#search-input-command")
    expect(box).to_be_focused()
    box.fill("4711")
    results = desk.locator("#command-results-list")
    expect(results.get_by_text("Exact match")).to_have_count(1)
    expect(results.get_by_role("link", name="All orders like this")).to_be_visible()
    assert desk.evaluate(FITS)
    box.press("ArrowDown")
    expect(results.locator("li.active")).to_contain_text("#4711")
    box.press("Enter")
    expect(desk).to_have_url(f"{live_server.url}{page_of(order)}")


def test_enter_leads_straight_to_what_is_called_so(desk, live_server, order):
    desk.goto(f"{live_server.url}{ORDERS}")
    desk.keyboard.press("Control+k")
    box = desk.locator("#search-input-command")
    expect(box).to_be_focused()
    box.fill(str(order.pk))
    box.press("Enter")
    expect(desk).to_have_url(f"{live_server.url}{page_of(order)}")


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_list_is_narrowed_widened_and_kept(size, desk, live_server):
    desk.set_viewport_size(size)
    desk.goto(f"{live_server.url}{ORDERS}?state__exact=waiting&source__exact=api")
    expect(desk.get_by_role("link", name="Late ones", exact=True)).to_be_visible()
    assert desk.evaluate(FITS)
    desk.get_by_role("link", name="Without the filter source").click()
    expect(desk).to_have_url(f"{live_server.url}{ORDERS}?state__exact=waiting")
    desk.get_by_role("link", name="Without the filter state").click()
    desk.goto(f"{live_server.url}{ORDERS}?source__exact=api")
    desk.get_by_role("link", name="Save this view").click()
    desk.get_by_label("Name").fill("Sent by shops")
    desk.get_by_role("button", name="Save").click()
    expect(desk).to_have_url(re.compile(r"source__exact=api$"))
    expect(desk.locator("[aria-current=true]", has_text="Sent by shops")).to_be_visible()


def test_the_page_of_the_box_works_without_scripts(new_context, live_server, order, settings):
    settings.DEMO = True
    window = new_context(java_script_enabled=False, viewport=DESKTOP).new_page()
    sign_in(window, make_user(is_staff=True, is_superuser=True), address=live_server.url)
    window.goto(f"{live_server.url}{ORDERS}")
    window.goto(f"{live_server.url}/admin/search/")
    window.get_by_label("Order number, SKU").last.fill("471")
    window.get_by_role("button", name="Search", exact=True).click()
    expect(window.locator("#content").get_by_role("heading", name="Orders")).to_be_visible()
    window.goto(f"{live_server.url}/admin/search/?s=%234711")
    expect(window).to_have_url(f"{live_server.url}{page_of(order)}")
