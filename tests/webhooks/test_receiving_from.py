"""Receiving from a platform that has one address for all stores, such as Otter (contracts 3.5)."""

import base64
import hashlib
import hmac
import json
import re
from typing import Any
from uuid import uuid4

import pytest
from django.db import OperationalError
from django.test import Client

from apps.shops.models import Connection
from apps.webhooks import receiving
from apps.webhooks.models import Inbox, Receipt
from tests.factories import make_connection, make_receipt

PATH, SECRET = "/receive/from/otter", "new"


@pytest.fixture(autouse=True)
def secrets(otter, settings):
    known = settings.CONNECTOR_ENVIRONMENT["otter"] | {"WEBHOOK_SECRET": "new", "FORMER_WEBHOOK_SECRET": "former"}
    settings.CONNECTOR_ENVIRONMENT = settings.CONNECTOR_ENVIRONMENT | {"otter": known}


@pytest.fixture
def connection(db) -> Connection:
    return make_connection()


def send(store: str, *, event: str = "orders.update", secret: str = SECRET, path: str = PATH, **fields: Any) -> Any:
    """A signed message of the platform's, of this store."""
    told = {"eventId": str(uuid4()), "eventType": event, "metadata": {"storeId": store, "payload": {}}} | fields
    body = json.dumps(told).encode()
    signature = base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()
    headers = {"X-HMAC-SHA256": signature}
    return Client(enforce_csrf_checks=True).post(path, body, content_type="application/json", headers=headers)


def test_a_message_is_stored_at_the_integration_that_has_the_store_connected(connection):
    others = make_connection()
    answer = send(connection.ext_shop_id, eventId="e-1")
    assert (answer.status_code, answer.content) == (200, b"")  # an empty body, as the contract asks
    receipt = Receipt.objects.get()
    assert (receipt.organization, receipt.integration) == (connection.organization, connection.integration)
    assert (receipt.remote_id, receipt.event_type, receipt.shop_ref) == (
        "e-1", "orders.update", connection.ext_shop_id,
    )  # fmt: skip
    assert others.organization != connection.organization


def test_a_repeated_message_is_answered_alike_and_counted(connection):
    assert [send(connection.ext_shop_id, eventId="e-1").status_code for _ in range(3)] == [200] * 3
    assert Receipt.objects.get().repeats == 2


def test_while_a_secret_is_replaced_both_are_accepted_and_no_other(connection):
    answers = [send(connection.ext_shop_id, secret=secret) for secret in ("new", "former", "a-client-secret")]
    assert [answer.status_code for answer in answers] == [200, 200, 401]
    assert answers[-1].json()["code"] == "bad_signature"
    assert Receipt.objects.count() == 2


def test_a_store_that_nobody_has_connected_is_said_to_be_unknown(connection):
    Connection.objects.filter(pk=connection.pk).update(state=Connection.State.DISCONNECTED)
    answer = send(connection.ext_shop_id)
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_shop")
    assert not Receipt.objects.exists()


def test_a_store_of_a_server_of_the_customers_own_is_not_meant(connection):
    Connection.objects.filter(pk=connection.pk).update(ids_are_shared=False)
    assert send(connection.ext_shop_id).status_code == 404


def test_a_ping_is_answered_whatever_store_it_names(db):
    assert [send(store, event="ping.ping").status_code for store in ("anything", "onboarding:1")] == [200, 200]
    assert send("anything", event="ping.ping", secret="guessed").status_code == 401
    assert not Receipt.objects.exists()


@pytest.mark.parametrize("path", ["/receive/from/pio", "/receive/from/vendure", "/receive/from/nobody"])
def test_nothing_is_received_from_who_has_inboxes_or_signs_nothing(connection, pio, path):
    assert send(connection.ext_shop_id, path=path).status_code == 404


def test_without_a_secret_nothing_is_believed(connection, settings):
    known = settings.CONNECTOR_ENVIRONMENT["otter"] | {"WEBHOOK_SECRET": "", "FORMER_WEBHOOK_SECRET": ""}
    settings.CONNECTOR_ENVIRONMENT = settings.CONNECTOR_ENVIRONMENT | {"otter": known}
    assert [send(connection.ext_shop_id, secret=secret).status_code for secret in ("", "new")] == [401, 401]
    assert receiving.senders()[0].lacks == "OTTER_WEBHOOK_SECRET"


def test_a_database_in_trouble_says_try_again(connection, monkeypatch):
    def broken(*args, **kwargs):
        raise OperationalError("the server closed the connection")

    monkeypatch.setattr(Connection.objects, "with_shared_ids", broken)
    assert send(connection.ext_shop_id).status_code == 503


def test_it_takes_the_same_few_statements_however_much_waits(connection, django_assert_num_queries):
    for _ in range(2):
        make_receipt(integration=connection.integration)
        with django_assert_num_queries(6):  # the connection; the limit; savepoint, insert, look for the same, release
            send(connection.ext_shop_id)


def test_staff_read_the_address_and_what_is_still_to_be_set(staff_client, settings):
    page = re.sub(r"\s+", " ", staff_client.get("/admin/webhooks/inbox/").content.decode())
    assert f"<code>{settings.PUBLIC_URL}/receive/from/otter</code>" in page
    assert "OTTER_WEBHOOK_SECRET" not in page
    settings.CONNECTOR_ENVIRONMENT["otter"].pop("WEBHOOK_SECRET")
    settings.CONNECTOR_ENVIRONMENT["otter"].pop("FORMER_WEBHOOK_SECRET")
    page = staff_client.get("/admin/webhooks/inbox/").content.decode()
    assert "Nothing is received yet: set OTTER_WEBHOOK_SECRET" in page
    assert not Inbox.objects.exists()
