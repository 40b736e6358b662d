"""Otter's webhooks about orders, by the published envelope and `Order`."""

import base64
import hashlib
import hmac
import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.integrations.connectors.base import BadSignature, SignsWebhooks, Subscribes, Webhook
from apps.integrations.connectors.orders import Address, OrderCancelled, OrderNews, RemoteLine, RemoteOrder
from apps.integrations.connectors.otter import ordering
from apps.integrations.connectors.otter.connector import CONNECTOR

from . import recorded

SECRET = "otter-test-secret"
ID = "hatmarket/69f60a06-c335-46d9-b5a1-97f1a211c514"
PANAMA, BOWLER = (
    RemoteLine("HAT-1", 2, "Panama Hat", "2f91f9f3-2d7e-4898-ae81-00fe06ed7dbf", price=Decimal("39.95")),
    RemoteLine("HAT-2", 1, "Bowler", "2f91f9f3-2d7e-4898-ae81-00fe06ed7dc0", price=Decimal("12.45")),
)


def signed(body: bytes, *, secret: str = SECRET) -> dict[str, str]:
    signature = hmac.new(secret.encode(), body, hashlib.sha256).digest()
    return {"X-HMAC-SHA256": base64.b64encode(signature).decode()}


def envelope(**payload: Any) -> dict[str, Any]:
    """The recorded message, its order with these fields."""
    message = recorded("order")
    message["metadata"]["payload"] |= payload
    return message


def news(message: Any, event: str = "orders.new_order") -> Any:
    return ordering.news(event, json.dumps(message).encode())


def order(**payload: Any) -> RemoteOrder:
    [one] = news(envelope(**payload))
    assert isinstance(one, OrderNews)
    return one.order


def test_its_webhooks_are_signed_and_come_to_one_address_that_nobody_tells_it():
    assert (CONNECTOR.can(SignsWebhooks), CONNECTOR.can(Subscribes), CONNECTOR.has_one_sender) == (True, False, True)
    assert CONNECTOR.signed_with == ("WEBHOOK_SECRET", "FORMER_WEBHOOK_SECRET")


def test_the_vector_of_the_contract_holds():
    body = b'{"eventId":"1","eventType":"ping.ping"}'
    assert signed(body) == {"X-HMAC-SHA256": "GRk8fBnbMi9BCt5a9ZnHHsOxL5Bk/IUll90gmET6dzU="}
    with pytest.raises(BadSignature, match="Signed, but"):  # the vector names no store
        ordering.verify(signed(body), body, secrets=[SECRET])


def test_a_signed_message_says_which_event_it_is_and_of_which_store():
    body = json.dumps(recorded("order")).encode()
    told = Webhook("3f6a1f0e-6a86-4f0b-8a2e-5b8f7a1d9c10", "orders.new_order", "great-hats-amsterdam")
    for headers in (signed(body), {"x-hmac-sha256": signed(body)["X-HMAC-SHA256"]}):
        assert ordering.verify(headers, body, secrets=["new", SECRET]) == told


def test_a_body_altered_in_any_byte_and_a_foreign_secret_are_refused():
    body = b'{"eventId":"1","eventType":"ping.ping","metadata":{"storeId":"s"}}'
    assert ordering.verify(signed(body), body, secrets=[SECRET]) == Webhook("1", "ping.ping", "s")
    for n in range(len(body)):
        with pytest.raises(BadSignature):
            ordering.verify(signed(body), body[:n] + bytes([body[n] ^ 1]) + body[n + 1 :], secrets=[SECRET])
    for secrets in (["another"], [""], []):
        with pytest.raises(BadSignature):
            ordering.verify(signed(body), body, secrets=secrets)


@given(
    st.binary(max_size=60) | st.recursive(st.none() | st.text(), st.lists, max_leaves=5).map(json.dumps).map(str.encode)
)
def test_nothing_that_arrives_raises_anything_else(body):
    with pytest.raises(BadSignature):
        ordering.verify(signed(body), body, secrets=[SECRET])
    for event in ordering.EVENTS:
        with suppress(ValueError):
            assert isinstance(ordering.news(event, body), list)


def test_a_new_order_is_told_whole():
    assert news(recorded("order")) == [
        OrderNews(
            RemoteOrder(
                ext_order_id=ID,
                number="HM-1042",
                lines=(PANAMA, BOWLER),
                destination=Address(
                    first_name="Ada",
                    last_name="van der Hoed",
                    address1="Haarlemmerdijk 142",
                    address2="2 hoog",
                    city="Amsterdam",
                    province="NH",
                    zip="1013 JJ",
                    country="NL",
                    phone="+31 20 555 0100",
                    email="ada@example.org",
                ),
                customer={"name": "Ada van der Hoed", "email": "ada@example.org", "phone": "+31 20 555 0100"},
                shipping_method="DELIVERY",
                tags=("hatmarket",),
                notes="It is a present.\nRing twice.\nPanama Hat: 1 × Gift wrap (2 × Red bow), Brim down, please.",
                currency="EUR",
                total=Decimal("95.0"),
                shipping_price=Decimal(5),
                tax=Decimal("16.46"),
                discount=Decimal("4.85"),
                placed_at=datetime(2026, 3, 1, 13, 4, 30, tzinfo=timezone(timedelta(hours=1))),
                changed_at=datetime(2026, 3, 1, 12, 5, tzinfo=UTC),
            )
        )
    ]


def test_an_update_tells_the_whole_order_as_it_is_now():
    assert news(envelope(customerNote=None), "orders.update") == [OrderNews(order(customerNote=None))]


def test_amounts_are_the_exact_decimals_that_were_sent():
    message = json.dumps(envelope()).replace("39.95", "1234567890.12")
    [told] = ordering.news("orders.new_order", message.encode())
    assert told.order.lines[0].price == Decimal("1234567890.12")


@pytest.mark.parametrize("status", ["CANCELED", "REJECTED"])
def test_an_order_that_is_over_at_otter_says_so(status):
    assert [one.order.is_cancelled for one in news(envelope(status=status), "orders.update")] == [True]
    assert not order().is_cancelled


@pytest.mark.parametrize("status", ["PICKED_UP", "FULFILLED"])
def test_an_order_that_has_left_is_not_shipped_once_more(status):
    assert news(envelope(status=status), "orders.update") == []


def test_an_intent_to_cancel_names_the_order_and_why():
    named = recorded("order")["metadata"]["payload"]["externalIdentifiers"]
    message = {"metadata": {"payload": {"externalIdentifiers": named, "cancellationReason": "DUPLICATE_ORDER"}}}
    assert news(message, "orders.cancel_order") == [OrderCancelled(ID, reason="DUPLICATE_ORDER")]


@pytest.mark.parametrize("event", ["ping.ping", "orders.confirm", "orders.order_fulfilled", "orders.order_ready"])
def test_what_others_did_with_an_order_says_nothing_new(event):
    assert news({"metadata": {"payload": {"orderId": "1"}}}, event) == []


@pytest.mark.parametrize("event", ["menus.menu_publish", "stores.upsert", "", "orders.new"])
def test_an_event_of_no_concern_is_unknown(event):
    assert news(recorded("order"), event) is None


def test_an_order_without_a_source_has_its_own_id_only():
    assert order(externalIdentifiers={"id": "o-1", "friendlyId": "F", "source": None}).ext_order_id == "o-1"
    assert [ordering.source_and_id(one) for one in (ID, "o-1")] == [tuple(ID.split("/")), ("", "o-1")]


def test_an_order_to_be_fetched_has_no_address_and_its_own_way_of_shipping():
    picked_up = order(deliveryInfo=None, customer=None, fulfillmentInfo={"fulfillmentMode": "PICKUP"}, orderTotal=None)
    assert (picked_up.destination, picked_up.customer, picked_up.shipping_method) == (Address(), {}, "PICKUP")
    assert (picked_up.total, picked_up.discount, order(fulfillmentInfo=None).shipping_method) == (
        None,
        None,
        "DELIVERY",
    )


def test_a_full_address_stands_for_its_lines_where_there_are_none():
    place = {"fullAddress": "Haarlemmerdijk 142, Amsterdam", "addressLines": None, "city": "Amsterdam"}
    assert order(deliveryInfo={"destination": place}).destination.address1 == "Haarlemmerdijk 142, Amsterdam"


def test_an_item_that_the_seller_does_not_know_keeps_the_order_waiting_not_failing():
    assert order(items=[{"quantity": 1, "name": "Custom item"}]).lines == (RemoteLine("", 1, "Custom item"),)
    assert order(items=[{"quantity": 1, "id": None, "skuId": "s-1"}]).lines[0].sku == "s-1"


@pytest.mark.parametrize(
    "payload",
    [
        {"items": []},
        {"items": [{"id": "HAT-1", "quantity": 0}]},
        {"items": [{"id": "HAT-1", "quantity": 1.5}]},
        {"items": [{"id": "HAT-1", "quantity": True}]},
        {"items": [{"id": "HAT-1", "quantity": 1, "price": "free"}]},
        {"externalIdentifiers": {"id": ""}},
        {"externalIdentifiers": {"id": "x" * 256}},
        {"customer": "Ada"},
        {"customerNote": "\x00"},
        {"orderedAt": "soon"},
        {"orderedAt": "0001-01-01T00:00:00+01:00"},
    ],
)
def test_an_order_that_makes_no_sense_is_unreadable_as_a_whole(payload):
    with pytest.raises(ValueError, match="not a message about an order"):
        news(envelope(**payload))
