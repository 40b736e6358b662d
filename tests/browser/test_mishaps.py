"""What goes wrong on the way to a connected store: at the platform, and by a hasty or hesitating hand."""

import pytest
from playwright.sync_api import expect

from .inspecting import inspect
from .owner import Place
from .platform import times_connected

ONE_PRESS_TWO_WAYS = {
    "scripts": (True, Place("great-shoes", "Sole Mates", "Sole Mates Berlin")),
    "plain": (False, Place("great-hats", "Great Hats", "Great Hats Amsterdam")),
}


def test_a_refusal_at_the_platform_is_explained_and_can_be_tried_again(open_window):
    owner = open_window()
    owner.chooses_otter()
    owner.logs_in_there("great-hats")
    owner.press("Deny")
    owner.arrives("Log in at Otter")
    said = owner.page.get_by_role("alert")
    expect(said).to_contain_text("Otter told us that you did not agree. Nothing was connected.")
    expect(said).to_contain_text("Otter says: “")
    inspect(owner)
    owner.asks_again()
    owner.press("Approve")
    owner.arrives("Which brand is it?")


def test_a_fault_during_the_import_is_one_sentence_and_is_gone_when_lifted(open_window, sandbox):
    owner = open_window()
    sandbox.fault("server_error", path="/inventories/", times=None)
    owner.comes_to_connect(Place("great-hats", "Hat Attic"))
    owner.connect_button().click()
    main = owner.page.get_by_role("main")
    expect(main).to_contain_text("Otter has a problem of its own. We try again by ourselves.")
    inspect(owner)
    sandbox.control("DELETE", "faults")
    owner.arrives("Hat Attic Outlet is connected")
    expect(main).not_to_contain_text("a problem of its own")
    expect(main).to_contain_text("90 products have arrived.")


@pytest.mark.parametrize(("scripts", "place"), ONE_PRESS_TWO_WAYS.values(), ids=ONE_PRESS_TWO_WAYS)
def test_a_double_click_connects_once_and_going_back_does_no_harm(scripts, place, open_window, sandbox):
    owner = open_window(scripts=scripts)
    owner.comes_to_connect(place)
    owner.connect_button().dblclick()
    owner.arrives(f"{place.store} is connected")
    owner.page.go_back()
    owner.arrives(f"{place.store} is connected")
    owner.page.go_back()
    owner.arrives(place.store)
    expect(owner.connect_button()).to_have_count(0)
    assert times_connected(place, sandbox) == 1
    owner.go()
    expect(owner.page.get_by_role("listitem").filter(has_text=place.store)).to_have_count(1)
