"""Nothing that comes in by an address, a query or a form can break a page, or save what should not be."""

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from django.apps import apps
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.http import HttpResponse
from django.urls import reverse

from apps.integrations.models import AuthorizationAttempt, Credential, Integration
from tests.factories import make_attempt

from .routes import ROUTES, WITH_ID, address, fields, names, parameters, rows

BAD = {
    "empty": "",
    "spaces": "   ",
    "300 letters": "x" * 300,
    "100,000 letters": "x" * 100_000,
    "a NUL": "a\x00b",
    "a script": "<script>alert(1)</script>",
    "an unknown id": str(uuid4()),
    "a negative number": "-1",
    "a number of forty digits": "9" * 40,
    "half an id": "123e4567-e89b",
    "SQL and a path": """'; DROP TABLE shops_connection; -- ../../etc/passwd {"$ne": null}""",
    "a header": "a\r\nSet-Cookie: crossdock_evil=1",
    "signs from everywhere": "帽子 \u202e\u200f😀 İ",
}
PLAIN = {
    "a script",
    "an unknown id",
    "a negative number",
    "a number of forty digits",
    "half an id",
    "SQL and a path",
}
# What looks bad and is not: a store may be called so, and what is no consent to replace anything replaces nothing.
FITS = {
    "name": PLAIN | {"a header", "signs from everywhere"},
    "ext_shop_id": PLAIN,
    "replaces": PLAIN | {"a header", "signs from everywhere", "empty", "spaces"},
    "integration": {"empty"},
    "tags": PLAIN | {"signs from everywhere", "empty", "spaces"},
    "notes": PLAIN | {"a header", "signs from everywhere", "empty", "spaces", "300 letters"},
    "to-email": {"empty", "spaces"},
    "service": PLAIN | {"a header", "signs from everywhere", "empty"},
    "headers": {"empty", "spaces"},
    "value": PLAIN | {"a header", "signs from everywhere"},
    "fallback": PLAIN | {"a header", "signs from everywhere", "empty"},
}
FITS |= dict.fromkeys(["to-address1", "to-city"], PLAIN | {"signs from everywhere"})
FITS |= dict.fromkeys(
    [f"to-{name}" for name in ("first_name", "last_name", "company", "address2", "zip", "province", "phone")],
    PLAIN | {"signs from everywhere", "empty", "spaces"},
)
IN_PASSING = {"fence", "problem", "updated_at", "lease_until"}  # written while a store is being connected, and undone
FORM = "application/x-www-form-urlencoded"


def everything() -> list[tuple[str, str]]:
    """All rows of ours, as their tables and JSON, whoever they belong to. One query: there are many tables."""
    ours = [model for model in apps.get_models() if model.__module__.startswith(("apps.", "allauth."))]
    rows_of = "SELECT '{0}', to_jsonb(one) - %(in_passing)s::text[] FROM {0} one"
    with connection.cursor() as cursor:
        every = " UNION ALL ".join(rows_of.format(model._meta.db_table) for model in ours)
        cursor.execute(f"{every} ORDER BY 1, 2", {"in_passing": list(IN_PASSING)})
        return cursor.fetchall()


def is_refused(answer: HttpResponse) -> bool:
    """An error's status; or a page that says what was wrong. (The notice `trouble` is on every page, hidden.)"""
    told = re.search(r'class="(error-summary|notice notice-(warning|danger)"(?! id="trouble"))', answer.text)
    return answer.status_code in {400, 404, 405} or (answer.status_code == 200 and told is not None)


def is_harmless(answer: HttpResponse) -> bool:
    return answer.status_code < 500 and "<script>alert" not in answer.text and "crossdock_evil" not in answer.cookies


@pytest.fixture
def made(owner, otter):
    """Rows of the owner's organization. Nobody answers at any platform."""
    return rows(owner.organization)


@pytest.fixture
def foreign(stranger):
    """Rows of another organization."""
    return rows(stranger.organization)


def test_every_address_is_in_the_table():
    assert set(ROUTES) == names()


@pytest.mark.parametrize(("name", "field"), list(fields()))
def test_a_form_with_a_bad_value_is_refused_with_a_word_and_saves_nothing(owner_client, made, name, field):
    before, kinds = everything(), set(BAD) - FITS.get(field, set())
    for kind in sorted(kinds):
        body = urlencode(ROUTES[name].takes | {field: BAD[kind]})
        answer = owner_client.post(address(name, made), body, content_type=FORM, follow=True)
        assert (kind, is_refused(answer), is_harmless(answer)) == (kind, True, True)
    assert everything() == before


@pytest.mark.parametrize("field", FITS)
def test_a_strange_value_that_fits_is_shown_as_text_and_nothing_else(owner_client, made, field):
    name = next(name for name, known in fields() if known == field)
    for kind in sorted(FITS[field]):
        body = urlencode(ROUTES[name].takes | {field: BAD[kind]})
        answer = owner_client.post(address(name, made), body, content_type=FORM)
        assert (kind, is_harmless(answer)) == (kind, True)
    for page in ("connect-identify", "connect-review", "home"):
        assert is_harmless(owner_client.get(address(page, made)))


@pytest.mark.parametrize(
    "name", [name for name, route in ROUTES.items() if route.takes and name != "connect-authorize"]
)
def test_a_form_without_its_fields_is_refused_with_a_word_and_saves_nothing(owner_client, made, name):
    before, place = everything(), address(name, made)
    upload = {field: SimpleUploadedFile("a.txt", b"a") for field in ROUTES[name].takes}
    for body in ({}, {"something": "else"}, upload):
        assert is_refused(owner_client.post(place, body, follow=True))
    assert is_refused(owner_client.post(place, b"\xff\xfe{[", content_type="application/json", follow=True))
    assert everything() == before


@pytest.mark.parametrize(("name", "parameter"), list(parameters()))
def test_a_query_with_a_bad_value_shows_a_page_and_saves_nothing(owner_client, made, name, parameter):
    before, place = everything(), address(name, made)
    for kind, value in BAD.items():
        answer = owner_client.get(place, {parameter: value})
        assert (kind, is_harmless(answer), answer.status_code in {200, 302, 400}) == (kind, True, True)
        assert (answer.status_code == 400) or "\x00" not in value
    assert everything() == before


@pytest.mark.parametrize("parameter", ["code", "iss", "error", "error_description", "scope"])
def test_a_platforms_answer_with_a_bad_value_gives_us_no_permission(owner, owner_client, made, parameter):
    known = set(Integration.objects.values_list("pk")), set(Credential.objects.values_list("pk", "sealed"))
    owner_client.cookies["crossdock_browser"] = "a-browser"
    for kind, value in BAD.items():
        AuthorizationAttempt.objects.all().delete()
        make_attempt(user=owner, subject=made["draft"].pk)
        good = {"state": "a-state", "code": "a-code"}
        answer = owner_client.get(reverse("connect-callback"), good | {parameter: value})
        assert (kind, answer.status_code in {302, 400}, is_harmless(answer)) == (kind, True, True)
    assert is_refused(owner_client.get(address("connect-authorize", made)))
    assert (set(Integration.objects.values_list("pk")), set(Credential.objects.values_list("pk", "sealed"))) == known


def ask_every_way(client: Any, places: Iterable[str], *, takes: dict[str, str]) -> set[int]:
    return {ask(place, takes).status_code for place in places for ask in (client.get, client.post)}


@pytest.mark.parametrize("name", WITH_ID)
def test_the_id_of_another_organization_is_not_found(owner_client, made, foreign, name):
    before = everything()
    assert ask_every_way(owner_client, [address(name, foreign)], takes=ROUTES[name].takes) <= {404, 405}
    assert owner_client.post(address(name, foreign), ROUTES[name].takes).status_code in {404, 405}
    assert everything() == before


@pytest.mark.parametrize("name", WITH_ID)
def test_an_id_that_is_unknown_is_not_found(owner_client, made, name):
    before, own = everything(), made[ROUTES[name].of].pk
    unknown = 2**63 if isinstance(own, int) else uuid4()
    places = [address(name, made).replace(str(own), str(unknown))]
    assert ask_every_way(owner_client, places, takes=ROUTES[name].takes) <= {404, 405}
    assert everything() == before


@pytest.mark.parametrize("name", ["connect-brand", "change-id", "change-role"])
def test_what_is_no_id_at_all_is_not_found(owner_client, made, name):
    before, own = everything(), made[ROUTES[name].of].pk
    nul = [f"{own}%00", f"{own}\x00", "%00"]
    none = ["0" * 8, "-1", "9" * 40, "x" * 300, "é", "<script>", "..", *nul]
    places = [address(name, made).replace(str(own), bad) for bad in none]
    assert ask_every_way(owner_client, places, takes=ROUTES[name].takes) <= {400, 404, 405}
    assert everything() == before


@pytest.mark.parametrize("token", ["x", "x" * 10_000, "é", "%00", "a\x00b", "<script>alert(1)</script>", "a b"])
def test_an_invitations_link_that_is_none_is_explained(owner_client, client, made, token):
    before = everything()
    for browser in (client, owner_client):
        for ask in (browser.get, browser.post):
            answer = ask(f"/invitations/{token}/")
            assert (answer.status_code in {400, 404}, is_harmless(answer)) == (True, True)
    assert everything() == before


@pytest.mark.parametrize("name", [name for name, route in ROUTES.items() if route.methods == "POST"])
def test_what_changes_something_cannot_be_followed_as_a_link(owner_client, made, name):
    before = everything()
    assert owner_client.get(address(name, made)).status_code == 405
    assert owner_client.head(address(name, made)).status_code == 405
    assert everything() == before


@pytest.mark.parametrize("name", sorted(ROUTES))
def test_other_methods_change_nothing(owner_client, made, name):
    before, place = everything(), address(name, made)
    body = urlencode(ROUTES[name].takes).encode()
    for method in ("put", "delete", "options"):
        assert getattr(owner_client, method)(place, body).status_code < 500
    assert everything() == before


@pytest.mark.parametrize("name", sorted(name for name, route in ROUTES.items() if "POST" in route.methods))
def test_a_form_from_elsewhere_changes_nothing(owner_client, made, name):
    before = everything()
    owner_client.handler.enforce_csrf_checks = True
    assert owner_client.post(address(name, made), ROUTES[name].takes).status_code == 403
    assert everything() == before
