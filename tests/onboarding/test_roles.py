"""Who may open what: every address, for every kind of person."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import transaction
from django.http import HttpResponse
from django.test import Client

from tests.conftest import signed_in
from tests.factories import make_member, make_organization, make_user

from .pages import HTMX
from .routes import ROUTES, address, rows

LEVELS = {"see": "see connect manage", "connect": "connect manage", "manage": "manage"}
PEOPLE = {"viewer": "see", "member": "connect", "admin": "manage", "owner": "manage"}
PRIVATE = [name for name, route in ROUTES.items() if route.need != "anyone"]


def outcome(answer: HttpResponse) -> str:
    """What became of a request, in a word."""
    place = answer.headers.get("Location") or answer.headers.get("HX-Redirect", "")
    if place.startswith("/accounts/login/?next=/"):
        return "has to sign in"
    if place in {"/", "/admin/"}:
        return "is sent home"
    return {403: "may not", 404: "finds nothing"}.get(answer.status_code, "may")


@contextmanager
def undone() -> Iterator[None]:
    """Whatever is changed inside is as it was afterwards."""
    before = transaction.savepoint_create()
    yield
    transaction.savepoint_rollback(before)


def browsers(owner, stranger) -> dict[str, Client]:
    """One of each kind of person: members of the organization by their role, and those who are none."""
    colleagues = {role: signed_in(make_member(organization=owner.organization, role=role)) for role in PEOPLE}
    return colleagues | {
        "nobody": Client(),
        "without a company": signed_in(make_user()),
        "staff": signed_in(make_user(is_staff=True)),
        "of another company": signed_in(stranger),
        "of a closed company": signed_in(make_member(organization=make_organization(is_active=False))),
    }


def expected(name: str, method: str) -> dict[str, str]:
    """By the permission that the table asks for."""
    route = ROUTES[name]
    need = (method == "POST" and route.need_to_post) or route.need
    opens = "is sent home" if name == "connect-discard" else "may"  # there is nothing left to show
    found = {who: opens if level in LEVELS[need].split() else "may not" for who, level in PEOPLE.items()}
    return found | {
        "nobody": "has to sign in",
        "without a company": "is sent home",
        "staff": "is sent home",
        "of another company": "finds nothing" if route.of else "may",
        "of a closed company": "may not",
    }


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "part"])
@pytest.mark.parametrize("name", [name for name in PRIVATE if name != "home"])
def test_everybody_opens_what_they_may_and_nothing_else(owner, stranger, otter, name, headers):
    made, people = rows(owner.organization), browsers(owner, stranger)
    for method in ROUTES[name].methods.split():
        found = {}
        for who, browser in people.items():
            with undone():
                takes = ROUTES[name].takes if method == "POST" else {}
                answer = getattr(browser, method.lower())(address(name, made), takes, headers=headers)
                found[who] = outcome(answer)
        assert found == expected(name, method)


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "part"])
def test_home_is_everybodys(owner, stranger, headers):
    found = {who: outcome(browser.get("/", headers=headers)) for who, browser in browsers(owner, stranger).items()}
    others = dict.fromkeys([*PEOPLE, "without a company", "of another company"], "may")
    refused = {"nobody": "has to sign in", "staff": "is sent home", "of a closed company": "may not"}
    assert found == others | refused


def test_an_invitation_opens_for_anybody_who_has_its_link(owner, stranger):
    made = rows(owner.organization)
    link = f"/invitations/token of {made['invitation'].organization_id}/"
    assert {browser.get(link).status_code for browser in browsers(owner, stranger).values()} == {200}
