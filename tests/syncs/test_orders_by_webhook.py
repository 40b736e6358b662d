"""A platform's orders from its signed webhook to what we keep of them, each once, in whatever order they come."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.test import Client

from apps.orders.models import Order
from apps.shops.models import Connection
from apps.syncs import opening
from apps.webhooks.models import Receipt
from tests.factories import make_connection, make_product
from tests.integrations.connectors.otter import recorded

SECRET = "of-the-endpoint"
BEGAN = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def connection(otter, settings, db) -> Connection:
    known = settings.CONNECTOR_ENVIRONMENT["otter"] | {"WEBHOOK_SECRET": SECRET}
    settings.CONNECTOR_ENVIRONMENT = settings.CONNECTOR_ENVIRONMENT | {"otter": known}
    made = make_connection()
    for sku in ("HAT-1", "HAT-2"):
        make_product(organization=made.organization, sku=sku)
    return made


def message(connection, *, event="orders.new_order", minutes=0, **payload):
    told = recorded("order")
    told |= {"eventId": str(uuid4()), "eventType": event, "eventTime": (BEGAN + timedelta(minutes=minutes)).isoformat()}
    told["metadata"]["storeId"] = connection.ext_shop_id
    told["metadata"]["payload"] |= payload
    return json.dumps(told).encode()


def send(*bodies):
    """They arrive, and are opened in this order. What became of each."""
    for body in bodies:
        signature = base64.b64encode(hmac.new(SECRET.encode(), body, hashlib.sha256).digest()).decode()
        headers = {"X-HMAC-SHA256": signature}
        path = "/receive/from/otter"
        answer = Client().post(path, body, content_type="application/json", headers=headers)
        assert answer.status_code == 200
        opening.open_waiting()
    return list(Receipt.objects.order_by("received_at").values_list("state", "error"))


def test_an_order_arrives_with_all_that_was_said_of_it(connection):
    assert send(message(connection)) == [("done", "")]
    order = Order.objects.get()
    assert (order.shop, order.source, order.number) == (connection.shop, Order.Source.WEBHOOK, "HM-1042")
    assert order.ext_order_id == "hatmarket/69f60a06-c335-46d9-b5a1-97f1a211c514"
    assert (order.shipping_method, order.tags, order.currency) == ("DELIVERY", ["hatmarket"], "EUR")
    assert (order.total, order.shipping_price, order.discount) == (Decimal(95), Decimal(5), Decimal("4.85"))
    assert (order.destination["city"], order.email) == ("Amsterdam", "ada@example.org")
    assert [(line.sku, line.quantity, line.price) for line in order.lines.all()] == [
        ("HAT-1", 2, Decimal("39.95")),
        ("HAT-2", 1, Decimal("12.45")),
    ]


def test_the_same_message_twice_and_two_of_one_order_make_one_order(connection):
    body = message(connection)
    send(body, body, message(connection))
    assert Order.objects.count() == 1


def test_a_change_that_overtakes_the_order_stands(connection):
    send(message(connection, event="orders.update", minutes=5, customerNote="Newest."), message(connection, minutes=0))
    order = Order.objects.get()
    assert order.notes.startswith("Newest.")


def test_an_order_cancelled_at_the_platform_is_cancelled_here(connection):
    send(message(connection), message(connection, event="orders.update", minutes=5, status="CANCELED"))
    assert Order.objects.get().state == Order.State.CANCELLED


def test_an_order_that_has_left_before_we_heard_of_it_is_none_of_ours(connection):
    assert send(message(connection, event="orders.update", status="FULFILLED")) == [("done", "")]
    assert not Order.objects.exists()


def test_an_order_that_makes_no_sense_fails_alone_and_is_kept_as_it_came(connection):
    ended = send(message(connection, items=[]), message(connection))
    assert ended == [("failed", "unreadable"), ("done", "")]
    assert Order.objects.count() == 1
