import pytest
from django.core.checks import run_checks

from apps.branding import check_color


def test_every_page_carries_the_3pls_name_logo_and_stylesheet(client, db, settings):
    settings.PORTAL_NAME, settings.PORTAL_LOGO = "Foo & Sons 3PL", "https://foo.example/logo.svg"
    page = client.get("/accounts/login/").content.decode()
    assert "Foo &amp; Sons 3PL" in page
    assert 'src="https://foo.example/logo.svg"' in page
    assert 'href="/brand.css"' in page


def test_the_colour_is_a_stylesheet_of_its_own(client, settings):
    settings.PORTAL_COLOR = "#c0ffee"
    answer = client.get("/brand.css")
    assert answer.content.decode() == ":root{--accent:#c0ffee}\n"
    assert answer["Content-Type"] == "text/css; charset=utf-8"


@pytest.mark.parametrize("color", ["#1f5eff", "#FFFFFF"])
def test_a_colour_is_accepted(settings, color):
    settings.PORTAL_COLOR = color
    assert check_color(None) == []


@pytest.mark.parametrize("color", ["", "red", "#fff", "#1f5eff;}body{display:none", "1f5eff", "#1f5eff\n"])
def test_what_is_no_colour_is_said_at_start(settings, color):
    settings.PORTAL_COLOR = color
    assert [error.id for error in run_checks() if error.id == "crossdock.E001"] == ["crossdock.E001"]


def test_what_is_no_page_has_an_icon_too(client):
    assert client.get("/favicon.ico")["Location"] == "/static/favicon.svg"
