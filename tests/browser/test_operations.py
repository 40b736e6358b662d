"""The 3PL's own site in a real browser, under its content security policy."""

from collections.abc import Iterator

import pytest
from django.conf import settings as django_settings
from playwright.sync_api import Page, expect

from apps.accounts.models import User
from apps.shops.models import Connection
from apps.syncs.models import SyncRun

from ..conftest import signed_in
from ..factories import make_connection, make_failure, make_member, make_organization, make_run, make_user
from .conftest import listen
from .owner import DESKTOP, PHONE


@pytest.fixture
def connection(transactional_db) -> Connection:
    made = make_connection(organization=make_organization(name="Great Hats"), connected_by=make_member())
    make_failure(run=make_run(connection=made, state=SyncRun.State.PARTIAL))
    return made


@pytest.fixture
def desk(page: Page, live_server, connection: Connection, settings) -> Iterator[Page]:
    """The browser of somebody of the 3PL. Whatever it complains about fails the test."""
    settings.DEMO = True
    complaints: list[str] = []
    listen(page, complaints)
    sign_in(page, make_user(is_staff=True, is_superuser=True), address=live_server.url)
    yield page
    assert complaints == []


def sign_in(page: Page, user: User, *, address: str) -> None:
    cookie = signed_in(user).cookies[django_settings.SESSION_COOKIE_NAME]
    page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": address}])


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_pages_open_without_complaint_and_fit(size, desk, live_server, connection):
    desk.set_viewport_size(size)
    run = SyncRun.objects.get()
    for path in (
        "",
        "shops/connection/",
        f"shops/connection/{connection.pk}/change/",
        "syncs/syncrun/",
        f"syncs/syncrun/{run.pk}/change/",
        f"accounts/organization/{connection.organization_id}/change/",
        "accounts/invitation/add/",
        "integrations/partnerconnector/add/",
        f"integrations/partnerconnector/add/?organization={connection.organization_id}&category=logistics",
        f"integrations/integration/{connection.integration_id}/new_key/",
        "audit/entry/",
    ):
        desk.goto(f"{live_server.url}/admin/{path}")
        expect(desk.locator("#content")).to_be_visible()
        assert desk.evaluate("document.documentElement.scrollWidth <= innerWidth"), path


def test_connections_are_filtered_by_an_organization_that_is_typed(desk, live_server):
    make_connection(organization=make_organization(name="Great Shoes"))
    desk.goto(f"{live_server.url}/admin/shops/connection/")
    desk.get_by_text("Filters").first.click()
    desk.locator(".select2-selection").last.click()
    desk.locator(".select2-search__field").fill("hats")
    desk.locator(".select2-results__option", has_text="Great Hats").click()
    desk.get_by_role("button", name="Apply filters").click()
    expect(desk.locator("#result_list tbody tr")).to_have_count(1)


def test_chosen_connections_are_run_from_the_list(desk, live_server):
    desk.goto(f"{live_server.url}/admin/shops/connection/")
    desk.locator("#result_list .action-select").check()
    desk.locator("select[name=action]").select_option("run_chosen")
    desk.get_by_role("button", name="Run").click()
    expect(desk.get_by_text("1 sync begins now.")).to_be_visible()


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_connection_is_run_from_its_page_and_its_runs_are_there(size, desk, live_server, connection):
    desk.set_viewport_size(size)
    desk.goto(f"{live_server.url}/admin/shops/connection/{connection.pk}/change/")
    if size is PHONE:
        desk.get_by_role("link", name="more_horiz").click()
    desk.get_by_text("Run a sync now").locator("visible=true").click()
    desk.get_by_role("button", name="Run", exact=True).click()
    expect(desk.get_by_text("1 sync begins now.")).to_be_visible()
    desk.locator("#tabs-items a", has_text="Sync runs").click()
    expect(desk.locator("#result_list tbody tr").locator("visible=true")).to_have_count(2)


def test_the_box_that_searches_everything_leads_to_a_store(desk, live_server, connection):
    desk.goto(f"{live_server.url}/admin/")
    box = desk.locator("#search-input-command")
    desk.keyboard.press("Control+k")
    expect(box).to_be_focused()  # what is typed before goes nowhere
    box.press_sequentially(connection.store.name)
    desk.locator("#command-results-list a").first.click()
    expect(desk).to_have_url(f"{live_server.url}/admin/accounts/store/{connection.store_id}/change/")
