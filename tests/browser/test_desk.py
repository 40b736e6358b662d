"""Every screen of the 3PL's own site, read from its registry, in a real browser under its policy."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib import admin
from django.db.models import Model
from django.urls import reverse
from playwright.sync_api import Error, Page, expect

from apps.accounts.models import Invitation, User
from apps.catalog.models import Listing
from apps.desk import problems
from apps.desk.kinds import KINDS
from apps.operations import address_of

from ..desk.breaking import make_unknown
from ..factories import (
    make_application_token,
    make_connection,
    make_hindrance,
    make_integration,
    make_job,
    make_product,
    make_user,
)
from ..test_operations import make_everything, pages_of, registered
from ..test_policy import PARAMETER, addresses
from .conftest import VIOLATIONS, listen
from .inspecting import photograph
from .morning import make_a_morning
from .owner import PHONE, Owner
from .test_operations import sign_in

WIDE = {"width": 1440, "height": 900}  # up to 1280 the sidebar is put away
SIDEWAYS = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
SETTLED = "new Promise(done => requestAnimationFrame(() => setTimeout(done)))"  # Alpine writes in microtasks
DARK = """() => {
    document.documentElement.classList.add('dark');  // what unfold does, which looks at the scheme once
    return Promise.allSettled(document.getAnimations().map(one => one.finished)).then(() => null);
}"""
EVERYTHING = {"resultTypes": ["violations"]}
CONTRAST = EVERYTHING | {"runOnly": ["color-contrast"]}  # what can differ in the dark
# What axe finds serious in unfold's own pages, and why it stays. Nothing, so far.
ACCEPTED: dict[str, str] = {}

ALIKE = ("", "change/", "history/", "delete/")  # the same for each table: once is enough

type Screens = Callable[[type[Model]], Iterator[str]]


class Desk:
    """A window of somebody of the 3PL, and what is wrong in it."""

    def __init__(self, page: Page, *, address: str) -> None:
        self.page, self.address = page, address
        self.complaints: list[str] = []
        page.add_init_script(VIOLATIONS)
        listen(page, self.complaints)

    def go(self, path: str) -> bool:
        """Whether there is a page of its own: a deed may make a file, be a dialog, or not fit its row just now."""
        self.page.set_viewport_size(WIDE)
        try:
            answer = self.page.goto(self.address + path)
        except Error as error:
            if "Download is starting" in str(error):
                return False
            raise
        self.page.evaluate(SETTLED)
        return answer is not None and answer.status not in (403, 404, 405) and self.page.title() != ""

    def wrong_at(self, path: str, *, part: str = "#main") -> list[str]:
        """What Chromium complains of, what axe finds in either scheme, and whether it fits a desk and a phone.

        axe reads this part: what stands around it is the same on all pages, and read once.
        """
        self.complaints.clear()
        if not self.go(path):
            return []
        self.page.evaluate(Axe().axe_script)
        found = self.serious(part, EVERYTHING) + (["sideways on a desk"] if self.page.evaluate(SIDEWAYS) else [])
        self.page.evaluate(DARK)
        found += [f"in the dark, {one}" for one in self.serious(part, CONTRAST)]
        self.page.set_viewport_size(PHONE)
        self.page.evaluate(SETTLED)
        found += ["sideways on a phone"] if self.page.evaluate(SIDEWAYS) else []
        return found + self.complaints

    def serious(self, part: str, options: dict[str, Any]) -> list[str]:
        """What keeps people from reading or pressing something, as axe-core ranks it."""
        found = self.page.evaluate("given => axe.run(...given)", [part, options])["violations"]
        return [
            f"{rule['id']}: {rule['nodes'][0]['html']}"
            for rule in found
            if rule["impact"] in ("serious", "critical") and rule["id"] not in ACCEPTED
        ]


@pytest.fixture
def desk(page: Page, live_server, transactional_db, settings) -> Desk:
    settings.DEMO = True
    desk = Desk(page, address=live_server.url)
    operator = make_user(email="anna@foo-3pl.example", is_staff=True, is_superuser=True)
    sign_in(page, operator, address=live_server.url)
    return desk


def lists(model: type[Model]) -> Iterator[str]:
    yield reverse(f"{pages_of(model)}_changelist")


def rows(model: type[Model]) -> Iterator[str]:
    if row := model.objects.first():
        yield address_of(row)


def forms(model: type[Model]) -> Iterator[str]:
    """Where a row is added; and each deed that a row's page offers, which asks before it does anything."""
    if admin.site.get_model_admin(model).has_add_permission(_request()):
        yield reverse(f"{pages_of(model)}_add")
    here, row = reverse(f"{pages_of(model)}_changelist"), model.objects.first()
    for address in addresses():
        rest = address.removeprefix(f"{here}<path:object_id>/")
        if row and rest not in (address, *ALIKE):
            yield PARAMETER.sub(str(row.pk), address)


def _request() -> Any:
    return type("Request", (), {"user": User(is_staff=True, is_superuser=True)})()


@pytest.mark.parametrize("screens", [lists, rows, forms], ids=lambda screens: screens.__name__)
@pytest.mark.parametrize("part", range(3))
def test_every_screen_can_be_read_and_breaks_no_rule(screens, part, desk):
    make_everything()
    make_application_token()
    paths = [path for model in registered()[part::3] for path in screens(model)]
    assert {path: wrong for path in paths if (wrong := desk.wrong_at(path))} == {}


def test_the_first_page_can_be_read_while_there_is_nothing(desk):
    paths = ("/admin/", "/admin/shops/connection/")
    assert {path: wrong for path in paths if (wrong := desk.wrong_at(path, part="html"))} == {}


def test_the_screens_beside_the_tables_can_be_read_and_break_no_rule(desk):
    """The first page, what is found, problems, what is asked of many rows, and what is alike for each table."""
    make_everything()
    invitation = f"/admin/accounts/invitation/{Invitation.objects.latest('pk').pk}"
    paths = ["/admin/", "/admin/search/?s=hats", "/admin/problems/", "/admin/shops/", "/admin/password_change/"]
    paths += ["/admin/desk/job/ask/shops.Connection/export/", f"{invitation}/history/", f"{invitation}/delete/"]
    assert {path: wrong for path in paths if (wrong := desk.wrong_at(path, part="html"))} == {}


LONG = "HAT_RED_L" * 22  # with nothing at which a line ends by itself


def screens_with_a_long_word() -> Iterator[str]:
    """The list of problems, a problem with a product to choose, jobs and deeds, in which somebody's word is."""
    make_unknown(LONG[:190])
    make_product(organization=Listing.objects.get().organization, sku=LONG[:189], name=LONG)
    integration = make_integration(name=LONG)
    make_connection(integration=integration)
    yield reverse("problems")
    yield from (reverse("problem", args=[cause.address]) for cause in problems.look(KINDS).causes)
    yield address_of(make_job(query=f"q={LONG}", state="failed", detail=LONG))
    yield f"{reverse('admin:desk_job_ask', args=['catalog.Product', 'export'])}?q={LONG[:180]}"
    yield reverse("admin:integrations_integration_disable", args=[integration.pk])


def test_no_page_goes_sideways_on_a_phone_for_a_long_word(desk):
    wide = []
    for path in list(screens_with_a_long_word()):
        assert desk.go(path), path
        assert LONG[:180] in desk.page.locator("#content").inner_text(), path
        desk.page.set_viewport_size(PHONE)
        desk.page.evaluate(SETTLED)
        wide += [path] if desk.page.evaluate(SIDEWAYS) else []
    assert wide == []


def test_the_main_screens_have_their_pictures_taken(desk):
    store, order = make_a_morning()
    screens = {"home": "/admin/", "problems": "/admin/problems/", "orders": "/admin/orders/order/"}
    screens |= {"integration": address_of(store.integration), "order": address_of(order)}
    for name, path in screens.items():
        assert desk.go(path)
        photograph(Owner(desk.page, facts={}), f"desk-{name}", size=WIDE)
    assert desk.complaints == []


def test_the_name_of_a_page_is_read_in_full_beside_all_its_deeds(desk):
    integration = make_integration(name="Otter: Great Hats of Amsterdam, Antwerp, Rotterdam and Utrecht")
    desk.go(address_of(make_connection(integration=integration).integration))
    names = desk.page.locator("h1 a")
    assert names.all_inner_texts() == ["Integrations", str(integration)]  # the app is called like its table
    for name in names.all():
        assert name.evaluate("one => one.scrollWidth <= one.clientWidth")
    desk.page.set_viewport_size(PHONE)
    assert [name.is_visible() for name in names.all()] == [False, True]


def test_what_is_open_is_seen_in_the_sidebar_as_far_down_as_it_is(desk):
    desk.go("/admin/integrations/integration/")
    apps, active = desk.page.locator("#nav-sidebar-apps").bounding_box(), desk.page.locator("a.active").bounding_box()
    assert apps["y"] <= active["y"] <= apps["y"] + apps["height"] - active["height"]


def test_what_is_broken_leads_to_its_causes_in_one_click(desk):
    hindrance = make_hindrance(code="no_location")
    desk.go("/admin/")
    desk.page.locator("#causes-orders-no_location").click()
    expect(desk.page.locator("#problems li")).to_have_count(1)
    expect(desk.page.locator("#problems")).to_contain_text(hindrance.order.organization.name)
    assert desk.complaints == []


# ---- What moves: Alpine's own reading of unfold's expressions


def test_a_list_can_be_worked_with(desk):
    make_connection()
    page = desk.page
    desk.go("/admin/shops/connection/")
    page.locator("#result_list .action-select").check()
    bar = page.locator("#changelist-actions")
    expect(bar).to_be_visible()
    assert bar.bounding_box()["width"] > 500
    page.get_by_text("Filters").first.click()
    expect(page.locator("#changelist-filter")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#changelist-filter")).to_be_hidden()
    page.keyboard.press("Shift+?")
    expect(page.get_by_text("Shortcuts").last).to_be_visible()
    page.keyboard.press("Escape")
    assert desk.complaints == []


def test_the_sidebar_is_made_wider_and_put_away_and_stays_so(desk):
    page = desk.page
    desk.go("/admin/shops/connection/")
    sidebar = page.locator("#nav-sidebar")
    width = sidebar.bounding_box()["width"]
    page.mouse.move(width - 1, 400)
    page.mouse.down()
    page.mouse.move(width + 40, 400)
    page.mouse.up()
    assert sidebar.bounding_box()["width"] == pytest.approx(width + 40, abs=4)
    desk.go("/admin/shops/shop/")
    assert sidebar.bounding_box()["width"] == pytest.approx(width + 40, abs=4)
    page.keyboard.press("[")
    expect(sidebar).to_be_hidden()
    assert desk.complaints == []


def test_the_colours_are_chosen_in_ones_own_menu_and_kept(desk):
    page = desk.page
    desk.go("/admin/")
    page.get_by_text("unfold_more").click()
    page.locator("a", has_text="dark_mode").click()
    expect(page.locator("html")).to_have_class("dark")
    desk.go("/admin/shops/shop/")
    expect(page.locator("html")).to_have_class("dark")
    assert desk.complaints == []


def test_what_a_form_needs_is_added_beside_it(desk):
    """In a frame of our own, opened from a menu that hangs on its button."""
    page = desk.page
    desk.go("/admin/orders/routingrule/add/")
    beside = page.locator("[data-id=related-widget-wrapper-location]").get_by_text("more_vert")
    beside.click()
    menu = page.locator("nav#related-widget-wrapper-location")
    assert abs(menu.bounding_box()["y"] - beside.bounding_box()["y"]) < 100
    menu.locator(".add-related").click()
    expect(page.frame_locator(".related-modal-frame").locator("[name=name]")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".related-modal-frame")).to_be_hidden()
    assert desk.complaints == []


def test_a_tab_has_an_address(desk):
    connection = make_connection()
    desk.go(f"/admin/shops/connection/{connection.pk}/change/")
    tabs = desk.page.locator("#tabs-items a")
    tabs.last.click()
    desk.page.reload()
    expect(tabs.last).to_have_class("active")
    assert desk.complaints == []
