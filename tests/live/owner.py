"""A store owner in Chromium, on the portal's own pages; found by their roles and labels, as people find things."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from playwright.sync_api import Page, expect

from config.local.stopping import StopSignals

IMPORT_SECONDS = 240
ARRIVAL_SECONDS = 90


class Owner:
    """Raises Playwright's errors when the portal does not show what it should."""

    def __init__(self, page: Page, *, portal: str, pictures: Path, stop: StopSignals) -> None:
        self.page = page
        self.portal = portal
        self.pictures = pictures
        self.stop = stop

    def sign_in(self, email: str, password: str) -> None:
        self.page.goto(self.portal)
        self.page.get_by_label(re.compile("mail", re.I)).fill(email)
        self.page.get_by_label("Password").fill(password)
        self._press("Sign in")
        self._arrive("Your stores")

    def organization(self) -> str:
        """What the page of their stores says they work for."""
        self.page.goto(self.portal)
        return self.page.locator(".page-header .lead").inner_text()

    def let_in(self, address: str) -> str:
        """Goes where an application sends them, agrees, and comes back to it. What the page said."""
        self.page.goto(address)
        said = self.page.get_by_role("main").inner_text()
        self._photograph("consent")
        self._press("Allow ")
        self._arrive("Thank you")
        return said

    def apps(self) -> str:
        """What the page of connected apps says."""
        self.page.goto(f"{self.portal}/apps/")
        self._photograph("apps")
        return self.page.get_by_role("main").inner_text()

    def choose_vendure(self) -> str:
        """Begins to connect a store; the address that the page suggests."""
        self.page.goto(self.portal)
        self.page.get_by_role("link", name="Connect a store").first.click()
        self._arrive("Where do you sell?")
        self.page.get_by_role("button", name="Vendure").click()
        self._arrive("Log in at Vendure")
        return self.page.get_by_label("Address of your shop").input_value()

    def log_in(self, **answers: str) -> None:
        """Fills in `key`, or `username` and `password`, and goes on."""
        labels = {"key": "API key", "username": "user name or e-mail", "password": "Password of that administrator"}
        for name, answer in answers.items():
            self.page.get_by_label(re.compile(labels[name])).fill(answer)
        self._press("Continue")

    def refusal(self) -> str:
        """What the page says against what was filled in."""
        return self.page.get_by_role("alert").first.inner_text()

    def choose(self, name: str) -> None:
        """A brand or a store, by its name."""
        self.page.get_by_role("radio", name=name).check()
        self._press("Continue")

    def accept_name(self) -> None:
        self._arrive("What shall we call it?")
        self._press("Continue")
        self._arrive("Is this right?")

    def agreed_to(self) -> str:
        """What the last page before connecting says."""
        return self.page.get_by_role("main").inner_text()

    def connect(self) -> str:
        """Connects, watches the first import to its end, and returns the address of the store's page."""
        self.page.get_by_role("button", name="Connect", exact=True).click()
        self._wait_for("is connected")
        self._photograph("connected")
        self.page.get_by_role("link", name="To the store").click()
        self.page.wait_for_url(re.compile(r"/stores/[0-9a-f-]+/$"))
        return self.page.url

    def connect_warehouse(self, *, email: str, password: str) -> str:
        """Logs in at Pio as somebody who manages the warehouse, agrees, and connects. The address of its page."""
        self.page.goto(f"{self.portal}/connect/warehouse/")
        self._press("Pio")
        self._arrive("Log in at Pio")
        self._press("Continue to Pio")
        self.page.get_by_label("E-mail").fill(email)
        self.page.get_by_label("Password").fill(password)
        self._press("Log in")
        self._press("Approve")
        self._arrive("Is this right?")
        self.page.get_by_role("button", name="Connect", exact=True).click()
        self._arrive("Your warehouse: Pio")
        return self.page.url

    def pause(self, store: str) -> None:
        """Nothing is read from it or sent to it any more."""
        self.page.goto(store)
        self._press("Pause")

    def map_shipping(self, name: str, *, service: str) -> None:
        """Says which of the warehouse's services a shop's shipping method means, once the portal knows them."""
        page = f"{self.portal}/shipping-methods/"
        self._reload_until(page, lambda: self.page.get_by_role("option", name=service).count() > 0)
        self.page.locator("[name=name]").last.fill(name)
        self.page.locator("[name=service]").last.select_option(label=service)
        self._press("Save")

    def release(self, number: str) -> str:
        """Waits until an order has come in, and lets it go on before its time. What its page said of it."""
        page = f"{self.portal}/orders/?q={number}"
        self._reload_until(page, lambda: self.page.get_by_role("link", name=number).count() > 0)
        self.page.get_by_role("link", name=number).click()
        self._arrive(f"Order {number}")
        self._photograph("order-held")
        said = self.page.get_by_role("main").inner_text()
        self._press("Release it now")
        return said

    def history(self, number: str) -> str:
        """What the page of an order says now."""
        self.page.goto(f"{self.portal}/orders/?q={number}")
        self.page.get_by_role("link", name=number).click()
        self._arrive(f"Order {number}")
        self._photograph("order-shipped")
        return self.page.get_by_role("main").inner_text()

    def read_again(self, store: str) -> str:
        """Asks for the products once more, waits until the portal has them, and returns what its page says of it."""
        self.page.goto(store)
        told = self.page.get_by_role("listitem").filter(has=self.page.locator("time"))
        before = told.count()
        self._press("Read the products now")
        expect(told).to_have_count(before + 1)
        self._wait_for("Read the products now", role="button")
        return told.first.get_by_role("paragraph").inner_text()

    def file_of_products(self, store: str) -> str:
        """The text of the file behind the link on the products page."""
        self.page.goto(f"{store}products/")
        with self.page.expect_download() as download:
            self.page.get_by_role("link", name="Download as a file").click()
        return Path(download.value.path()).read_text()

    def pictures_shown(self, store: str) -> tuple[int, int]:
        """How many products with a picture the first page lists, and how many of these pictures the browser drew."""
        self.page.goto(f"{store}products/")
        shown = self.page.locator("main img")
        drawn = shown.evaluate_all(
            """all => Promise.all(all.map(one => {
                one.loading = 'eager';
                return one.decode().then(() => one.naturalWidth > 0, () => false);
            }))"""
        )
        self._photograph("products")
        return len(drawn), sum(drawn)

    def _press(self, name: str) -> None:
        self.stop.check()
        self.page.get_by_role("button", name=name).first.click()

    def _arrive(self, heading: str) -> None:
        self.stop.check()
        expect(self.page.get_by_role("heading", name=heading, level=1)).to_be_visible()

    def _wait_for(self, name: str, *, role: Literal["heading", "button"] = "heading") -> None:
        """As long as an import may take, a second at a time."""
        wanted = self.page.get_by_role(role, name=name)
        for _ in range(IMPORT_SECONDS):
            self.stop.check()
            if wanted.count():
                return
            self.page.wait_for_timeout(1000)
        expect(wanted).to_be_visible()

    def _reload_until(self, address: str, is_there: Callable[[], bool]) -> None:
        """As long as something may take to arrive here."""
        for _ in range(ARRIVAL_SECONDS):
            self.stop.check()
            self.page.goto(address)
            if is_there():
                return
            self.page.wait_for_timeout(1000)
        raise AssertionError(f"{address} did not show in {ARRIVAL_SECONDS} s what it should.")

    def _photograph(self, name: str) -> None:
        self.page.screenshot(path=self.pictures / f"{name}.png", full_page=True)
