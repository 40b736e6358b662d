"""TN-02 and TN-03: what another organization has neither reaches a call nor changes an answer."""

import json
import re
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from tests.conftest import signed_in
from tests.onboarding.routes import ROUTES as PAGES
from tests.onboarding.routes import address, rows

from .callers import TRUSTED, Caller
from .routes import BY_NAME, ROUTES, Route, ids, send
from .world import World, everything_of, make_world, undone

READS = [route for route in ROUTES if route.method == "GET"]
QUERIES = ("", "?limit=1", "?per_page=1")
VOLATILE = re.compile(rb'"(request_id|currentTime|lastUsedAt)": ?"[^"]*"')
ONCE = re.compile(r'(csrfmiddlewaretoken" value="|X-CSRFToken": "|nonce=")[^"]+')
MOST_PAGES = 10


def told(answer: HttpResponse) -> tuple[int, bytes]:
    """The answer, but for what is new each time."""
    return answer.status_code, VOLATILE.sub(b"", answer.content)


def onward(answer: HttpResponse) -> str:
    """The query of the next page, in either manner of paging."""
    body: Any = json.loads(answer.content) if answer.status_code == 200 else {}
    if token := body.get("offsetToken"):
        return f"?limit=1&token={token}"
    return body["next"].partition("?")[1] + body["next"].partition("?")[2] if body.get("next") else ""


def pages(route: Route, world: World, caller: Caller, query: str) -> list[tuple[int, bytes]]:
    """The page this query gives, and those that follow it."""
    place, headers = route.address(ids(route, world, caller.side)), caller.credential(world)
    found = []
    while len(found) < MOST_PAGES:
        answer = send(route, place + query, headers=headers)
        found.append(told(answer))
        query = onward(answer)
        if not query:
            break
    return found


def all_that_is_read(world: World) -> dict[tuple[str, str, str], list[tuple[int, bytes]]]:
    found = {}
    for route in READS:
        for who, caller in TRUSTED.items():
            for query in QUERIES if not caller.refused(route.rule) else ():
                with undone():
                    found[str(route), who, query] = pages(route, world, caller, query)
    return found


def test_answers_are_the_same_with_and_without_another_organization(db):
    mine = make_world("mine")
    alone = all_that_is_read(mine)
    for name in ("mine-too", "a-theirs", "z-theirs"):  # some that sort before ours, some after, some alike
        make_world(name)
    assert all_that_is_read(mine) == alone
    assert max(len(found) for found in alone.values()) > 2
    assert sum(found[0][0] == 200 for found in alone.values()) > 80


def pages_of(owner: Any, made: dict[str, Any]) -> dict[str, str]:
    """Every page an owner can open, as text; with a search where there is one."""
    found, browser = {}, signed_in(owner)
    for name, route in PAGES.items():
        for query in ("", *(f"?{parameter}=a" for parameter in route.query)) if "GET" in route.methods else ():
            with undone():
                answer = browser.get(address(name, made) + query)
                content = b"".join(answer) if answer.streaming else answer.content
            found[name + query] = ONCE.sub(r"\1", content.decode())
    return found


def test_pages_are_the_same_with_and_without_another_organization(owner, stranger, otter):
    made = rows(owner.organization)
    alone = pages_of(owner, made)
    rows(stranger.organization)
    make_world("a-theirs")
    together = pages_of(owner, made)
    assert {name for name in alone if alone[name] != together[name]} == set()
    assert len(alone) > 20


@pytest.mark.parametrize("who", TRUSTED)
def test_a_cursor_of_another_organizations_list_leads_to_no_row_of_it(db, who):
    mine, theirs, caller = make_world("mine"), make_world("theirs"), TRUSTED[who]
    for route in READS:
        place = route.address(ids(route, theirs, caller.side))
        for query in ("?limit=1", "?per_page=1"):
            with undone():
                theirs_next = onward(send(route, place + query, headers=caller.credential(theirs)))
                own = route.address(ids(route, mine, caller.side))
                answer = send(route, own + theirs_next, headers=caller.credential(mine)) if theirs_next else None
            assert answer is None or b"theirs" not in answer.content.replace(b"theirs-mine", b"")


def test_headers_that_name_another_organizations_rows_change_nothing(db):
    mine, theirs = make_world("mine"), make_world("theirs")
    named = {"Store": theirs.store, "Brand": theirs.brand, "Organization": theirs.organization, "Shop": theirs.shop}
    foreign = {f"X-{name}-Id": str(row.pk) for name, row in named.items()}
    for route in READS:
        for caller in TRUSTED.values():
            place, headers = route.address(ids(route, mine, caller.side)), caller.credential(mine)
            with undone():
                with_them = told(send(route, place, headers=headers | foreign))
            with undone():
                assert with_them == told(send(route, place, headers=headers)), route


def finds(caller: Caller, route: Route, world: World) -> bool:
    """Whether there is something at the route's own address for it: a token that made no shop knows of no products."""
    with undone():
        answer = send(route, route.address(ids(route, world, caller.side)), headers=caller.credential(world))
        return answer.status_code != 404


@pytest.mark.parametrize(
    ("name", "field", "row"),
    [
        ("POST integrations", "connector_id", "connector"),
        ("POST shops", "store_id", "store"),
        ("POST shops", "organization_id", "organization"),
        ("POST connection", "store", "store"),
        ("POST keys", "integration", "custom"),
        ("POST connectors", "organization", "organization"),
        ("PUT connector", "organization", "organization"),
        ("PUT integration", "connector_id", "connector"),
        ("POST products", "shop_id", "shop"),
        ("PUT product", "shop_id", "shop"),
        ("PUT integration-product", "integration_id", "custom"),
        ("POST locations", "integration_id", "custom"),
        ("PUT location", "organization_id", "organization"),
    ],
)
def test_a_body_that_names_another_organizations_row_is_refused(db, name, field, row):
    mine, theirs, route = make_world("mine"), make_world("theirs"), BY_NAME[name]
    before = everything_of(theirs.organization), everything_of(mine.organization)
    sent = {"name": "New", field: str(theirs.organization.pk if row == "organization" else theirs.rows[row].pk)}
    may = [caller for caller in TRUSTED.values() if not caller.refused(route.rule)]
    found = {caller: finds(caller, route, mine) for caller in may}
    for caller in may:
        place = route.address(ids(route, mine, caller.side))
        answer = send(route, place, headers=caller.credential(mine), body=sent)
        assert answer.status_code in ((403, 422) if found[caller] else (404,)), answer.content
        assert b"theirs" not in answer.content
    assert any(found.values())
    assert (everything_of(theirs.organization), everything_of(mine.organization)) == before


def test_another_organizations_configuration_brings_its_values_and_none_of_its_rows(db):
    mine, theirs = make_world("mine"), make_world("theirs")
    caller, reads, writes = TRUSTED["user key"], BY_NAME["GET configuration"], BY_NAME["PUT configuration"]
    exported = send(reads, reads.address(ids(reads, theirs, "custom")), headers=caller.credential(theirs)).json()
    before = everything_of(theirs.organization)
    answer = send(writes, writes.address(ids(writes, mine, "custom")), headers=caller.credential(mine), body=exported)
    assert answer.status_code in (200, 422)
    assert everything_of(theirs.organization) == before


def test_nobody_is_let_in_by_a_credential_in_the_address(db):
    mine = make_world("mine")
    for name in ("access_token", "api_key"):
        answer = Client().get(f"/api/organization/v1/organization?{name}={mine.token}")
        assert answer.status_code in (400, 401)


@pytest.mark.parametrize("name", [str(route) for route in ROUTES if route.method in ("POST", "PUT")])
def test_no_call_takes_several_rows_at_once(db, name):
    """TN-05: whatever is made of a call, nothing of another organization changes. Products in bulk: tests/catalog."""
    mine, theirs, route = make_world("mine"), make_world("theirs"), BY_NAME[name]
    before = everything_of(theirs.organization)
    for caller in TRUSTED.values():
        own, foreign = (list(map(str, ids(route, world, caller.side).values())) for world in (mine, theirs))
        for body in ([*own, *foreign], {"ids": [*own, *foreign]}, [{"id": one} for one in (*own, *foreign)]):
            place = route.address(ids(route, mine, caller.side))
            with undone():
                send(route, place, headers=caller.credential(mine), body=body)
                assert everything_of(theirs.organization) == before
