"""Telling Vendure what has left: a fulfillment there, made once and marked as shipped."""

import json

import pytest

from apps.integrations.connectors.base import Rejected, StoreRef
from apps.integrations.connectors.orders import ParcelNote, Tracking
from apps.integrations.connectors.vendure import client as graphql

from .conftest import recorded

JAPAN = StoreRef(brand_id="2", store_id="2", ext_shop_id="japan-1")
PARCEL = ParcelNote("0192aa", "606", {"1211": 2}, Tracking("PostNL", "3SABC", "https://track.example.com/3SABC"))


@pytest.fixture
def shipping(vendure):
    vendure.answers |= {
        graphql.FULFILLMENTS: recorded("order_open"),
        graphql.FULFIL: recorded("pending"),
        graphql.SHIP: recorded("shipped"),
    }
    return vendure


def asked(vendure, *documents) -> list[dict]:
    questions = [json.loads(request.body) for request in vendure.asked]
    return [question["variables"] for question in questions if question["query"] in documents]


def test_a_parcel_becomes_a_fulfillment_that_has_left(shipping, client):
    assert client.put_parcel(JAPAN, PARCEL) == "4"
    assert asked(shipping, graphql.FULFIL, graphql.SHIP) == [
        {
            "input": {
                "lines": [{"orderLineId": "1211", "quantity": 2}],
                "handler": {
                    "code": "manual-fulfillment",
                    "arguments": [
                        {"name": "method", "value": "PostNL (xd-224a6a-0192aa)"},
                        {"name": "trackingCode", "value": "3SABC"},
                    ],
                },
            }
        },
        {"id": "6"},
    ]


def test_all_calls_name_the_stores_channel(shipping, client):
    client.put_parcel(JAPAN, PARCEL)
    token = recorded("channel")["data"]["channel"]["token"]
    assert [request.headers.get("vendure-token") for request in shipping.asked] == [None, token, token, token]


def test_one_that_vendure_knows_already_changes_nothing(shipping, client):
    shipping.answers[graphql.FULFILLMENTS] = recorded("fulfillments")
    assert client.put_parcel(JAPAN, PARCEL) == "4"
    assert asked(shipping, graphql.FULFIL, graphql.SHIP) == []


def test_one_that_was_made_and_has_not_left_yet_is_made_no_second_time_and_leaves(shipping, client):
    known = recorded("fulfillments")
    known["data"]["order"]["fulfillments"][0]["state"] = "Pending"
    shipping.answers[graphql.FULFILLMENTS] = known
    assert client.put_parcel(JAPAN, PARCEL) == "4"
    assert asked(shipping, graphql.FULFIL, graphql.SHIP) == [{"id": "4"}]


def test_one_that_somebody_there_took_back_stays_so(shipping, client):
    known = recorded("fulfillments")
    known["data"]["order"]["fulfillments"][0]["state"] = "Cancelled"
    shipping.answers[graphql.FULFILLMENTS] = known
    assert client.put_parcel(JAPAN, PARCEL) == "4"
    assert asked(shipping, graphql.FULFIL, graphql.SHIP) == []


def test_a_second_parcel_of_the_same_order_is_another_fulfillment(shipping, client):
    shipping.answers[graphql.FULFILLMENTS] = recorded("fulfillments")
    client.put_parcel(JAPAN, ParcelNote("0192ab", "606", {"1212": 1}))
    [made, _] = asked(shipping, graphql.FULFIL, graphql.SHIP)
    assert made["input"]["handler"]["arguments"] == [
        {"name": "method", "value": "(xd-224a6a-0192ab)"},
        {"name": "trackingCode", "value": ""},
    ]


@pytest.mark.parametrize(
    ("document", "answer", "code"),
    [
        (graphql.FULFILLMENTS, "order_missing", "order_not_found"),
        (graphql.FULFILLMENTS, "order_cancelled", "order_cancelled"),
        (graphql.FULFILLMENTS, "forbidden", "may_not_change_orders"),
        (graphql.FULFIL, "already_fulfilled", "already_fulfilled"),
        (graphql.FULFIL, "too_few", "too_few_there"),
        (graphql.FULFIL, "no_handler", "cannot_be_fulfilled"),
        (graphql.FULFIL, "line_unknown", "rejected"),
        (graphql.FULFIL, "forbidden", "may_not_change_orders"),
        (graphql.SHIP, "forbidden", "may_not_change_orders"),
    ],
)
def test_what_vendure_refuses_has_a_code(shipping, client, document, answer, code):
    shipping.answers[document] = recorded(answer)
    with pytest.raises(Rejected) as refused:
        client.put_parcel(JAPAN, PARCEL)
    assert refused.value.code == code
