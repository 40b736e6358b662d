"""The API's description in a real browser: offline, and under the same policy as every other page."""

from urllib.parse import urlsplit

from playwright.sync_api import expect

from apps.api.policy import POLICY

from .conftest import OpenWindow
from .inspecting import inspect


def test_every_operation_can_be_read_and_tried_without_asking_any_other_server(open_window: OpenWindow):
    window = open_window(is_signed_in=False)
    page, portal = window.page, urlsplit(window.facts["portal_url"])
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{portal.geturl()}/api/docs")
    expect(page.locator(".opblock-tag-section").first).to_be_visible()
    for tag in page.locator("h3.opblock-tag").all():
        if tag.get_attribute("data-is-open") != "true":
            tag.click()
    expect(page.locator(".opblock")).to_have_count(len(POLICY))
    page.get_by_role("button", name="Authorize").first.click()
    partner = window.facts["partner"]
    page.locator("#auth-basic-username").fill(partner["client_id"])
    page.locator("#auth-basic-password").fill(partner["client_secret"])
    page.locator("#auth-basic-password").press("Enter")
    page.locator(".close-modal").click()
    page.locator("#operations-Ping-ping_get .opblock-summary-control").click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute", exact=True).click()
    expect(page.locator(".live-responses-table")).to_contain_text("pong")
    assert {urlsplit(address).netloc for address in asked if not address.startswith("data:")} == {portal.netloc}


def test_the_errors_page_is_like_any_other(open_window: OpenWindow):
    for scripts in (True, False):
        window = open_window(is_signed_in=False, scripts=scripts)
        window.page.goto(f"{window.facts['portal_url']}/api/errors#not_found")
        expect(window.page.locator("#not_found")).to_be_in_viewport()
        inspect(window)


def test_without_scripts_the_docs_name_the_file(open_window: OpenWindow):
    window = open_window(is_signed_in=False, scripts=False)
    window.page.goto(f"{window.facts['portal_url']}/api/docs")
    expect(window.page.get_by_text("Without scripts, read openapi.json.")).to_be_visible()
    inspect(window)
    address = window.page.get_by_role("link", name="openapi.json").get_attribute("href")
    assert window.page.request.get(f"{window.facts['portal_url']}{address}").json()["openapi"] == "3.1.1"
