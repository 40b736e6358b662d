"""The port in a real browser: scan, store, pick, count, and ask why, on a desk and on a phone."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import BrowserContext, expect

from apps.catalog.models import StockLevel

from ..factories import make_level, make_location, make_organization, make_product, make_user
from .conftest import listen
from .inspecting import inspect, photograph
from .owner import DESKTOP, PHONE, Owner
from .test_operations import sign_in

HAT = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 80 80'%3E%3Crect width='80' height='80' "
    "fill='%23f5e6d8'/%3E%3Cpath d='M24 44c0-30 32-30 32 0z' fill='%23b3382c'/%3E%3Cpath d='M12 46c18 9 38 9 56 0l-3 9"
    "c-16 7-34 7-50 0z' fill='%238d2a20'/%3E%3C/svg%3E"
)


@pytest.fixture
def goods(transactional_db) -> None:
    customer = make_organization(name="Great Hats")
    make_organization(name="Great Shoes")
    hat = make_product(
        organization=customer, sku="HAT-RED-M", name="Red fedora, M", barcodes=["4006381333931"], image_src=HAT
    )
    make_product(organization=customer, sku="HAT-BLUE-M", name="Blue fedora, M")
    make_level(product=hat, location=make_location(organization=customer, name="A-1"), on_hand=12, reserved=2)
    make_location(organization=customer, name="Grid 7", kind="grid")


@pytest.fixture
def at_the_port(
    new_context: Callable[..., BrowserContext], live_server, goods, settings
) -> Iterator[Callable[..., Owner]]:
    """Opens windows in which somebody of the 3PL has signed in. What Chromium complains of fails the test."""
    settings.DEMO = True
    complaints: list[str] = []
    person = make_user(email="anna@foo-3pl.example", is_staff=True, is_superuser=True)

    def open_one(*, size: dict[str, int], scripts: bool = True) -> Owner:
        context = new_context(viewport=size, java_script_enabled=scripts, locale="en-GB", reduced_motion="reduce")
        page = context.new_page()
        listen(page, complaints)
        sign_in(page, person, address=live_server.url)
        return Owner(page, facts={"portal_url": live_server.url}, scripts=scripts)

    yield open_one
    assert complaints == []


@pytest.mark.parametrize(
    ("size", "scripts"), [(DESKTOP, True), (PHONE, True), (PHONE, False)], ids=["desktop", "phone", "plain"]
)
def test_goods_are_scanned_stored_picked_counted_and_explained(size, scripts, at_the_port):
    person = at_the_port(size=size, scripts=scripts)
    page = person.page
    name = "desktop" if size == DESKTOP else "phone"
    person.go("/port/")
    inspect(person)
    person.follow("Great Hats")
    person.arrives("Port")
    inspect(person)
    box = page.get_by_role("searchbox")
    expect(box).to_be_focused()
    box.press_sequentially("fedora")
    if not scripts:
        person.press("Find")
    expect(page.get_by_role("link", name="Red fedora, M")).to_be_visible()
    expect(page.locator(".port-found").nth(1)).to_contain_text("A-1: 12")
    inspect(person)
    box.fill("4006381333931")
    box.press("Enter")
    person.arrives("Red fedora, M")
    assert page.locator(".port-head img").evaluate("one => one.decode().then(() => one.naturalWidth > 0)")
    inspect(person)
    photograph(person, f"port-{name}", size=size)

    if scripts:
        more = page.get_by_role("button", name="One more")
        more.click()
        more.click()
    else:
        page.get_by_label("Pieces").fill("3")
    page.get_by_label("Or another location").fill("grid 7")
    page.get_by_role("button", name="Store", exact=True).click()
    expect(page.get_by_text("3 pieces stored at Grid 7.")).to_be_visible()

    person.follow("Pick")
    page.get_by_role("radio", name="Grid 7").check()
    page.get_by_label("Pieces").fill("4")
    page.get_by_role("button", name="Pick", exact=True).click()
    expect(page.get_by_text("Only 3 pieces are at Grid 7. Nothing was changed.").first).to_be_visible()
    inspect(person)
    page.get_by_label("Pieces").fill("2")
    page.get_by_role("button", name="Pick", exact=True).click()
    expect(page.get_by_text("2 pieces picked from Grid 7.")).to_be_visible()

    person.follow("Count")
    page.get_by_role("radio", name="A-1").check()
    page.get_by_label("Pieces there now").fill("11")
    page.get_by_label("Why you counted").fill("Yearly count")
    inspect(person)
    page.get_by_role("button", name="Save the count").click()
    expect(page.get_by_text("11 pieces counted at A-1.")).to_be_visible()
    assert sorted(StockLevel.objects.values_list("location__name", "on_hand")) == [("A-1", 11), ("Grid 7", 1)]

    person.follow("Why this number?")
    expect(page.get_by_text("12 in stock − 2 reserved = 10 available.")).to_be_visible()
    expect(page.get_by_text("Yearly count")).to_be_visible()
    inspect(person)
    photograph(person, "why-desktop")


def test_a_scan_is_read_wherever_the_focus_was_left(at_the_port):
    person = at_the_port(size=DESKTOP)
    person.go("/port/")
    person.follow("Great Hats")
    person.page.get_by_role("searchbox").fill("HAT-BLUE-M")
    person.page.keyboard.press("Enter")
    person.arrives("Blue fedora, M")
    person.page.get_by_role("heading", level=1).click()
    person.page.keyboard.type("4006381333931")
    person.page.keyboard.press("Enter")
    person.arrives("Red fedora, M")
