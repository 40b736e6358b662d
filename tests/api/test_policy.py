"""The one table of who may call what, against the addresses there are."""

from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from apps.api import policy
from apps.api.grants import CONSENTED, ITSELF
from apps.api.policy import POLICY, Rule
from apps.api.principals import Kind
from apps.api.routes import WRITES
from tests.api.conftest import basic, bearer
from tests.factories import (
    make_access_token,
    make_authorization,
    make_connector_key,
    make_custom_integration,
    make_key,
    make_member,
    make_partner,
    make_partner_integration,
)
from tests.onboarding import routes as pages

OPTIONAL = {"HEAD", "OPTIONS"}


def patterns(found: URLResolver, path: str = "") -> Iterator[tuple[str, URLPattern]]:
    for inner in found.url_patterns:
        here = path + str(inner.pattern)
        if isinstance(inner, URLResolver):
            yield from patterns(inner, here)
        else:
            yield here, inner


def operations() -> Iterator[tuple[str, str]]:
    """Every route with each method that is an API call."""
    for _, pattern in patterns(get_resolver()):
        if view := getattr(pattern.callback, "cls", None):
            yield from ((pattern.name, method) for method in view().allowed_methods if method not in OPTIONAL)


def test_every_call_has_a_row_and_every_row_a_call():
    assert set(operations()) == set(POLICY)


def test_a_name_is_one_address():
    named = [pattern.name for _, pattern in patterns(get_resolver()) if hasattr(pattern.callback, "cls")]
    assert sorted(named) == sorted(set(named))


# What is neither an API call nor a page of an owner: whose rules are their own, and tested where they are.
ELSEWHERE = {
    "admin/": "the 3PL's own pages: tests/test_operations.py, tests/*/test_admin.py",
    "accounts/": "allauth's: tests/accounts",
    "language/": "anybody may choose a language",
    "healthz": "says nothing but that we live",
    "readyz": "says nothing but that we can work",
    "brand.css": "the 3PL's colour",
    "favicon.ico": "the icon of every page",
    "oauth/": "the authorization server: tests/integrations/oauth",
    ".well-known/": "the authorization server's metadata",
    "apps/": "an owner's connected apps: tests/integrations/oauth",
    "port/": "the manual warehouse's, for the 3PL's own people: tests/catalog/test_port.py",
    "receive/": "a webhook's: whoever has the token and signs: tests/webhooks",
    "api/": "the API's description, and what answers where nothing is",
}
ALIASES = {
    "api/v1/auth/oauth2/authorize",
    "api/v1/auth/token",
    "api/v1/oauth/access_token",
    "raw/openapi_auth/authorize_form",
}


def test_every_other_address_is_a_page_with_a_row_or_has_its_rules_elsewhere():
    calls = {path for path, pattern in patterns(get_resolver()) if hasattr(pattern.callback, "cls")}
    owned = {path for path, pattern in patterns(get_resolver()) if pattern.name in pages.ROUTES}
    rest = {path for path, _ in patterns(get_resolver())} - calls - owned - ALIASES
    assert [path for path in rest if not path.startswith(tuple(ELSEWHERE))] == []


def test_below_api_nothing_is_hidden_from_the_table():
    others = [
        (path, pattern.name)
        for path, pattern in patterns(get_resolver())
        if path.startswith("api/") and not hasattr(pattern.callback, "cls") and path not in ALIASES
    ]
    assert others == [
        ("api/openapi.json", "openapi"),
        ("api/docs", "docs"),
        ("api/errors", "errors"),
        ("api/<path:rest>", None),
        ("api/", None),
    ]


def test_every_rule_asks_for_a_grant_that_exists_and_every_kind_is_somebodys():
    assert {rule.grant for rule in POLICY.values()} <= {"", *CONSENTED, *ITSELF}
    assert {kind for rule in POLICY.values() for kind in rule.kinds} == set(Kind)


# POSTs that write nothing, with why they are no GETs.
QUESTIONS = {
    ("sku-mapping-preview", "POST"): "the pairs it asks about are too many for an address",
    ("hook-preview", "POST"): "so is a filter",
}


def test_a_write_never_needs_only_a_grant_to_read():
    reading = {row for row, rule in POLICY.items() if row[1] in WRITES and rule.grant.endswith((":read", ".read"))}
    assert reading == QUESTIONS.keys()


def test_what_an_organization_owns_is_open_to_nobody():
    assert [row for row, rule in POLICY.items() if rule.is_open] == [("registration", "POST")]


def test_a_call_without_a_row_is_refused_to_everybody(calls):
    answer = calls.get("/api/unruled")
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


@pytest.fixture
def callers(db) -> dict[Kind | None, Client]:
    """One of each kind, that may do everything its kind may."""
    credentials = {
        Kind.APPLICATION: basic(make_partner().application.client_id),
        Kind.TOKEN: bearer(make_access_token()),
        Kind.KEY: bearer(make_key()),
        Kind.CONNECTOR_KEY: bearer(make_connector_key(integration=make_custom_integration())),
        Kind.USER_KEY: bearer(make_key(user=make_member())),
        None: {},
    }
    return {kind: Client(headers=headers) for kind, headers in credentials.items()}


@pytest.mark.parametrize("allowed", Kind)
def test_a_call_is_for_the_kinds_its_row_names(callers, sampled, monkeypatch, allowed):
    monkeypatch.setitem(POLICY, ("notes", "GET"), Rule(frozenset({allowed})))
    answers = {kind: client.get("/api/notes") for kind, client in callers.items()}
    expected = {kind: 200 if kind is allowed else 403 for kind in Kind} | {None: 401}
    assert {kind: answer.status_code for kind, answer in answers.items()} == expected


def test_a_grant_that_is_missing_is_named(sampled, db):
    answer = Client(headers=bearer(make_key(grants=["products:read"]))).post("/api/notes")
    assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")
    expected = 'Bearer realm="Crossdock", error="insufficient_scope", scope="products:write"'
    assert answer.headers["WWW-Authenticate"] == expected


def test_with_a_disabled_integration_nothing_is_called(sampled, db):
    custom, partner = make_custom_integration(state="disabled"), make_partner_integration(state="disabled")
    consent = make_authorization(integration=partner)
    for token in (make_key(integration=custom), make_access_token(authorization=consent)):
        answer = Client(headers=bearer(token)).get("/api/notes")
        assert (answer.status_code, answer.json()["code"]) == (403, "integration_disabled")


def test_an_open_call_is_open_to_everybody_but_a_wrong_credential(callers, sampled):
    assert {client.get("/api/open").status_code for client in callers.values()} == {200}
    assert Client(headers=bearer("wrong")).get("/api/open").status_code == 401


def test_head_is_get(calls):
    answer = calls.head("/api/notes")
    assert (answer.status_code, answer.content) == (200, b"")


def test_the_table_is_what_is_asked(calls, monkeypatch):
    monkeypatch.delitem(policy.POLICY, ("notes", "GET"))
    assert calls.get("/api/notes").status_code == 403
