"""Handing orders to Pio, and reading how far it is with them (contracts 1.7)."""

import json
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import responses
from hypothesis import given
from hypothesis import strategies as st

from apps.integrations.connectors.base import BadItem, ConnectorError, Rejected, Unauthorized, Unreachable
from apps.integrations.connectors.orders import (
    Address,
    FulfillmentNews,
    FulfillmentPage,
    HandedLine,
    HandedOrder,
    ListsServices,
    RemoteService,
    Step,
    TakesOrders,
    TellsFulfillments,
    Tracking,
)
from apps.integrations.connectors.pio import mapping
from apps.integrations.connectors.pio.connector import CONNECTOR

from . import API, HATS, recorded, refusal

REFERENCE = "0197b1f0-7d3e-7c11-9a2b-3f1c2a5d6e7f"
ORDER = HandedOrder(
    reference=REFERENCE,
    ext_order_id="1001",
    number="#1001",
    lines=(HandedLine("l1", "HAT-1", 3, name="Top hat"), HandedLine("l2", "HAT-2", 1)),
    destination=Address(first_name="Ann", city="Délft", zip="2611 AB", country="NL"),
    shipping_method="express",
    tags=("vip", "gift"),
    notes="Gift wrap 🎁",
    priority=9,
)
TAKEN = HandedOrder(REFERENCE, "1001", "#1001", ORDER.lines, ORDER.destination, notes="Changed", remote_id="7/1")
CHANGES = {
    "tags": ["vip", "gift"],
    "notes": "Gift wrap 🎁",
    "destination_address": {
        "first_name": "Ann",
        "last_name": "",
        "company": "",
        "address1": "",
        "address2": "",
        "city": "Délft",
        "province": "",
        "zip": "2611 AB",
        "country": "NL",
        "phone": "",
        "email": "",
    },
}


def minute(number: int) -> datetime:
    return datetime(2026, 3, 1, 12, number, tzinfo=UTC)


def sent(pio: responses.RequestsMock) -> list[tuple[str, str, dict | None]]:
    """What was asked for: method, path with query, body."""
    requests = [call.request for call in pio.calls]
    return [(r.method, r.path_url.removeprefix("/api/v1"), r.body and json.loads(r.body)) for r in requests]


def test_it_takes_orders_tells_how_far_they_are_and_lists_how_it_ships():
    assert [CONNECTOR.can(capability) for capability in (TakesOrders, TellsFulfillments, ListsServices)] == [True] * 3


def test_behaviour_70_an_order_is_handed_over_under_our_reference_with_all_that_pio_may_know(pio, client):
    pio.post(f"{API}/orders", json=recorded("order"))
    assert client.put_order(HATS, ORDER) == "71"
    assert sent(pio) == [
        (
            "POST",
            "/orders",
            CHANGES
            | {
                "ext_order_id": "1001",
                "ext_fulfillment_order_id": REFERENCE,
                "order_number": "#1001",
                "shipping_method": "express",
                "lines": [
                    {"sku": "HAT-1", "quantity": 3, "ext_order_line_item_id": "l1"},
                    {"sku": "HAT-2", "quantity": 1, "ext_order_line_item_id": "l2"},
                ],
            },
        )
    ]


@pytest.mark.parametrize(
    ("code", "status"), [("order_already_exists", 400), ("product_not_found", 422), ("validation_error", 422)]
)
def test_behaviour_71_a_refused_order_is_refused_with_pios_code(pio, client, code, status):
    pio.post(f"{API}/orders", **refusal(code, status))
    with pytest.raises(Rejected) as refused:
        client.put_order(HATS, ORDER)
    assert (refused.value.code, refused.value.status) == (code, status)


@pytest.mark.parametrize("found", [{"data": [recorded("order")], "next": None}, [recorded("order")]])
def test_an_order_is_found_by_our_reference(pio, client, found):
    pio.get(f"{API}/orders", json=found)
    assert client.find_order(HATS, REFERENCE) == "71"
    assert parse_qs(urlsplit(pio.calls[0].request.url).query) == {"ext_fulfillment_order_id": [REFERENCE]}


@pytest.mark.parametrize("found", [[], [recorded("order") | {"ext_fulfillment_order_id": "another"}]])
def test_an_order_that_is_not_there_is_none_and_no_other_is_taken_for_it(pio, client, found):
    pio.get(f"{API}/orders", json={"data": found, "next": None})
    assert client.find_order(HATS, REFERENCE) is None


def test_behaviour_72_tags_notes_and_destination_are_told_again_and_nothing_else(pio, client):
    pio.put(f"{API}/orders/7%2F1", json=recorded("order"))
    client.change_order(HATS, TAKEN)
    assert sent(pio) == [("PUT", "/orders/7%2F1", CHANGES | {"tags": [], "notes": "Changed"})]


def test_an_order_whose_id_was_never_heard_is_found_first_and_then_changed_or_deleted(pio, client):
    pio.get(f"{API}/orders", json={"data": [recorded("order")], "next": None})
    pio.put(f"{API}/orders/71", json=recorded("order"))
    pio.delete(f"{API}/orders/71", status=204)
    client.change_order(HATS, ORDER)
    client.cancel_order(HATS, ORDER)
    assert [(method, path.partition("?")[0]) for method, path, _ in sent(pio)] == [
        ("GET", "/orders"), ("PUT", "/orders/71"), ("GET", "/orders"), ("DELETE", "/orders/71"),
    ]  # fmt: skip


def test_an_order_that_pio_never_had_cannot_be_changed_and_counts_as_cancelled(pio, client):
    pio.get(f"{API}/orders", json={"data": [], "next": None})
    client.cancel_order(HATS, ORDER)
    with pytest.raises(Rejected) as refused:
        client.change_order(HATS, ORDER)
    assert refused.value.code == "order_not_found"
    assert {method for method, _, _ in sent(pio)} == {"GET"}


def test_behaviour_77_an_order_that_is_gone_there_counts_as_cancelled(pio, client):
    pio.delete(f"{API}/orders/7%2F1", **refusal("order_not_found", 404))
    client.cancel_order(HATS, TAKEN)
    assert len(pio.calls) == 1


@pytest.mark.parametrize(
    ("code", "status"),
    [("picking_in_progress", 422), ("order_already_fulfilled", 422), ("shop_not_found", 404), ("not_found", 404)],
)
def test_behaviour_77_an_order_that_pio_keeps_is_not_taken_for_cancelled(pio, client, code, status):
    pio.delete(f"{API}/orders/7%2F1", **refusal(code, status))
    with pytest.raises(Rejected) as refused:
        client.cancel_order(HATS, TAKEN)
    assert refused.value.code == code


CALLS = {
    "put": lambda client: client.put_order(HATS, ORDER),
    "find": lambda client: client.find_order(HATS, REFERENCE),
    "change": lambda client: client.change_order(HATS, TAKEN),
    "cancel": lambda client: client.cancel_order(HATS, TAKEN),
    "fulfillments": lambda client: client.fulfillments(HATS),
    "services": lambda client: client.services(HATS),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    ("answer", "error", "code"),
    [
        ({"status": 503}, Unreachable, "server_error"),
        ({"status": 429, "headers": {"Retry-After": "7"}}, Unreachable, "rate_limited"),
        ({"body": requests.ConnectionError()}, Unreachable, "unreachable"),
        ({"body": requests.Timeout()}, Unreachable, "timeout"),
        ({"status": 401}, Unauthorized, "unauthorized"),
        (refusal("could_not_validate_credentials", 403), Unauthorized, "unauthorized"),
        ({"status": 403}, Rejected, "forbidden"),
    ],
)
def test_every_call_fails_in_one_of_three_ways(pio, client, call, answer, error, code):
    for method in (responses.GET, responses.POST, responses.PUT, responses.DELETE):
        for path in ("orders", "orders/7%2F1", "fulfillments", "shipping_rates"):
            pio.add(method, f"{API}/{path}", **answer)
    with pytest.raises(ConnectorError) as failed:
        CALLS[call](client)
    assert (type(failed.value), failed.value.code) == (error, code)


@pytest.mark.parametrize("call", ["put", "find", "fulfillments", "services"])
@pytest.mark.parametrize("body", ["{", "[{}]x", "null", "7", '"text"', '{"data": 7}', '{"data": {}}', "{}"])
def test_an_answer_that_cannot_be_read_may_be_whole_next_time(pio, client, call, body):
    for path in ("orders", "fulfillments", "shipping_rates"):
        pio.add(responses.POST if call == "put" else responses.GET, f"{API}/{path}", body=body)
    with pytest.raises(Unreachable) as failed:
        CALLS[call](client)
    assert failed.value.code == "garbled"


@pytest.mark.parametrize("found", [[7], [{}], [{"ext_fulfillment_order_id": REFERENCE}]])
def test_an_order_that_cannot_be_read_is_not_taken_for_none(pio, client, found):
    pio.get(f"{API}/orders", json={"data": found, "next": None})
    with pytest.raises(Unreachable) as failed:
        client.find_order(HATS, REFERENCE)
    assert failed.value.code == "garbled"


def test_fulfilments_are_read_page_by_page_and_one_that_nobody_understands_fails_alone(pio, client):
    pio.get(f"{API}/fulfillments", json=recorded("fulfillments_first"))
    first = client.fulfillments(HATS)
    assert first == FulfillmentPage(
        [
            FulfillmentNews(
                Step.TAKEN,
                reference="f-60",
                remote_id="60",
                shipped={},
                version=1,
                occurred_at=datetime(2026, 3, 1, 11, tzinfo=UTC),
            )
        ],
        "cursor:after/6=&?",
        bad=[BadItem("f-61", "unreadable", "KeyError('on the moon')")],
    )
    pio.replace(responses.GET, f"{API}/fulfillments", json=recorded("fulfillments_last"))
    last = client.fulfillments(HATS, first.next_cursor)
    assert last == FulfillmentPage(
        [
            FulfillmentNews(
                Step.REJECTED,
                reference="f-59",
                remote_id="59",
                shipped={},
                is_final=True,
                reason="Broken",
                version=3,
                occurred_at=minute(30),
            )
        ],
        resume_from="since:2026-03-01T12:30:00+00:00",
    )
    pio.replace(responses.GET, f"{API}/fulfillments", json={"data": [], "next": None})
    assert client.fulfillments(HATS, last.resume_from) == FulfillmentPage([], resume_from=last.resume_from)
    assert [parse_qs(urlsplit(call.request.url).query) for call in pio.calls] == [
        {"limit": ["200"]},
        {"limit": ["200"], "cursor": ["after/6=&?"]},
        {"limit": ["200"], "updated_since": ["2026-03-01T12:30:00+00:00"]},
    ]


def test_a_pio_without_fulfilments_is_read_from_the_start_again(pio, client):
    pio.get(f"{API}/fulfillments", json={"data": [], "next": None})
    assert client.fulfillments(HATS) == FulfillmentPage([])


def test_behaviour_80_the_ways_in_which_pio_ships_are_listed(pio, client):
    pio.get(f"{API}/shipping_rates", json=recorded("shipping_rates"))
    assert client.services(HATS) == [
        RemoteService("standard", "Standard (2 to 4 days)"),
        RemoteService("7", "Express (next day)"),
    ]


def told(**changes: object) -> list[FulfillmentNews] | None:
    body = json.dumps(recorded("fulfillment") | changes)
    return mapping.news("fulfillments.update", body.encode())


NOW = FulfillmentNews(
    Step.SHIPPED,
    reference=REFERENCE,
    remote_id="71",
    shipped={"l1": 2, "l2": 1},
    tracking=Tracking("DHL", "JD2", ""),
    is_final=True,
    reason="One is broken",
    version=5,
    occurred_at=minute(7),
    entry="8",
)
BEFORE = FulfillmentNews(
    Step.SHIPPED,
    reference=REFERENCE,
    remote_id="71",
    shipped={"l1": 1},
    tracking=Tracking("PostNL", "3S1", "https://track.example/3S1"),
    version=3,
    occurred_at=minute(5),
    entry="7",
)


def test_a_message_tells_how_a_fulfilment_stands_and_first_each_parcel_before_its_last():
    assert told() == [BEFORE, NOW]


def test_both_events_about_fulfilments_have_one_format():
    body = json.dumps(recorded("fulfillment")).encode()
    assert mapping.news("fulfillments.create", body) == mapping.news("fulfillments.update", body)


@pytest.mark.parametrize(
    ("state", "step"),
    [
        ("open", Step.TAKEN),
        ("picking", Step.PICKING),
        ("partly_fulfilled", Step.SHIPPED),
        ("fulfilled", Step.SHIPPED),
        ("rejected", Step.REJECTED),
        ("cancelled", Step.CANCELLED),
    ],
)
def test_pios_states_are_our_steps_and_what_is_closed_is_final(state, step):
    for closed in (True, False):
        [news] = told(state=state, closed=closed, parcels=[])
        assert (news.step, news.is_final, news.entry) == (step, closed, "")


def test_the_least_a_message_can_say_is_an_order_and_a_state():
    body = b'{"order_id": 71, "state": "fulfilled"}'
    assert mapping.news("fulfillments.update", body) == [FulfillmentNews(Step.SHIPPED, remote_id="71")]


def test_a_line_that_is_named_twice_is_added_up():
    line = {"ext_order_line_item_id": "l1", "sent": 2}
    assert told(lines=[line, line], parcels=[])[0].shipped == {"l1": 4}


@pytest.mark.parametrize("url", ["javascript:alert(1)", "//track.example/1", "3S1", "https://" + "x" * 2000])
def test_an_address_nobody_should_be_led_to_is_left_out(url):
    parcel = {"id": 7, "carrier": "P" * 300, "number": "3S1", "url": url}
    assert told(parcels=[parcel])[0].tracking == Tracking("P" * 255, "3S1", "")


@pytest.mark.parametrize(
    "change",
    [
        {"state": "on the moon"},
        {"state": None},
        {"state": []},
        {"order_id": None},
        {"order_id": "x" * 256},
        {"ext_fulfillment_order_id": "a\x00b"},
        {"ext_fulfillment_order_id": "x" * 256},
        {"reason": "\ud800"},
        {"lines": 7},
        {"lines": [{"sent": 1}]},
        {"lines": [{"ext_order_line_item_id": "l1"}]},
        {"lines": [{"ext_order_line_item_id": "l1", "sent": -1}]},
        {"lines": [{"ext_order_line_item_id": "l1", "sent": 1.5}]},
        {"lines": [{"ext_order_line_item_id": "l1", "sent": 2**31}]},
        {"lines": [{"ext_order_line_item_id": "l1", "sent": 2**31 - 1}] * 2},
        {"version": "x"},
        {"updated_at": "yesterday"},
        {"parcels": 7},
        {"parcels": [{}]},
        {"parcels": [{"id": 7}, {"id": 8}]},
        {"parcels": [{"id": 7, "number": "\x00"}]},
    ],
)
def test_a_message_that_makes_no_sense_is_refused_as_a_whole(change):
    with pytest.raises(ValueError, match="not a message about a fulfilment"):
        told(**change)


@given(st.binary(max_size=80))
def test_wi_02_any_body_is_news_or_a_value_error(body):
    with pytest.raises(ValueError, match="not a message about a fulfilment"):
        mapping.news("fulfillments.create", body)
