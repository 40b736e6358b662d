"""The OpenAPI document: valid, complete, and the same as the policy."""

import json
import re
from functools import cache
from typing import Any

import pytest
from django.test import Client
from drf_spectacular.drainage import GENERATOR_STATS, reset_generator_stats
from drf_spectacular.validation import validate_schema

from apps.api.description import document
from apps.api.errors import CODES
from apps.api.grants import CONSENTED, ITSELF
from apps.api.policy import OPEN, POLICY
from apps.api.principals import Kind

OPERATIONS = [(f"{name}-{method}".lower().replace("-", "_"), rule) for (name, method), rule in POLICY.items()]


@cache
def described() -> dict[str, Any]:
    return json.loads(document()[0])


@cache
def operations() -> dict[str, dict[str, Any]]:
    return {one["operationId"]: one for methods in described()["paths"].values() for one in methods.values()}


def references(found: Any) -> set[str]:
    inner = found.values() if isinstance(found, dict) else found if isinstance(found, list) else []
    own = {found["$ref"]} if isinstance(found, dict) and isinstance(found.get("$ref"), str) else set()
    return own.union(*map(references, inner))


def test_it_is_valid_and_made_without_a_warning():
    document.cache_clear()
    reset_generator_stats()
    validate_schema(described())
    found = (GENERATOR_STATS._warn_cache, GENERATOR_STATS._error_cache)
    assert [list(cache) for cache in found] == [[], []]
    assert described()["openapi"] == "3.1.1"


def test_every_reference_leads_somewhere():
    for reference in references(described()):
        here = described()
        for name in reference.removeprefix("#/").split("/"):
            here = here[name]


def test_it_has_every_operation_of_the_policy_once():
    assert sorted(operations()) == sorted(name for name, _ in OPERATIONS)


@pytest.mark.parametrize(("name", "rule"), OPERATIONS)
def test_an_operation_says_who_may_call_it(name, rule):
    said = operations()[name]
    schemes = {scheme for requirement in said.get("security", []) for scheme in requirement}
    assert (said.get("x-grant", ""), bool(schemes)) == (rule.grant, rule is not OPEN)
    assert ("basic" in schemes) == (Kind.APPLICATION in rule.kinds)
    assert ("key" in schemes) == bool(rule.kinds & {Kind.KEY, Kind.CONNECTOR_KEY, Kind.USER_KEY})
    assert ("oauth2" in schemes) == bool(rule.kinds & {Kind.APPLICATION, Kind.TOKEN})


@pytest.mark.parametrize("name", [name for name, _ in OPERATIONS])
def test_an_operation_says_how_it_succeeds_and_fails(name):
    said = operations()[name]
    assert said["summary"] and said["tags"] and said["description"]
    assert [status for status in said["responses"] if status.startswith("2")]
    assert {"400", "401", "403", "404", "411", "429", "500", "503"} <= set(said["responses"])
    for status, answer in said["responses"].items():
        if status[0] in "45":
            assert set(answer["content"]) == {"application/problem+json"}
            codes = answer["description"].split(" · ")
            assert {CODES[code][0] for code in codes} == {int(status)}


# What is refused before anything is done, or goes wrong anywhere.
ANYWHERE = {
    "malformed_request", "credential_in_address", "two_credentials", "unauthorized", "forbidden", "insufficient_scope",
    "integration_disabled", "not_found", "length_required", "rate_limited", "internal_error", "try_again",
}  # fmt: skip


@pytest.mark.parametrize("name", [name for name, _ in OPERATIONS])
def test_an_operation_names_the_errors_that_any_call_may_get(name):
    answers = operations()[name]["responses"].values()
    assert {code for answer in answers for code in answer["description"].split(" · ")} >= ANYWHERE


def test_what_is_taken_in_the_address_or_as_a_body_may_be_wrong():
    for name, said in operations().items():
        if "requestBody" in said or any(one["in"] == "query" for one in said.get("parameters", [])):
            assert "validation_error" in said["responses"]["422"]["description"], name


QUESTIONS = {
    "sku_mapping_preview_post",
    "hook_preview_post",
    "hook_test_post",
}  # POSTs that write nothing: asked again, they are answered anew


def test_a_write_can_be_repeated_and_a_body_refused():
    for name, said in operations().items():
        named = {one["name"] for one in said.get("parameters", []) if one["in"] == "header"}
        assert ("Idempotency-Key" in named) == (not name.endswith("_get") and name not in QUESTIONS), name
        assert "Idempotency-Key" not in named or "413" in said["responses"], name
        if "requestBody" in said:
            assert {"413", "415", "422"} <= set(said["responses"]), name


def test_the_schemes_are_ours_with_every_scope():
    schemes = described()["components"]["securitySchemes"]
    flows = schemes["oauth2"]["flows"]
    assert set(schemes) == {"bearer", "key", "basic", "oauth2"}
    assert set(flows["authorizationCode"]["scopes"]) == set(CONSENTED)
    assert set(flows["clientCredentials"]["scopes"]) == set(ITSELF)
    assert flows["authorizationCode"]["tokenUrl"] == "http://testserver/oauth/token"


def test_it_is_served_to_anybody_and_only_once_to_whoever_has_it(client: Client, db, django_assert_num_queries):
    with django_assert_num_queries(0):
        first = client.get("/api/openapi.json")
        again = client.get("/api/openapi.json", headers={"If-None-Match": first.headers["ETag"]})
    assert (first.status_code, first.json()) == (200, described())
    assert (first.headers["Cache-Control"], first.headers["Content-Language"]) == ("public, max-age=300", "en")
    assert (again.status_code, again.content) == (304, b"")


def test_it_is_english_whoever_asks(client: Client):
    document.cache_clear()
    dutch = client.get("/api/openapi.json", headers={"Accept-Language": "nl"}).content
    document.cache_clear()
    assert client.get("/api/openapi.json", headers={"Accept-Language": "en"}).content == dutch


def test_the_errors_page_has_an_anchor_for_the_type_of_every_problem(client: Client, db):
    page = client.get("/api/errors").content.decode()
    assert sorted(re.findall(r'<li class="item" id="(\w+)"', page)) == sorted(CODES)
    problem = client.get("/api/nothing").json()
    assert problem["type"] == "http://testserver/api/errors#not_found"


@pytest.mark.parametrize("address", ["/api/docs", "/api/errors", "/api/openapi.json"])
def test_the_pages_are_for_reading_only(client: Client, db, address):
    assert client.get(address).status_code == client.head(address).status_code == 200
    assert client.post(address).status_code == 405
