"""Our signatures, as those check them who never saw our code; and nothing altered passes (WO-10)."""

import base64
import hashlib
import hmac
import time
from datetime import UTC, datetime
from random import Random

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from apps.integrations.connectors.base import BadSignature
from apps.integrations.connectors.pio import mapping
from apps.webhooks import signing

from .bits import bodies, every_bit, some_bit

MANY = 10_000
NOON = 1_795_262_400
KEYS = ["whsec_" + base64.b64encode(bytes([n]) * 32).decode() for n in (7, 8, 9)]
NEW, OLD, OTHER = KEYS
PIOS_SECRET = "pio-test-secret"


def signed(body, *keys, message_id="msg_2041"):
    return signing.standard(
        message_id, timestamp=int(time.time()), body=body, keys=[signing.key_bytes(key) for key in keys]
    )


def accepts(key, headers, body):
    """Whether the reference library takes it. What cannot be read makes it raise what Python does."""
    try:
        Webhook(key).verify(body, headers, json_parse=False)
    except (WebhookVerificationError, ValueError):
        return False
    return True


def test_a_message_has_the_three_headers_of_standard_webhooks():
    expected = base64.b64encode(hmac.digest(bytes([7]) * 32, f"msg_2041.{NOON}.".encode() + b"{}", "sha256")).decode()
    assert signing.standard("msg_2041", timestamp=NOON, body=b"{}", keys=[signing.key_bytes(NEW)]) == {
        "webhook-id": "msg_2041",
        "webhook-timestamp": str(NOON),
        "webhook-signature": f"v1,{expected}",
    }


def test_wo_10_the_reference_library_verifies_ten_thousand_bodies_and_none_with_a_bit_turned():
    random = Random(10)
    wrong = []
    for number, body in enumerate(bodies(random, many=MANY)):
        one, two = signed(body, NEW, message_id=f"msg_{number}"), signed(body, NEW, OLD, message_id=f"msg_{number}")
        fine = accepts(NEW, one, body) and accepts(NEW, two, body) and accepts(OLD, two, body)
        if not fine or accepts(NEW, *some_bit(random, one, body)) or accepts(OTHER, two, body):
            wrong.append(body)
    assert wrong == []


@pytest.mark.parametrize("body", [b"", b"{}", b'{"sku": "HAT-1", "in_stock": 5}', '{"é": "帽子 🎩"}'.encode()])
def test_wo_10_every_single_bit_counts(body):
    headers = signed(body, NEW)
    flips = list(every_bit(headers, body))
    assert len(flips) >= 8 * (len(body) + sum(map(len, headers.values()))) - 2
    assert [flip for flip in flips if accepts(NEW, *flip)] == []


def test_while_a_secret_takes_over_each_verifies_by_its_own_signature_alone():
    body, headers = b'{"sku": "HAT-1"}', signed(b'{"sku": "HAT-1"}', NEW, OLD)
    newer, older = headers["webhook-signature"].split(" ")
    for key, own, other in ((NEW, newer, older), (OLD, older, newer)):
        assert accepts(key, headers | {"webhook-signature": own}, body)
        assert not accepts(key, headers | {"webhook-signature": other}, body)
        assert [flip for flip in every_bit(headers | {"webhook-signature": own}, body) if accepts(key, *flip)] == []


def test_a_new_secret_is_of_the_published_form_and_never_the_same():
    one, other = signing.new_key(), signing.new_key()
    assert one.startswith("whsec_") and len(signing.key_bytes(one)) == 32 and one != other
    assert accepts(one, signed(b"{}", one), b"{}") and not accepts(other, signed(b"{}", one), b"{}")


@pytest.mark.parametrize("text", ["whsec_?", "whsec_abc", "é"])
def test_what_is_no_secret_is_refused(text):
    with pytest.raises(ValueError, match=r"base64|ASCII"):
        signing.key_bytes(text)


VECTOR = {  # contracts 1.8
    "event": "inventory_levels.update",
    "timestamp": 1_700_000_000,
    "shop_id": "7",
    "ext_shop_id": "42",
    "body": b'{"sku":"HAT-1","in_stock":5,"reserved":2,"available":3}',
}


def test_behaviours_83_and_84_a_message_in_pios_format_has_its_six_headers_and_the_published_signature():
    assert signing.pio("3f1c2a", **VECTOR, secret=PIOS_SECRET) == {
        "X-Pio-Hmac-Sha256": "lLwge9h+eAvkvyrGJRFsUPJD6ua3rY+dZL6BIc9uYS0=",
        "X-Pio-Delivery-Id": "3f1c2a",
        "X-Pio-Event-Type": "inventory_levels.update",
        "X-Pio-Shop-Id": "7",
        "X-Pio-Ext-Shop-Id": "42",
        "X-Pio-Timestamp": "1700000000",
    }


def reads(headers, body):
    """Whether a client of Pio's, ours, takes it."""
    try:
        mapping.verify(headers, body, secrets=[PIOS_SECRET], now=datetime.fromtimestamp(NOON, UTC))
    except BadSignature:
        return False
    return True


def pios(body, message_id="msg_2041"):
    return signing.pio(message_id, **VECTOR | {"body": body, "timestamp": NOON}, secret=PIOS_SECRET)


def test_behaviour_84_ten_thousand_bodies_are_signed_as_pio_signs_and_none_with_a_bit_turned_passes():
    random, wrong = Random(84), []
    for number, body in enumerate(bodies(random, many=MANY)):
        headers = pios(body, f"msg_{number}")
        named = f"inventory_levels.update:msg_{number}:{NOON}:7:42:".encode()
        expected = base64.b64encode(hmac.new(PIOS_SECRET.encode(), named + body, hashlib.sha256).digest()).decode()
        fine = headers["X-Pio-Hmac-Sha256"] == expected and reads(headers, body)
        if not fine or reads(*some_bit(random, headers, body)):
            wrong.append(body)
    assert wrong == []


def test_behaviour_84_every_single_bit_counts():
    body = VECTOR["body"]
    assert [flip for flip in every_bit(pios(body), body) if reads(*flip)] == []
