"""Vendure's orders as recorded: one whole (604), one with a piece cancelled (605), one of which we and somebody there
have shipped some (606), one cancelled (607), and one that somebody there has in hand (608).
"""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from apps.integrations.connectors.base import BadItem, Rejected, StoreRef, Unauthorized, Unreachable
from apps.integrations.connectors.orders import (
    Address,
    ListsServices,
    NamesOrders,
    PullsOrders,
    RemoteLine,
    RemoteOrder,
    RemoteService,
    TakesParcels,
)
from apps.integrations.connectors.vendure import client as graphql
from apps.integrations.connectors.vendure.connector import CONNECTOR
from apps.integrations.connectors.vendure.ordering import Place

from .conftest import recorded

JAPAN = StoreRef(brand_id="2", store_id="2", ext_shop_id="japan-1")
LAPTOP = RemoteLine(
    sku="L2201308",
    quantity=2,
    name="Laptop 13 inch 8GB",
    ext_line_id="1207",
    ext_product_id="1",
    ext_variant_id="1",
    price=Decimal("1558.80"),
)
TABLET = RemoteLine(
    sku="TBL200032",
    quantity=1,
    name="Tablet 32GB",
    ext_line_id="1208",
    ext_product_id="2",
    ext_variant_id="5",
    price=Decimal("394.80"),
)


@pytest.fixture
def selling(vendure):
    vendure.answers |= {graphql.ORDERS: recorded("orders"), graphql.SERVICES: recorded("services")}
    return vendure


def asked(vendure) -> list[dict]:
    """What the orders were asked for with, each time."""
    questions = [json.loads(request.body) for request in vendure.asked]
    return [question["variables"] for question in questions if question["query"] == graphql.ORDERS]


def placed(*moments):
    """As many orders as moments, each placed at one of them."""
    answer = recorded("orders")
    [first, *_] = answer["data"]["orders"]["items"]
    answer["data"]["orders"]["items"] = [
        first | {"id": str(number), "orderPlacedAt": moment} for number, moment in enumerate(moments, start=1)
    ]
    return answer


def test_an_order_placed_at_a_moment_out_of_reach_is_bad_alone(vendure, client):
    answers = placed("2026-11-21T18:00:00Z", "0001-01-01T00:00:00+01:00", "2026-11-21T19:00:00Z")
    vendure.answers |= {graphql.ORDERS: answers, graphql.SERVICES: recorded("services")}
    page = client.orders(JAPAN)
    assert ([item.ext_order_id for item in page.items], [bad.code for bad in page.bad]) == (
        ["1", "3"],
        ["unreadable_order"],
    )


def test_it_tells_orders_and_what_became_of_them_takes_parcels_and_lists_its_shipping_methods():
    capabilities = (PullsOrders, NamesOrders, TakesParcels, ListsServices)
    assert [CONNECTOR.can(capability) for capability in capabilities] == [True] * 4


def test_an_order_comes_whole_with_its_exact_amounts(selling, client):
    [order, *_] = client.orders(JAPAN).items
    assert order == RemoteOrder(
        ext_order_id="604",
        number="U9F1NMJPX7VB2LP4",
        lines=(LAPTOP, TABLET),
        destination=Address(
            first_name="Ada",
            last_name="Lovelace",
            company="Analytical Engines",
            address1="12 St James's Square",
            address2="Second floor",
            city="London",
            zip="SW1Y 4JH",
            country="GB",
            phone="+44 20 7946 0958",
            email="ada@example.com",
        ),
        customer={
            "first_name": "Ada",
            "last_name": "Lovelace",
            "email": "ada@example.com",
            "phone": "+44 20 7946 0",
        },
        shipping_method="Standard Shipping",
        currency="USD",
        total=Decimal("3517.40"),
        shipping_price=Decimal("5.00"),
        tax=Decimal("585.40"),
        discount=Decimal("0.00"),
        placed_at=datetime(2026, 11, 21, 18, 27, 26, 277000, UTC),
        changed_at=datetime(2026, 11, 21, 18, 27, 26, 138000, UTC),
    )


def test_amounts_have_as_many_decimals_as_the_server_says(selling, client):
    selling.answers[graphql.ORDERS]["data"]["globalSettings"]["serverConfig"]["moneyStrategyPrecision"] = 3
    [order, *_] = client.orders(JAPAN).items
    assert (order.total, order.lines[0].price) == (Decimal("351.740"), Decimal("155.880"))


def test_what_was_given_off_is_told_as_a_positive_amount(selling, client):
    selling.answers[graphql.ORDERS]["data"]["orders"]["items"][0]["discounts"] = [
        {"amountWithTax": -1000},
        {"amountWithTax": -250},
    ]
    assert client.orders(JAPAN).items[0].discount == Decimal("12.50")


@pytest.mark.parametrize(
    ("number", "left"),
    [
        ("604", {"L2201308": 2, "TBL200032": 1}),
        ("605", {"L2201308": 2, "TBL200032": 1}),  # of three, one is cancelled
        ("606", {"L2201308": 2, "TBL200032": 1}),  # ours shipped both laptops; somebody there, one of two tablets
        ("608", {"TBL200032": 1}),
    ],
)
def test_the_lines_have_what_is_for_us_to_ship(selling, client, number, left):
    orders = {order.ext_order_id: order for order in client.orders(JAPAN).items}
    assert {line.sku: line.quantity for line in orders[number].lines} == left


def test_an_order_is_over_when_it_is_cancelled_or_others_have_shipped_all_of_it(selling, client):
    assert {order.ext_order_id: order.is_cancelled for order in client.orders(JAPAN).items} == {
        "604": False,
        "605": False,
        "606": False,
        "607": True,
        "608": True,
    }


def test_what_an_earlier_connection_of_the_store_shipped_is_not_shipped_again(selling, client):
    now = replace(JAPAN, ext_shop_id="japan-2")
    [order] = [order for order in client.orders(now).items if order.ext_order_id == "606"]
    assert {line.sku: line.quantity for line in order.lines} == {"TBL200032": 1}


def test_a_fulfillment_that_was_cancelled_there_leaves_its_pieces_to_us(selling, client):
    for item in selling.answers[graphql.ORDERS]["data"]["orders"]["items"]:
        for fulfillment in item["fulfillments"]:
            fulfillment["state"] = "Cancelled"
    [order] = [order for order in client.orders(JAPAN).items if order.ext_order_id == "606"]
    assert {line.sku: line.quantity for line in order.lines} == {"L2201308": 2, "TBL200032": 2}


def test_an_order_without_address_customer_or_shipping_method_comes_all_the_same(selling, client):
    selling.answers[graphql.ORDERS]["data"]["orders"]["items"][0] |= {
        "customer": None,
        "shippingAddress": None,
        "shippingLines": [],
    }
    [order, *_] = client.orders(JAPAN).items
    assert (order.destination, order.customer, order.shipping_method) == (Address(), {}, "")


@pytest.mark.parametrize(
    "broken", [{"totalWithTax": None}, {"totalWithTax": 1.5}, {"lines": []}, {"updatedAt": "soon"}]
)
def test_one_order_that_cannot_be_read_fails_alone(selling, client, broken):
    selling.answers[graphql.ORDERS]["data"]["orders"]["items"][0] |= broken | {"code": "BROKEN"}
    page = client.orders(JAPAN)
    assert [order.ext_order_id for order in page.items] == ["605", "606", "607", "608"]
    assert [(bad.ref, bad.code) for bad in page.bad] == [("BROKEN", "unreadable_order")]
    assert isinstance(page.bad[0], BadItem)


def test_only_paid_orders_that_are_at_rest_and_not_over_are_asked_for_and_none_older_than_30_days(selling, client):
    before = datetime.now(UTC)
    client.orders(JAPAN)
    [variables] = asked(selling)
    after = datetime.fromisoformat(variables["filter"].pop("orderPlacedAt")["after"])
    assert abs(after - (before - timedelta(days=30))) < timedelta(minutes=1)
    assert variables == {
        "filter": {
            "type": {"notEq": "Aggregate"},
            "state": {
                "notIn": [
                    *("Created", "Draft", "AddingItems", "ArrangingPayment", "PaymentAuthorized"),
                    *("Modifying", "ArrangingAdditionalPayment"),
                    *("Shipped", "Delivered", "Cancelled"),
                ]
            },
        },
        "skip": 0,
        "take": 100,
    }


def test_the_next_reading_begins_where_the_first_began_for_vendure_does_not_date_its_changes(selling, client):
    first = client.orders(JAPAN)
    assert first.next_cursor == ""
    again = client.orders(JAPAN, first.resume_from)
    begins = [variables["filter"]["orderPlacedAt"] for variables in asked(selling)]
    assert begins[0] == begins[1]
    assert again.resume_from == first.resume_from


def test_pages_go_on_from_when_the_last_order_was_placed_so_that_none_is_missed(selling, client):
    moments = [f"2026-11-21T18:00:00.{number:03d}Z" for number in range(100)]
    selling.answers[graphql.ORDERS] = placed(*moments)
    page = client.orders(JAPAN)
    assert page.resume_from == ""
    client.orders(JAPAN, page.next_cursor)
    [_, second] = asked(selling)
    assert (second["filter"]["orderPlacedAt"], second["skip"]) == ({"after": "2026-11-21T18:00:00.098Z"}, 0)


def test_more_orders_of_one_moment_than_fit_a_page_are_gone_through_by_number(selling, client):
    moment, cursor = "2026-11-21T18:00:00.500Z", ""
    selling.answers[graphql.ORDERS] = placed(*[moment] * 100)
    for _ in range(3):
        cursor = client.orders(JAPAN, cursor).next_cursor
    steps = [(variables["filter"]["orderPlacedAt"]["after"], variables["skip"]) for variables in asked(selling)]
    assert steps[1:] == [("2026-11-21T18:00:00.499Z", 0), ("2026-11-21T18:00:00.499Z", 100)]


@pytest.mark.parametrize("cursor", ["x", "a b c", "2026-11-21T18:00:00Z", "2026-11-21T18:00:00Z x 0"])
def test_a_cursor_that_is_none_of_ours_is_refused(cursor):
    with pytest.raises(Rejected) as refused:
        Place.of(cursor)
    assert refused.value.code == "bad_cursor"


def test_named_orders_come_whatever_became_of_them_unless_they_are_being_changed(selling, client):
    page = client.orders_named(JAPAN, ["604", "607"])
    [variables] = asked(selling)
    assert (variables["filter"]["id"], variables["take"]) == ({"in": ["604", "607"]}, 2)
    assert set(variables["filter"]["state"]["notIn"]).isdisjoint({"Shipped", "Delivered", "Cancelled"})
    assert (len(page.items), page.next_cursor, page.resume_from) == (5, "", "")


def test_orders_are_asked_of_the_stores_own_channel(selling, client):
    client.orders(JAPAN)
    assert selling.asked[-1].headers["vendure-token"] == recorded("channel")["data"]["channel"]["token"]


def test_a_key_that_may_not_read_orders_says_so_and_the_permission_is_not_taken_for_lost(selling, client):
    selling.answers[graphql.ORDERS] = recorded("forbidden")
    for call in (client.orders, lambda store: client.orders_named(store, ["1"])):
        with pytest.raises(Rejected) as refused:
            call(JAPAN)
        assert refused.value.code == "may_not_read_orders"


def test_a_permission_that_is_lost_is_lost(selling, client):
    selling.answers[graphql.CHANNEL] = recorded("forbidden")
    with pytest.raises(Unauthorized):
        client.orders(JAPAN)


@pytest.mark.parametrize("answer", [{"orders": None}, {"orders": {"items": None}}, {}])
def test_an_answer_that_cannot_be_read_comes_again_later(selling, client, answer):
    selling.answers[graphql.ORDERS] = {
        "data": {"globalSettings": {"serverConfig": {"moneyStrategyPrecision": 2}}} | answer
    }
    with pytest.raises(Unreachable) as raised:
        client.orders(JAPAN)
    assert raised.value.code == "garbled"


def test_its_shipping_methods_are_listed(selling, client):
    assert client.services(JAPAN) == [
        RemoteService("standard-shipping", "Standard Shipping"),
        RemoteService("express-shipping", "Express Shipping"),
    ]
