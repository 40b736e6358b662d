"""A message of ours that comes back to us."""

import pytest
from django.test import Client

from apps import egress
from apps.webhooks.models import Receipt
from apps.webhooks.sending import post_now
from tests.webhooks.hostile import HEAD, answering, sink
from tests.webhooks.sending import message, stock_of

pytestmark = pytest.mark.django_db


def test_wo_18_a_message_of_our_own_is_refused_by_our_inboxes_though_its_signature_holds(warehouse):
    sent = message(warehouse, stock_of("HAT", 3), delivery="msg_1")
    answer = sent.send(Client(), **{"User-Agent": egress.own_name()})
    assert (answer.status_code, answer.json()["code"]) == (401, "bad_signature")
    kept = Receipt.objects.get()
    assert (kept.state, kept.detail) == ("rejected", "This is a message of our own, which came back.")
    assert sent.send(Client(), **{"User-Agent": "Pio"}).status_code == 200


def test_wo_18_what_we_send_says_that_it_is_ours(settings):
    settings.EGRESS_ALLOWED_HOSTS = ["127.0.0.1"]
    with sink(answering(HEAD + b"Content-Length: 0\r\n\r\n")) as there:
        post_now(f"http://127.0.0.1:{there.port}/", headers={}, body=b"{}", seconds=3)
    assert f"User-Agent: {egress.own_name()}\r\n".encode() in there.requests[0]
