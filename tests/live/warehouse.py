"""Somebody of the 3PL who stores goods at the port of the portal; and Vendure, which is told."""

import re
import time

from playwright.sync_api import Page, expect

from .ledger import Checks, say
from .owner import Owner
from .shop import Shop

PIECES = 23
SHELF = "Shelf L-1"
WITHIN = 30.0  # seconds until the platform has heard


def publish(shop: Shop, store: str, *, owner: Owner, admin: dict[str, str], checks: Checks) -> dict[str, float]:
    """Pieces stored by hand become what Vendure itself says may be sold; picking some, too."""
    variant = shop.variants()[3]
    browser = owner.page.context.browser
    assert browser
    page = browser.new_page(locale="en-GB")
    sign_in(page, portal=owner.portal, **admin)
    make_shelf(page, portal=owner.portal)
    store_pieces(page, portal=owner.portal, sku=variant["sku"])
    took = until_available(shop, variant["id"], PIECES)
    checks.equal("what was stored by hand is what Vendure sells", shop.available(variant["id"]), PIECES)
    pick_pieces(page)
    until_available(shop, variant["id"], PIECES - 3)
    checks.equal("and what was picked is sold no more", shop.available(variant["id"]), PIECES - 3)
    page.context.close()
    owner.page.goto(store)
    told = owner.page.locator("#stock-told").inner_text()
    checks.equal("the store's page says so", "1 product, last" in " ".join(told.split()), True)
    say(f"  Vendure heard after {took:.1f} s")
    return {"heard_after": round(took, 1)}


def sign_in(page: Page, *, portal: str, email: str, password: str) -> None:
    page.goto(portal)
    page.get_by_label(re.compile("mail", re.I)).fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").first.click()
    page.wait_for_url(re.compile("/admin/"))


def make_shelf(page: Page, *, portal: str) -> None:
    page.goto(f"{portal}/admin/catalog/location/add/")
    page.locator("[name=name]").fill(SHELF)
    page.locator("[name=_save]").first.click()
    page.wait_for_url(re.compile("/admin/catalog/location/(\\?.*)?$"))


def store_pieces(page: Page, *, portal: str, sku: str) -> None:
    page.goto(f"{portal}/port/")
    box = page.get_by_role("searchbox")
    box.fill(sku)
    box.press("Enter")
    page.locator("[name=elsewhere]").fill(SHELF)
    page.locator("[name=pieces]").fill(str(PIECES))
    page.get_by_role("button", name="Store", exact=True).click()
    expect(page.get_by_text(f"{PIECES} pieces stored at {SHELF}.")).to_be_visible()


def pick_pieces(page: Page) -> None:
    page.get_by_role("link", name="Pick").first.click()
    page.locator("[name=pieces]").fill("3")
    page.get_by_role("button", name="Pick", exact=True).click()
    expect(page.get_by_text(f"3 pieces picked from {SHELF}.")).to_be_visible()


def until_available(shop: Shop, variant: str, pieces: int) -> float:
    """Seconds until Vendure says so, WITHIN at most."""
    began = time.monotonic()
    while shop.available(variant) != pieces and time.monotonic() - began < WITHIN:
        time.sleep(0.2)
    return time.monotonic() - began
