"""TN-01 and TN-07: every route of the API, every kind of caller, its own and another organization's rows.

What they hear is what the policy table says. The routes come from the resolver, the rules from the table: nothing is
listed here by hand but what a rule cannot know.
"""

import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from django.db import transaction
from django.http import HttpResponse

from apps.api.grants import CONSENTED
from apps.api.policy import POLICY

from .callers import CALLERS, TRUSTED, Caller, with_scope
from .routes import BY_NAME, ROUTES, Route, body_of, code_of, crossed, ids, send, unknown_ids
from .world import World, everything_of, make_world, undone

REFUSALS = {
    "unauthorized",
    "forbidden",
    "insufficient_scope",
    "integration_disabled",
    "not_found",
    "method_not_allowed",
}
# Who may ask, and still hears no: the route's own rules, beyond what the table can say.
HEAR_NO = {
    ("GET shop", "token"): (404, "not_found"),  # a token that has opened no shop yet knows of none
    ("DELETE shop", "token"): (404, "not_found"),
    ("POST integrations", "token"): (403, "forbidden"),  # only who sees the whole organization adds to it
    ("POST integrations", "shop token"): (403, "forbidden"),
    ("POST integrations", "integration key"): (403, "forbidden"),
    ("GET integration-product", "token"): (404, "not_found"),
    ("PUT integration-product", "token"): (404, "not_found"),
    ("GET key", "token"): (404, "not_found"),  # a registered application's integration has no keys
    ("GET key", "shop token"): (404, "not_found"),
}


@pytest.fixture(scope="module")
def standing(django_db_setup, django_db_blocker) -> Iterator[tuple[World, World]]:
    """Two worlds that are made once: to make them takes longer than most tests, and each is undone down to them."""
    everything = transaction.atomic()
    with django_db_blocker.unblock():
        everything.__enter__()
        made = make_world("mine"), make_world("theirs")
    yield made
    with django_db_blocker.unblock():
        transaction.set_rollback(True)
        everything.__exit__(None, None, None)


@pytest.fixture
def worlds(standing, db) -> tuple[World, World]:
    return deepcopy(standing)


@pytest.fixture
def world(worlds) -> World:
    return worlds[0]


def ask(route: Route, world: World, caller: Caller) -> HttpResponse:
    """The call on its own rows."""
    headers, browser = caller.credential(world), caller.browser(world)
    address = route.address(ids(route, world, caller.side))
    return send(route, address, headers=headers, body=body_of(route, world, caller.side), browser=browser)


def heard(answer: HttpResponse) -> tuple[int, str] | str:
    """`may`, or the refusal. What a body lacks or a state forbids is no refusal of the caller."""
    code = code_of(answer)
    return (answer.status_code, code) if code in REFUSALS or answer.status_code >= 500 else "may"


def hears(route: Route, who: str) -> Any:
    return CALLERS[who].refused(route.rule) or HEAR_NO.get((str(route), who), "may")


def test_every_route_has_its_rule_and_every_rule_its_route():
    assert {(route.name, route.method) for route in ROUTES} == set(POLICY)


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_everybody_hears_what_the_policy_table_says(world, route):
    found = {}
    for who, caller in CALLERS.items():
        with undone():
            found[who] = heard(ask(route, world, caller))
    assert found == {who: hears(route, who) for who in CALLERS}


def test_every_exception_is_one():
    for name, who in HEAR_NO:
        assert CALLERS[who].refused(BY_NAME[name].rule) is None


@pytest.mark.parametrize("scope", sorted(CONSENTED))
def test_a_token_with_one_scope_can_do_what_that_scope_says_and_nothing_else(world, scope):
    caller, found = with_scope(scope), {}
    headers = caller.credential(world)
    for route in ROUTES:
        address, body = route.address(ids(route, world, caller.side)), body_of(route, world, caller.side)
        with undone():
            found[str(route)] = heard(send(route, address, headers=headers, body=body))
    may = {str(route): caller.refused(route.rule) or HEAR_NO.get((str(route), "token"), "may") for route in ROUTES}
    assert found == may


def test_every_scope_that_a_rule_asks_for_can_be_consented_to():
    asked = {rule.grant for rule in POLICY.values()} - {""}
    assert {grant for grant in asked if grant not in CONSENTED} == {"ping", "self:read", "self:write"}


@pytest.mark.parametrize("route", [route for route in ROUTES if route.parameters], ids=str)
def test_an_id_of_another_organization_is_an_id_that_nothing_has(worlds, route):
    mine, theirs = worlds
    before = everything_of(theirs.organization)
    for caller in may_ask(route):
        own, foreign = (ids(route, world, caller.side) for world in (mine, theirs))
        headers, body = caller.credential(mine), body_of(route, mine, caller.side)
        with undone():
            for crossing, unknown in zip(crossed(route, own, foreign), unknown_ids(route, own), strict=True):
                there = send(route, route.address(crossing), headers=headers, body=body)
                nowhere = send(route, route.address(unknown), headers=headers, body=body)
                assert (there.status_code, as_told(there)) == (404, as_told(nowhere)), crossing
                assert b"theirs" not in there.content
            assert everything_of(theirs.organization) == before


def may_ask(route: Route) -> list[Caller]:
    return [caller for caller in TRUSTED.values() if not caller.refused(route.rule)]


def as_told(answer: HttpResponse) -> Any:
    """The whole answer, but for what is new each time."""
    body = json.loads(answer.content)
    return {name: value for name, value in body.items() if name != "request_id"}
