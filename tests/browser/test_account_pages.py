"""Pages that belong to the owner and not to a store: another language, and the second step of signing in."""

import pytest
from playwright.sync_api import expect

from .inspecting import inspect
from .owner import DESKTOP, PHONE


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "plain"])
def test_the_language_is_switched_at_the_foot_of_the_page(scripts, open_window):
    owner = open_window(scripts=scripts)
    owner.go("/connect/")
    owner.press("Nederlands")
    owner.arrives("Waar verkoop je?")
    inspect(owner, language="nl")
    owner.press("English")
    owner.arrives("Where do you sell?")
    inspect(owner)


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_second_step_can_be_set_up_from_the_menu(size, open_window):
    owner = open_window(size=size, is_signed_in=False)
    owner.sign_in()
    owner.page.locator("summary").click()
    inspect(owner)
    owner.follow("Sign-in security")
    owner.arrives("Sign-in security")
    inspect(owner)
    owner.follow("Turn on")
    owner.arrives("Is it still you?")
    inspect(owner)
    owner.page.get_by_label("Password").fill(owner.facts["users"]["owner"]["password"])
    owner.press("Go on")
    owner.arrives("Add this portal to the app on your phone")
    qr_code = owner.page.get_by_role("img", name="Picture to scan")
    assert qr_code.evaluate("one => one.decode().then(() => one.naturalWidth > 0)")
    inspect(owner)
    owner.page.get_by_label("Then type the six digits").fill("000000")
    owner.press("Turn on")
    expect(owner.page.get_by_role("alert")).to_be_visible()
    inspect(owner)
