"""The wizard without a mouse."""

from playwright.sync_api import Locator, Page

from .owner import Owner

MOST_STOPS = 40  # no page of the wizard has more to stop at
IS_FOCUSED = "one => one === document.activeElement"
OUTLINE = """one => [one, one.closest('label')].filter(Boolean).map(each => getComputedStyle(each))
    .some(style => style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2)"""


def test_the_wizard_is_walked_by_tab_and_enter(open_window):
    owner = open_window(is_signed_in=False)
    signs_in(owner)
    presses(owner, "link", "Connect a store", arriving="Where do you sell?")
    presses(owner, "button", "Otter", arriving="Log in at Otter")
    owner.logs_in_there("great-shoes")
    owner.press("Approve")
    owner.arrives("Which brand is it?")
    picks(owner, "Great Shoes", arriving="Which store do you want to connect?")
    picks(owner, "Great Shoes Online", arriving="What shall we call it?")
    tab_to(owner.page, owner.page.get_by_label("Store ID"))
    owner.page.keyboard.press("Enter")
    owner.arrives("Is this right?")
    tab_to(owner.page, owner.connect_button())
    owner.page.keyboard.press("Enter")
    owner.arrives("Great Shoes Online is connected")


def signs_in(owner: Owner) -> None:
    login = owner.facts["users"]["owner"]
    owner.go()
    owner.arrives("Sign in")
    for label, text in (("Email", login["email"]), ("Password", login["password"])):
        tab_to(owner.page, owner.page.get_by_label(label))
        owner.page.keyboard.type(text)
    owner.page.keyboard.press("Enter")
    owner.arrives("Your stores")


def presses(owner: Owner, role: str, name: str, *, arriving: str) -> None:
    tab_to(owner.page, owner.page.get_by_role(role, name=name).first)
    owner.page.keyboard.press("Enter")
    owner.arrives(arriving)


def picks(owner: Owner, name: str, *, arriving: str) -> None:
    """Tab reaches the first of the radio buttons; arrows go through them, as in every program."""
    wanted = owner.page.get_by_role("radio", name=name)
    tab_to(owner.page, owner.page.get_by_role("radio").first)
    owner.page.keyboard.press("Space")
    while not wanted.is_checked():
        owner.page.keyboard.press("ArrowDown")
    owner.page.keyboard.press("Enter")
    owner.arrives(arriving)


def tab_to(page: Page, wanted: Locator) -> None:
    """Tab until the wanted is focused; every stop on the way must show that it is."""
    for _ in range(MOST_STOPS):
        if wanted.evaluate(IS_FOCUSED):
            return
        page.keyboard.press("Tab")
        focused = page.locator("*:focus")
        assert focused.evaluate(OUTLINE), focused.evaluate("one => one.outerHTML")
    raise AssertionError(f"Tab does not reach {wanted}.")
