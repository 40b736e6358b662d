"""The first page of the 3PL's own site asks again by itself: what comes does not get in the way of whoever reads."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Page, expect

from apps.desk import charts

from ..desk.broken import make_held
from ..factories import make_integration, make_user
from .conftest import VIOLATIONS, listen
from .test_operations import sign_in

HIDE = "Object.defineProperty(document, 'hidden', {get: () => window.isHidden ?? false, configurable: true})"


@pytest.fixture
def home(page: Page, live_server, transactional_db, settings, monkeypatch) -> Iterator[Page]:
    """Opened, with two orders that wait; it asks each second."""
    settings.DEMO = True
    monkeypatch.setitem(charts.SPANS, "day", replace(charts.SPANS["day"], every=1))
    for code in ("bug", "no_location"):
        make_held(code)
    complaints: list[str] = []
    page.add_init_script(VIOLATIONS)
    page.add_init_script(HIDE)
    listen(page, complaints)
    sign_in(page, make_user(is_staff=True, is_superuser=True), address=live_server.url)
    page.goto(f"{live_server.url}/admin/")
    yield page
    assert complaints == []


def test_while_nothing_is_new_nothing_on_the_page_changes(home):
    home.evaluate("document.querySelector('#now').dataset.same = 'yes'")
    with home.expect_response("**/admin/now/**") as answer:
        pass
    assert answer.value.status == 204
    expect(home.locator("#now")).to_have_attribute("data-same", "yes")


def test_what_is_new_appears_and_what_was_opened_and_focused_stays_so(home):
    home.locator("#rows-orders-bug summary").click()  # shut
    home.locator("#fine summary").click()
    home.locator("#row-orders-no_location-1").focus()
    make_integration(name="Otter: lost").lose_permission("invalid_grant")
    expect(home.locator("#concern-lost")).to_be_visible()
    expect(home.locator("#rows-orders-bug")).not_to_have_attribute("open", "")
    expect(home.locator("#fine")).to_have_attribute("open", "")
    expect(home.locator("#row-orders-no_location-1")).to_be_focused()


def test_a_page_that_nobody_sees_asks_for_nothing(home):
    asked: list[str] = []
    home.on("request", lambda request: asked.append(request.url) if "/admin/now/" in request.url else None)
    home.evaluate("window.isHidden = true")
    home.wait_for_timeout(500)  # one may be on its way
    asked.clear()
    home.wait_for_timeout(2500)
    assert asked == []
    with home.expect_response("**/admin/now/**"):
        home.evaluate("window.isHidden = false")
