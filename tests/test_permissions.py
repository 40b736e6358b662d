"""Who may what in the admin, asked of every page and every deed that its registry knows (threat AD-02).

`permission_matrix.txt` says what is expected: a line for each page, a column for each role; `see` opens it, `do` may
send its form, `-` is refused. Somebody who adds a page or a deed runs `MATRIX=write pytest tests/test_permissions.py`,
and reads the difference.
"""

import logging
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.utils import quote
from django.contrib.messages import get_messages
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from apps.accounts import powers
from apps.accounts.models import User
from apps.accounts.powers import Power
from apps.audit.trail import Actor
from apps.desk.models import Dismissal, Job, JobPart
from apps.integrations.models import Integration
from apps.orders.models import Fulfillment, Order
from apps.shops.models import Connection
from apps.webhooks.models import Endpoint

from .conftest import signed_in
from .factories import (
    make_application_token,
    make_connection,
    make_endpoint,
    make_fulfillment,
    make_inbox_secret,
    make_integration,
    make_job,
    make_location,
    make_mapping,
    make_member,
    make_order,
    make_organization,
    make_pair,
    make_parcel,
    make_user,
    make_view,
    make_warehouse,
)
from .test_operations import make_everything

TABLE = Path(__file__).parent / "permission_matrix.txt"
ROLES = ["superuser", "operator", "read-only", "no role", "owner"]
HEADING = ["model", "page", *ROLES]
ONLY_SHOWN = {
    "changelist",
    "autocomplete",
    "jsi18n",
    "index",
    "search",
    "app_list",
    "admin-home",
    "problems",
}
ONLY_SHOWN |= {"explain", "revisions", "result", "progress", "open"}
OWN = {("desk.job", "ask"), *(("desk.view", deed) for deed in ("save", "change_this", "delete_this"))}  # a reader's
# Django's own: signing in and out, one's own password; a row's history is for whoever sees the row.
NOT_OURS = {"history", "login", "logout", "password_change", "password_change_done", "view_on_site"}
EVERY_MODELS = {"change", "delete", "changelist"}  # which depend on the row rarely, if at all
REFUSED = "No action selected."
SITE = "(site)"
ARGUMENTS = {(SITE, "app_list"): ["orders"], ("desk.job", "ask"): ["syncs.syncrun", "export"]}
QUERIES = {
    (SITE, "autocomplete"): "?app_label=accounts&model_name=membership&field_name=user",
    ("desk.view", "save"): "?model=orders.order",
}
# What somebody does before they can do this, and with which answers.
FIRST = {("accounts.organization", "leave"): ("admin:accounts_organization_look", {"reason": "They asked for help."})}
CELLS = NOTHING, SEE, DO = "-", "see", "do"


@dataclass(frozen=True)
class Page:
    """Of a model's admin, or of the site's own (then `model` is a word); `action` is one for chosen rows of a list."""

    model: str
    name: str
    address: str
    takes: int = 0
    action: str = ""

    @property
    def key(self) -> tuple[str, str]:
        return self.model, f"chosen: {self.action}" if self.action else self.name


# ---- What there is


def patterns(found: Any, route: str = "", space: str = "") -> Iterator[tuple[str, str, int]]:
    """The route, the name and how many arguments, of each address below."""
    for one in found:
        here = f"{route}{one.pattern}"
        if isinstance(one, URLResolver):
            inner = f"{space}{one.namespace}:" if one.namespace else space
            yield from patterns(one.url_patterns, here, inner)
        elif isinstance(one, URLPattern) and one.name:
            yield here, f"{space}{one.name}", len(one.pattern.converters)


@cache
def pages() -> dict[tuple[str, str], Page]:
    found = [_page(name, takes) for route, name, takes in patterns(get_resolver().url_patterns) if _is_desk(route)]
    for model, its in admin.site._registry.items():
        label, address = model._meta.label_lower, f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"
        names = [str(getattr(action, "__name__", action)) for action in its.actions or ()]
        if its.actions is not None:
            names.append("delete_selected")
        found += [Page(label, "changelist", address, action=name) for name in names]
    return {page.key: page for page in found if page.name not in NOT_OURS}


def _is_desk(route: str) -> bool:
    return route.startswith("admin/")


def _page(name: str, takes: int) -> Page:
    short = name.removeprefix("admin:").replace("auth_user_", "accounts_user_")  # as Django calls its own page
    for model in sorted(admin.site._registry, key=lambda model: -len(model._meta.label)):
        prefix = f"{model._meta.app_label}_{model._meta.model_name}_"
        if short.startswith(prefix):
            return Page(model._meta.label_lower, short.removeprefix(prefix), name, takes)
    return Page(SITE, short, name, takes)


# ---- What happens


@dataclass
class Asking:
    """Somebody's browser in front of the world; `fits` remembers for each page which row it can be asked of at all."""

    user: User | None
    rows: dict[str, list[Any]]
    fits: dict[tuple[str, str], list[Any]]

    def __post_init__(self) -> None:
        self.client = signed_in(self.user) if self.user else Client()
        self.client.raise_request_exception = False

    def everything(self) -> dict[tuple[str, str], str]:
        """What each page is to them: `do`, `see` or `-`; the first broken page ends it."""
        return {key: self.attempt(page) for key, page in pages().items()}

    def attempt(self, page: Page) -> str:
        for arguments in self._arguments(page):
            with transaction.atomic():
                if page.key in FIRST:
                    name, answers = FIRST[page.key]
                    self.client.post(reverse(name, args=arguments), answers)
                found = self._open(page, arguments)
                transaction.set_rollback(True)
            if found != NOTHING:
                self.fits[page.key] = arguments
                return found
        return NOTHING

    def _arguments(self, page: Page) -> list[list[Any]]:
        if page.key in ARGUMENTS:
            return [ARGUMENTS[page.key]]
        if page.model == "desk.view" and self.user and page.takes:
            return [[make_view(user=self.user).pk]]  # whose rows are their own
        if page.key in self.fits:
            return [self.fits[page.key]]
        if page.model == SITE or page.takes > 1:
            return [["x"] * page.takes]
        if not (page.takes or page.action):
            return [[]]
        some = self.rows[page.model][: 2 if page.name in EVERY_MODELS else None]
        return [[row.pk if page.action else quote(row.pk)] for row in some]

    def _open(self, page: Page, arguments: list[Any]) -> str:
        if page.action:
            chosen = {"action": page.action, "_selected_action": [str(pk) for pk in arguments]}
            return DO if self._lets_in(self.client.post, reverse(page.address), chosen) else NOTHING
        address = reverse(page.address, args=arguments) + QUERIES.get(page.key, "")
        if page.name not in ONLY_SHOWN and self._lets_in(self.client.post, address, {"post": "yes"}):
            return DO
        return SEE if self._lets_in(self.client.get, address) else NOTHING

    def _lets_in(self, ask: Any, address: str, data: Any = None) -> bool:
        """Whether it was answered with what was asked for. Whatever was done is undone."""
        with transaction.atomic():
            answer = ask(address, data)
            said = {str(message) for message in get_messages(answer.wsgi_request)}
            transaction.set_rollback(True)
        assert answer.status_code < 500, (address, data)
        to_login = answer.headers.get("Location", "").startswith(("/accounts/login/", "/admin/login/"))
        # A deed for chosen rows that somebody may not do is none that the list knows: it shows itself again.
        unknown = REFUSED in said or bool(data and "action" in data and answer.context and "cl" in answer.context)
        return answer.status_code not in (403, 404, 405) and not to_login and not unknown


# ---- Who asks, and of what


def person(role: str) -> User:
    if role == "owner":
        return make_member(email="owner@example.com", organization=make_organization(name="Great Hats"))
    user = make_user(email=f"{role.replace(' ', '-')}@foo-3pl.example", is_staff=True)
    given = {"superuser": Power.SUPERUSER, "operator": Power.OPERATOR, "read-only": Power.READER}
    if role in given:
        powers.give(user, given[role], actor=Actor("somebody"))
    return user


@pytest.fixture
def world(settings, db, monkeypatch) -> dict[str, list[Any]]:
    """Rows of each model, by its label; of some, one for each deed that fits only a row like it."""
    settings.DEMO = True
    monkeypatch.setattr("logging.root.manager.disable", logging.CRITICAL)  # a line for each refusal takes half the time
    make_everything()
    make_application_token()
    make_integration(state=Integration.State.DISABLED)
    make_endpoint(state=Endpoint.State.PAUSED, reason=Endpoint.Reason.ASKED)
    make_inbox_secret()
    make_connection(state=Connection.State.PAUSED)
    make_warehouse()
    make_mapping(integration=make_pair().integration)
    held = make_order(state=Order.State.HELD)
    location = make_location(integration=held.shop.integration)
    refused = make_fulfillment(
        order=held, location=location, owes=Fulfillment.Owes.SEND, due_at=timezone.now(), error="timeout"
    )
    make_parcel(fulfillment=refused, error="timeout")
    JobPart.objects.create(job=make_job(state=Job.State.FINISHED), number=1, text="a,b")
    Dismissal.objects.create(key="x", reason="Known", seen_at=timezone.now(), by=make_user(is_staff=True))
    return {model._meta.label_lower: list(model._default_manager.all()) for model in admin.site._registry}


def a_problem() -> str:
    """The last part of the address of one."""
    client = signed_in(make_user(is_staff=True, is_superuser=True))
    return re.findall(r'href="/admin/problems/([^"/?]+)/', client.get("/admin/problems/").text)[0]


# ---- The table


def read_table() -> dict[tuple[str, str], dict[str, str]]:
    found = {}
    for line in TABLE.read_text().splitlines()[1:]:
        model, page, *cells = (cell.strip() for cell in line.split("|"))
        found[model, page] = dict(zip(ROLES, cells, strict=True))
    return found


def write_table(found: dict[str, dict[tuple[str, str], str]]) -> None:
    rows = [HEADING] + [[*key, *(found[role][key] for role in ROLES)] for key in sorted(pages())]
    widths = [max(len(row[n]) for row in rows) for n in range(len(HEADING))]
    lines = [" | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    TABLE.write_text("\n".join(lines) + "\n")


def test_every_page_and_every_deed_has_a_line():
    assert set(read_table()) == set(pages())


def test_each_role_may_what_its_column_says_and_nobody_else_anything(world):
    fits: dict[tuple[str, str], list[Any]] = {(SITE, "problem"): [a_problem()]}
    found = {role: Asking(person(role), world, fits).everything() for role in ROLES}
    if os.environ.get("MATRIX") == "write":
        write_table(found)
    table = read_table()
    wrong = {
        (key, role): cells[key] for role, cells in found.items() for key in table if cells[key] != table[key][role]
    }
    assert wrong == {}
    strangers = Asking(None, world, fits).everything()
    assert {key for key, cell in strangers.items() if cell != NOTHING} == set()


def test_every_deed_that_is_not_djangos_was_really_asked_for():
    """Refused to everybody it would be of no use: the world above lacks a row that it fits."""
    closed = {name for (_model, name), cells in read_table().items() if set(cells.values()) == {NOTHING}}
    assert closed == {"add", "delete", "chosen: delete_selected"}


def test_nobody_may_more_than_somebody_above_them():
    above = list(pairwise(ROLES))
    wrong = [
        (key, low)
        for key, cells in read_table().items()
        for high, low in above
        if CELLS.index(cells[low]) > CELLS.index(cells[high])
    ]
    assert wrong == []


def test_a_reader_changes_nothing_but_their_own_affairs():
    assert {key for key, cells in read_table().items() if cells["read-only"] == DO} == OWN
