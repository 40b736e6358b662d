"""A store owner in Chromium: what they press and read, found by role and label as people find things."""

import re
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Page, expect

DESKTOP, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
SECONDS = 30_000  # the longest an import of these few products may take, in milliseconds
TO_OTTER = re.compile(r"^(Continue to Otter|Use another Otter account|Try again)$")


@dataclass(frozen=True)
class Place:
    """A store at the sandbox. Without a brand or a store where its organization has one only: no page asks then."""

    account: str
    brand: str = ""
    store: str = ""


class Owner:
    """Raises Playwright's errors when a page does not show what it should."""

    def __init__(self, page: Page, *, facts: dict[str, Any], scripts: bool = True) -> None:
        self.page = page
        self.facts = facts
        self.scripts = scripts

    def go(self, path: str = "/") -> None:
        self.page.goto(self.facts["portal_url"] + path)

    def arrives(self, heading: str | re.Pattern[str]) -> None:
        expect(self.page.get_by_role("heading", name=heading, level=1)).to_be_visible(timeout=SECONDS)

    def press(self, name: str | re.Pattern[str]) -> None:
        self.page.get_by_role("button", name=name).click()

    def follow(self, name: str) -> None:
        self.page.get_by_role("link", name=name).first.click()

    def sign_in(self) -> None:
        self.go()
        self.arrives("Sign in")
        self.fill_in(self.facts["users"]["owner"], email=re.compile("mail", re.I))
        self.press("Sign in")
        self.arrives("Your stores")

    def fill_in(self, login: dict[str, str], *, email: str | re.Pattern[str] = "E-mail") -> None:
        self.page.get_by_label(email).fill(login["email"])
        self.page.get_by_label("Password").fill(login["password"])

    def chooses_otter(self) -> None:
        self.go("/connect/")
        self.press("Otter")
        self.arrives("Log in at Otter")

    def logs_in_there(self, account: str) -> None:
        self.press(TO_OTTER)
        self.arrives("Log in to Otter")
        self.fill_in(self.facts["sandbox_users"][account])
        self.press("Log in")
        self.arrives(re.compile("^Allow "))

    def asks_again(self) -> None:
        """Still logged in at the platform, they only have to agree."""
        self.press(TO_OTTER)
        self.arrives(re.compile("^Allow "))

    def chooses(self, name: str) -> None:
        self.page.get_by_role("radio", name=name).check()
        self.press("Continue")

    def comes_to_connect(self, place: Place) -> None:
        """From choosing the platform to the last page before connecting."""
        self.chooses_otter()
        self.logs_in_there(place.account)
        self.press("Approve")
        for name in filter(None, (place.brand, place.store)):
            self.chooses(name)
        self.arrives("What shall we call it?")
        self.press("Continue")
        self.arrives("Is this right?")

    def connect_button(self) -> Any:
        return self.page.get_by_role("button", name="Connect", exact=True)
