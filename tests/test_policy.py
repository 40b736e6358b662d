"""What a browser may do with our pages (row AD-06): scripts and styles are files of ours, and nothing else is either.

No page has a nonce, which would have to differ from answer to answer: none has anything in it to allow.
"""

import hashlib
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.db.models import Model
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from .conftest import signed_in
from .factories import make_application_token, make_hook, make_partner
from .integrations.oauth.flow import Flow
from .tenancy.world import make_world
from .test_operations import make_everything, pages_of, registered

STRICT = {
    "default-src": "'self'",
    "img-src": "'self' https: data:",
    "style-src": "'self'",
    "script-src": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
    "base-uri": "'none'",
    "object-src": "'none'",
}
ADMIN = STRICT | {"frame-ancestors": "'self'"}  # its pop-ups are frames of its own
PARAMETER = re.compile(r"<(?:(\w+):)?(\w+)>")
DATA = {"application/json", "application/ld+json"}  # a browser reads these scripts, and never runs them


class Reader(HTMLParser):
    """What of a page a strict policy forbids: code and styles written into it, and what others serve."""

    def __init__(self) -> None:
        super().__init__()
        self.forbidden: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        source = given.get("src" if tag == "script" else "href" if tag == "link" else "", "/") or ""
        runs = tag == "script" and "src" not in given and given.get("type") not in DATA
        named = [name for name in given if name == "style" or name.startswith(("on", "hx-on"))]
        if tag == "style" or runs or named or not source.startswith("/") or source.startswith("//"):
            self.forbidden.append(self.get_starttag_text() or tag)


def policy(answer: HttpResponse) -> dict[str, str]:
    """The directives of an answer."""
    given = answer.headers["Content-Security-Policy"].split("; ")
    return {name: sources for name, _, sources in (directive.partition(" ") for directive in given)}


def offences(answer: HttpResponse, *, expected: dict[str, str]) -> list[str]:
    """What is wrong with an answer; of what is no page, nothing."""
    if "text/html" not in answer.headers.get("Content-Type", ""):
        return []
    found = [] if policy(answer) == expected else [str(policy(answer))]
    reader = Reader()
    reader.feed(answer.text)
    return found + reader.forbidden


def addresses(found: list[Any] | None = None, before: str = "/") -> Iterator[str]:
    """The addresses of the portal as urls.py writes them, parameters and all."""
    for pattern in get_resolver().url_patterns if found is None else found:
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern.url_patterns, before + str(pattern.pattern))
        elif isinstance(pattern, URLPattern) and "(?P" not in str(pattern.pattern):
            yield before + str(pattern.pattern)


def filled(address: str, ids: dict[str, list[str]]) -> Iterator[str]:
    """The address with each id that fits its last parameter."""
    kinds = [kind or "str" for kind, _ in PARAMETER.findall(address)]
    for row in ids.get(kinds[-1], ["otter"]) if kinds else [""]:
        path = address
        for value in [*(ids.get(kind, ["otter"])[0] for kind in kinds[:-1]), row]:
            path = PARAMETER.sub(value, path, count=1)
        yield path


def ids_of(rows: list[Model], organization: Any) -> dict[str, list[str]]:
    keys = [row.pk for row in rows if isinstance(row, Model)]
    return {
        "uuid": [str(organization.pk), *(str(key) for key in keys if not isinstance(key, int))],
        "int": [str(key) for key in keys if isinstance(key, int)],
    }


# ---- Every address


def test_no_page_of_the_admin_needs_more_than_its_policy(staff_client):
    make_world("hats")
    make_everything()
    make_application_token()
    wrong, seen = {}, 0
    for model in registered():
        here = reverse(f"{pages_of(model)}_changelist")
        row = model.objects.first()
        key = str(row.pk) if row else "0"
        for address in (address for address in addresses() if address.startswith(here)):
            answer = staff_client.get(PARAMETER.sub(key, address), follow=True)
            is_page = answer.status_code == 200 and answer.request["PATH_INFO"].startswith("/admin/")
            right = (ADMIN,) if is_page else (ADMIN, STRICT)  # most refusals are pages of the portal
            if found := min((offences(answer, expected=one) for one in right), key=len):
                wrong[address] = found
            seen += is_page
    assert wrong == {}
    assert seen > 3 * len(registered())  # the list, the row and its history, at the least


@pytest.mark.parametrize("path", ["", "search/?s=hats", "password_change/", "shops/", "jsi18n/"])
def test_the_admins_other_pages_keep_its_policy(path, staff_client):
    answer = staff_client.get(f"/admin/{path}", follow=True)
    assert offences(answer, expected=ADMIN) == []


def test_no_other_page_needs_more_than_the_strict_policy(settings, db):
    settings.DEMO = True
    world = make_world("hats")
    world.owner.is_superuser = world.owner.is_staff = True  # the port is for people of the 3PL
    world.owner.save()
    client, ids = signed_in(world.owner), ids_of(list(world.rows.values()), world.organization)
    wrong, seen = {}, 0
    for address in addresses():
        for path in () if address.startswith("/admin/") or address == "/accounts/logout/" else filled(address, ids):
            answer = client.get(path)
            seen += answer.status_code == 200
            if found := offences(answer, expected=STRICT):
                wrong[path] = found
            if answer.status_code != 404:
                break
    assert wrong == {}
    assert seen > 50


@pytest.mark.parametrize("name", ["account_login", "account_signup", "account_logout", "account_reset_password"])
def test_the_pages_of_signing_in_keep_the_strict_policy(name, client, owner_client):
    for browser in (client, owner_client):
        assert offences(browser.get(reverse(name), follow=True), expected=STRICT) == []


def test_the_page_that_asks_for_consent_may_lead_to_the_partner_and_no_more(owner_client):
    answer = Flow(make_partner().application, owner_client).ask()
    leads = "'self' https: https://partner.example"
    assert offences(answer, expected=STRICT | {"form-action": leads}) == []


# ---- What goes wrong


def test_errors_keep_the_strict_policy(client, owner_client, monkeypatch):
    client.raise_request_exception = False
    answers = [
        client.get("/", headers={"host": "evil.example"}),
        client.get("/accounts/login/?next=%00"),
        owner_client.get("/team/1/role/"),
        owner_client.get("/port/", follow=True),
        client.get("/no/such/page"),
        Client(enforce_csrf_checks=True).post("/accounts/login/"),
    ]
    monkeypatch.setattr("apps.accounts.signing_in.AccountAdapter.is_open_for_signup", None)
    answers.append(client.get("/accounts/signup/"))
    assert [offences(answer, expected=STRICT) for answer in answers] == [[]] * len(answers)
    assert [answer.status_code for answer in answers] == [400, 400, 405, 403, 404, 403, 500]


# ---- What stands behind it


def test_alpine_is_the_build_for_a_strict_policy_as_it_was_published():
    said, _, published = Path(finders.find("unfold/js/alpine/alpine.js")).read_bytes().partition(b"\n")
    assert re.search(rb"@alpinejs/csp@[\d.]+ .*sha256 of what follows: (\w{64})", said)[1].decode() == (
        hashlib.sha256(published).hexdigest()
    )
    assert b"new AsyncFunction" not in published


def test_json_is_shown_without_colours_written_into_the_page(staff_client):
    hook = make_hook(filter=[{"equals": "<HAT>"}])
    page = staff_client.get(reverse("admin:webhooks_hook_change", args=[hook.pk]))
    assert offences(page, expected=ADMIN) == []
    assert "&quot;equals&quot;: &quot;&lt;HAT&gt;&quot;" in page.text


def test_the_admin_takes_its_colours_from_files(staff_client):
    page = staff_client.get("/admin/")
    assert page.context["colors"] == {}
    assert [address for address in ("/brand.css", "/static/operations.css") if address not in page.text] == []


@pytest.mark.parametrize(
    "page",
    [
        "<style>p {}</style>",
        "<script>run()</script>",
        '<p style="color: red">',
        '<a onclick="run()">',
        '<p hx-on:click="run()">',
        '<script src="https://cdn.example/x.js"></script>',
        '<link href="//cdn.example/x.css">',
    ],
)
def test_what_a_page_must_not_have_is_seen(page):
    reader = Reader()
    reader.feed(f'<script type="application/json">{{}}</script><script src="/x.js"></script>{page}')
    assert len(reader.forbidden) == 1
