"""The whole way from signing in to the products on the page, with JavaScript and without, on a desk and on a phone."""

import pytest
from playwright.sync_api import expect

from config.local.child import wait_until

from .inspecting import inspect, photograph
from .owner import DESKTOP, PHONE, Owner, Place
from .platform import id_of

HATS, SHOES = "great-hats", "great-shoes"
WAYS = {
    "scripts-desktop": (True, DESKTOP, Place(HATS, "Great Hats", "Great Hats Online")),
    "scripts-phone": (True, PHONE, Place(SHOES, "Great Shoes", "Great Shoes London")),
    "plain-desktop": (False, DESKTOP, Place(HATS, "Great Hats", "Great Hats Antwerp")),
    "plain-phone": (False, PHONE, Place(SHOES, "Sole Mates", "Sole Mates Zürich")),
}
DRAWN = "all => all.filter(one => one.complete && one.naturalWidth > 0).length"


@pytest.mark.parametrize(("scripts", "size", "place"), WAYS.values(), ids=WAYS)
def test_a_store_is_connected_and_its_products_arrive(scripts, size, place, open_window, sandbox):
    owner = open_window(scripts=scripts, size=size, is_signed_in=False)
    products = len(sandbox.truth(id_of(place, sandbox)))
    gives_permission(owner, place)
    chooses(owner, place)
    for _ in range(2):
        sandbox.fault("slow", path="/inventories/", delay=1.5)
    watches_the_import(owner, place, products=products)
    looks_around(owner, place, products=products)


def gives_permission(owner: Owner, place: Place) -> None:
    owner.go()
    sees(owner, "Sign in")
    owner.sign_in()
    sees(owner, "Your stores")
    owner.follow("Connect a store")
    sees(owner, "Where do you sell?")
    owner.press("Otter")
    sees(owner, "Log in at Otter")
    owner.logs_in_there(place.account)
    owner.press("Approve")


def chooses(owner: Owner, place: Place) -> None:
    sees(owner, "Which brand is it?")
    owner.chooses(place.brand)
    sees(owner, "Which store do you want to connect?")
    owner.page.get_by_role("radio", name=place.store).check()
    photograph(owner, "wizard-store-desktop")
    owner.press("Continue")
    sees(owner, "What shall we call it?")
    owner.press("Continue")
    sees(owner, "Is this right?")
    photograph(owner, "wizard-review-phone", size=PHONE)


def watches_the_import(owner: Owner, place: Place, *, products: int) -> None:
    owner.connect_button().click()
    sees(owner, "Your products are arriving")
    if owner.scripts:
        expect(owner.page.get_by_role("status")).to_contain_text("100 ")
        photograph(owner, "import-desktop")
    sees(owner, f"{place.store} is connected")
    expect(owner.page.get_by_role("main")).to_contain_text(f"{products} products have arrived.")


def looks_around(owner: Owner, place: Place, *, products: int) -> None:
    owner.follow("To the store")
    sees(owner, place.store)
    expect(owner.page.get_by_role("main")).to_contain_text("Connected")
    owner.follow("Look through them")
    sees(owner, "Products")
    expect(owner.page.get_by_role("navigation", name="Pages")).to_contain_text(f"{products} products")
    sees_every_picture(owner)
    owner.go()
    sees(owner, "Your stores")
    expect(owner.page.get_by_role("listitem").filter(has_text=place.store)).to_have_count(1)
    photograph(owner, "home-dark", scheme="dark")


def sees(owner: Owner, heading: str) -> None:
    owner.arrives(heading)
    inspect(owner)


def sees_every_picture(owner: Owner) -> None:
    """The sandbox has none of some of its products."""
    pictures = owner.page.get_by_role("main").locator("img")
    listed = pictures.count()
    pictures.evaluate_all("all => all.forEach(one => { one.loading = 'eager'; })")
    wait_until(lambda: pictures.evaluate_all(DRAWN) == listed, within=10)
    assert listed > 0 and pictures.evaluate_all(DRAWN) == listed
