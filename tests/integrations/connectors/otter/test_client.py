import json
import re
from datetime import UTC, datetime
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
import requests
import responses
import time_machine

from apps.egress import OutboundOAuthSession
from apps.integrations.connectors.base import (
    Connects,
    ListsOrganization,
    PullsProducts,
    Rejected,
    RemoteBrand,
    RemoteOrganization,
    RemoteStore,
    StoreRef,
    Unauthorized,
    Unreachable,
)
from apps.integrations.connectors.otter.client import OtterClient
from apps.integrations.connectors.otter.connector import CONNECTOR
from tests.conftest import OTTER

from . import BRAND, ORGANIZATION, STORE, STORE_PATH, SUMMARIES, recorded

AMSTERDAM = StoreRef(BRAND, STORE, "great-hats-amsterdam")


def bearer(token: str) -> OutboundOAuthSession:
    return OutboundOAuthSession("crossdock", token={"access_token": token, "token_type": "Bearer"})


@pytest.fixture
def client() -> OtterClient:
    return OtterClient(bearer("an-owners-token"), address=OTTER, application=bearer("an-applications-token"))


def query(call: responses.Call) -> dict[str, list[str]]:
    return parse_qs(urlsplit(call.request.url).query, keep_blank_values=True)


def test_it_lists_an_organization_connects_and_pulls_products():
    assert [CONNECTOR.can(capability) for capability in (ListsOrganization, Connects, PullsProducts)] == [True] * 3


def test_behaviour_1_whose_organization_it_is_is_decided_by_the_owners_token_alone(otter, client):
    otter.get(OTTER + ORGANIZATION, json=recorded("organization"))
    client.organization()
    [call] = otter.calls
    assert call.request.headers["Authorization"] == "Bearer an-owners-token"
    assert (call.request.url, call.request.headers["Accept"]) == (OTTER + ORGANIZATION, "application/json")


def test_behaviour_2_the_organization_has_an_id_and_a_name(otter, client):
    otter.get(OTTER + ORGANIZATION, json=recorded("organization"))
    assert client.organization() == RemoteOrganization("c0b5f6c6-5d0e-4c55-9a1f-3e6f0b1c2d01", "Great Hats")


def test_behaviour_3_brands_are_listed_with_limit_and_token_until_no_token_comes(otter, client):
    otter.get(f"{OTTER}{ORGANIZATION}/brands", json=recorded("brands_first"))
    first = client.brands()
    assert first.items == [
        RemoteBrand("b1a7d0de-0000-4000-8000-000000000001", "Top Hats"),
        RemoteBrand("b1a7d0de-0000-4000-8000-000000000002", "Bowler & Sons"),
    ]
    assert first.next_cursor == "eyJvZmZzZXQiOjJ9+/=&?"
    otter.replace(responses.GET, f"{OTTER}{ORGANIZATION}/brands", json=recorded("brands_last"))
    last = client.brands(first.next_cursor)
    assert (last.items, last.next_cursor) == ([RemoteBrand("b1a7d0de-0000-4000-8000-000000000003", "Käppchen")], "")
    assert [query(call) for call in otter.calls] == [
        {"limit": ["100"]},
        {"limit": ["100"], "token": ["eyJvZmZzZXQiOjJ9+/=&?"]},
    ]


def test_behaviour_4_stores_are_listed_the_same_way_with_an_address_that_may_be_null(otter, client):
    otter.get(f"{OTTER}{ORGANIZATION}/brands/{BRAND}/stores", json=recorded("stores"))
    page = client.stores(BRAND)
    assert page.items == [
        RemoteStore(STORE, "Great Hats Amsterdam", "Damrak 1, 1012 LG Amsterdam, NL"),
        RemoteStore(
            "57030000-0000-4000-8000-000000000002",
            "Great Hats Rotterdam",
            "Coolsingel 40, 2nd floor, 3011 AA Rotterdam, NL",
        ),
        RemoteStore("57030000-0000-4000-8000-000000000003", "Great Hats Online", ""),
    ]
    assert (page.next_cursor, page.bad) == ("", [])
    assert [query(call) for call in otter.calls] == [{"limit": ["100"]}]


def test_one_store_is_asked_for_by_its_two_ids(otter, client):
    otter.get(OTTER + STORE_PATH, json=recorded("store"))
    assert client.store(BRAND, STORE) == RemoteStore(STORE, "Great Hats Amsterdam", "Damrak 1, 1012 LG Amsterdam, NL")


def test_behaviour_5_another_organizations_brand_or_store_is_not_found(otter, client):
    for path in (f"{ORGANIZATION}/brands/{BRAND}/stores", STORE_PATH):
        otter.get(OTTER + path, status=404, json=recorded("not_found"))
    for asked in (lambda: client.stores(BRAND), lambda: client.store(BRAND, STORE)):
        error = failure(asked, Rejected)
        assert (error.code, error.status) == ("not_found", 404)


def test_behaviour_51_a_store_that_is_not_connected_is_none(otter, client):
    otter.get(f"{OTTER}{STORE_PATH}/connection", status=404, json=recorded("not_found"))
    assert client.connection(AMSTERDAM) is None


def test_behaviour_51_a_connected_store_tells_under_which_id(otter, client):
    otter.get(f"{OTTER}{STORE_PATH}/connection", json=recorded("connection"))
    assert client.connection(AMSTERDAM) == "great-hats-amsterdam"


def test_behaviour_52_connecting_sends_our_id_and_takes_an_empty_204(otter, client):
    otter.post(f"{OTTER}{STORE_PATH}/connection", status=204)
    assert client.connect(AMSTERDAM) is None
    [call] = otter.calls
    assert json.loads(call.request.body) == {"storeId": "great-hats-amsterdam"}
    assert call.request.headers["Content-Type"] == "application/json"


def test_behaviour_52_connecting_twice_is_a_conflict(otter, client):
    otter.post(f"{OTTER}{STORE_PATH}/connection", status=409, json=recorded("conflict"))
    error = failure(lambda: client.connect(AMSTERDAM), Rejected)
    assert (error.code, error.status, len(otter.calls)) == ("conflict", 409, 1)


def test_behaviours_53_and_90_an_id_is_replaced_by_delete_and_then_post(otter, client):
    otter.delete(f"{OTTER}{STORE_PATH}/connection", status=204)
    otter.post(f"{OTTER}{STORE_PATH}/connection", status=204)
    client.disconnect(AMSTERDAM)
    client.connect(AMSTERDAM)
    assert [call.request.method for call in otter.calls] == ["DELETE", "POST"]


def test_behaviour_53_disconnecting_what_is_not_connected_is_done_already(otter, client):
    otter.delete(f"{OTTER}{STORE_PATH}/connection", status=404, json=recorded("not_found"))
    assert client.disconnect(AMSTERDAM) is None


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_a_connection_we_may_not_see_is_not_one_that_is_missing(otter, client, method):
    otter.add(method, f"{OTTER}{STORE_PATH}/connection", status=403, json={"message": "Forbidden"})
    asked = client.connection if method == "GET" else client.disconnect
    assert failure(lambda: asked(AMSTERDAM), Rejected).code == "forbidden"


def test_behaviour_54_an_id_that_otter_refuses_is_refused_with_its_reason(otter, client):
    otter.post(f"{OTTER}{STORE_PATH}/connection", status=422, json=recorded("unprocessable"))
    error = failure(lambda: client.connect(AMSTERDAM), Rejected)
    assert (error.code, error.status) == ("rejected", 422)
    assert "must be 1 to 255 printable ASCII characters" in str(error)


def test_behaviour_55_the_connection_calls_carry_the_token_our_application_was_given(otter, client):
    """Connections are per application: Otter tells applications apart by the token alone."""
    otter.get(f"{OTTER}{STORE_PATH}/connection", json=recorded("connection"))
    otter.post(f"{OTTER}{STORE_PATH}/connection", status=204)
    otter.delete(f"{OTTER}{STORE_PATH}/connection", status=204)
    for work in (client.connection, client.connect, client.disconnect):
        work(AMSTERDAM)
    assert {call.request.headers["Authorization"] for call in otter.calls} == {"Bearer an-owners-token"}
    assert [name for call in otter.calls for name in call.request.headers if name.startswith("X-")] == []


def test_products_are_asked_with_our_own_token_for_the_store_by_our_id(otter, client):
    otter.get(OTTER + SUMMARIES, json=recorded("summaries"))
    page = client.products(AMSTERDAM)
    assert [item.sku for item in page.items] == ["HAT-PAN-WHT-M", "90000000-0000-4000-8000-000000000002"]
    assert page.next_cursor == "page-2"
    [call] = otter.calls
    assert call.request.headers["Authorization"] == "Bearer an-applications-token"
    assert call.request.headers["X-Store-Id"] == "great-hats-amsterdam"
    assert query(call) == {"limit": ["100"]}


def test_products_go_on_at_the_cursor(otter, client):
    otter.get(OTTER + SUMMARIES, json=recorded("summaries_published"))
    assert client.products(AMSTERDAM, "a/b+c=&d").next_cursor == "page-3"
    assert query(otter.calls[0]) == {"limit": ["100"], "token": ["a/b+c=&d"]}


def test_a_401_to_our_own_token_is_nothing_an_owner_can_help(otter, client):
    otter.get(OTTER + SUMMARIES, status=401, json=recorded("unauthorized"))
    assert failure(lambda: client.products(AMSTERDAM), Unauthorized).code == "application_refused"


@pytest.mark.parametrize("id", ["../../v1/auth", "a/b", "a?b=c", "a#b", "ä", "%2e%2e", "a b", "a\\b"])
def test_an_id_stays_one_part_of_the_address(otter, client, id):
    otter.get(re.compile(re.escape(OTTER)), json={"items": []})
    client.stores(id)
    prefix, suffix = f"{OTTER}{ORGANIZATION}/brands/", "/stores?limit=100"
    part = otter.calls[0].request.url.removeprefix(prefix).removesuffix(suffix)
    assert unquote(part) == id
    assert not set(part) & set("/?#")


def failure[Error: Exception](work, kind: type[Error]) -> Error:
    """The error that `work` ends with, which is exactly of this kind."""
    with pytest.raises(kind) as raised:
        work()
    assert type(raised.value) is kind
    return raised.value


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (301, Rejected, "rejected"),
        (302, Rejected, "rejected"),
        (400, Rejected, "rejected"),
        (401, Unauthorized, "unauthorized"),
        (403, Rejected, "forbidden"),
        (404, Rejected, "not_found"),
        (405, Rejected, "rejected"),
        (408, Unreachable, "server_error"),
        (409, Rejected, "conflict"),
        (410, Rejected, "not_found"),
        (413, Rejected, "rejected"),
        (418, Rejected, "rejected"),
        (422, Rejected, "rejected"),
        (425, Unreachable, "server_error"),
        (429, Unreachable, "rate_limited"),
        (500, Unreachable, "server_error"),
        (501, Unreachable, "server_error"),
        (502, Unreachable, "server_error"),
        (503, Unreachable, "server_error"),
        (504, Unreachable, "server_error"),
    ],
)
def test_a_status_says_who_must_act(otter, client, status, kind, code):
    otter.get(OTTER + ORGANIZATION, status=status, json={"message": "No"}, headers={"Location": "/elsewhere"})
    assert failure(client.organization, kind).code == code
    assert len(otter.calls) == 1


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        ("0", 0.0),
        ("1.5", 1.5),
        ("Sat, 21 Nov 2026 12:00:30 GMT", 30.0),
        ("Sat, 21 Nov 2026 11:00:00 GMT", 0.0),
        ("Sat, 21 Nov 2026 12:00:30", None),
        ("-5", 0.0),
        ("soon", None),
        ("inf", None),
        ("nan", None),
        ("9" * 400, None),
        ("", None),
    ],
)
def test_a_named_time_to_try_again_is_told(otter, client, status, value, seconds):
    otter.get(OTTER + ORGANIZATION, status=status, headers={"Retry-After": value})
    with time_machine.travel(datetime(2026, 11, 21, 12, tzinfo=UTC), tick=False):
        assert failure(client.organization, Unreachable).retry_after == seconds


def test_no_named_time_to_try_again_is_none(otter, client):
    otter.get(OTTER + ORGANIZATION, status=429)
    assert failure(client.organization, Unreachable).retry_after is None


@pytest.mark.parametrize(
    ("trouble", "code"),
    [
        (requests.ConnectionError("refused"), "unreachable"),
        (requests.ReadTimeout("slow"), "timeout"),
        (requests.ConnectTimeout("slow"), "timeout"),
        (requests.exceptions.ChunkedEncodingError("cut off"), "unreachable"),
        (requests.exceptions.ContentDecodingError("too large"), "unreachable"),
        (requests.exceptions.SSLError("expired"), "unreachable"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_network_that_fails_is_tried_again_later(otter, client, trouble, code):
    otter.get(OTTER + ORGANIZATION, body=trouble)
    assert failure(client.organization, Unreachable).code == code


def test_an_address_that_may_not_be_called_is_refused(settings):
    client = OtterClient(bearer("a-token"), address="https://127.0.0.1:9")
    assert failure(client.organization, Rejected).code == "address_refused"


BODIES = ["", "<html>", '{"id": "1", "na', "[]", "null", "7", '"text"', "{}", b"\xff\xfe\x00", "[" * 100_000]


@pytest.mark.parametrize("body", BODIES, ids=lambda body: repr(body[:20]))
def test_an_answer_that_cannot_be_read_is_tried_again_later(otter, client, body):
    for path in (
        ORGANIZATION,
        f"{ORGANIZATION}/brands",
        f"{ORGANIZATION}/brands/{BRAND}/stores",
        STORE_PATH,
        f"{STORE_PATH}/connection",
        SUMMARIES,
    ):
        otter.get(OTTER + path, body=body)
    for asked in (
        client.organization,
        client.brands,
        lambda: client.stores(BRAND),
        lambda: client.store(BRAND, STORE),
        lambda: client.connection(AMSTERDAM),
        lambda: client.products(AMSTERDAM),
    ):
        assert failure(asked, Unreachable).code == "garbled"
