"""An owner lets a partner's application in, sees it among the connected apps, and shows it the door."""

from collections.abc import Iterator

import browser
import crossdock
import pytest
from playwright.sync_api import expect

from .inspecting import inspect, photograph
from .owner import DESKTOP, PHONE, Owner

WAYS = {"scripts-desktop": (True, DESKTOP), "scripts-phone": (True, PHONE), "plain-desktop": (False, DESKTOP)}
NAME = "Hat Sales Report"
SCOPES = ["organization.read", "organization.service_integration", "shops:read", "shops:write"]


@pytest.fixture
def callback() -> Iterator[browser.Callback]:
    with browser.listening() as callback:
        yield callback


@pytest.mark.parametrize(("scripts", "size"), WAYS.values(), ids=WAYS)
def test_an_owner_lets_an_application_in_for_one_store_and_out_again(scripts, size, open_window, run, callback):
    owner = open_window(scripts=scripts, size=size)
    portal = crossdock.Crossdock(run.facts["portal_url"])
    registered = portal.register(NAME, email="dev@partner.example", callback_url=callback.url)

    us = consents(owner, portal.consent(registered, SCOPES), callback)
    brands = portal.call("GET", "/organization/v1/organization/brands", to=us, params={"limit": 10})
    assert [brand["name"] for brand in brands["items"]] == ["Hat Boutique"]

    shows_the_door(owner)
    with pytest.raises(crossdock.Refused, match="unauthorized"):
        portal.call("GET", "/organization/v1/organization", to=us)


def consents(owner: Owner, consent: crossdock.Consent, callback: browser.Callback):
    owner.page.goto(consent.address)
    sees(owner, f"{NAME} asks to work with Great Hats")
    expect(owner.page.get_by_role("main")).to_contain_text("Connect your stores to itself, and disconnect them")
    photograph(owner, "consent-desktop")
    owner.page.get_by_role("radio", name="Only stores I choose").check()
    owner.page.get_by_role("checkbox", name="Hat Boutique Delft").check()
    inspect(owner)
    owner.press(f"Allow {NAME}")
    expect(owner.page.get_by_text("Back to the terminal")).to_be_visible()
    return consent.tokens(callback.wait())


def shows_the_door(owner: Owner) -> None:
    owner.go("/apps/")
    sees(owner, "Connected apps")
    card = owner.page.get_by_role("article").filter(has_text=NAME)
    expect(card).to_contain_text("Hat Boutique Delft")
    card.get_by_role("link", name=f"Disconnect {NAME}").click()
    sees(owner, f"Disconnect {NAME}?")
    owner.press("Disconnect")
    sees(owner, "Connected apps")
    expect(owner.page.get_by_role("article").filter(has_text=NAME)).to_have_count(0)


def sees(owner: Owner, heading: str) -> None:
    owner.arrives(heading)
    inspect(owner)
