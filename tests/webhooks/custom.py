"""The sender of a custom integration, as any programmer would write it: signed by the reference library, or by hand."""

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import standardwebhooks
from django.test import Client

from apps.integrations.models import Integration
from apps.webhooks.models import Inbox
from tests.factories import make_custom_integration, make_inbox, make_inbox_secret, make_shop

from .sending import Message

KEY = "whsec_" + "c2VjcmV0" * 5 + "c2U="
TIMED = {"signature": "X-Sign", "timestamp": "X-Time", "signed": "{timestamp}.{body}"}
number = count(1)


def make_sender(*, category: str = "shop", terms: dict[str, Any] | None = None, **fields: Any) -> Integration:
    """A custom integration that receives, by Standard Webhooks unless it has terms of its own; it has one shop."""
    integration = make_custom_integration(category=category, **fields)
    scheme = Inbox.Scheme.HMAC if terms else Inbox.Scheme.STANDARD
    inbox = make_inbox(integration=integration, scheme=scheme, terms=terms or {})
    make_inbox_secret(inbox=inbox, key=KEY)
    make_shop(integration=integration)
    return integration


def envelope(kind: str, data: Any, **fields: Any) -> bytes:
    return json.dumps({"type": kind, "data": data} | fields).encode()


def message(
    integration: Integration, body: bytes, *, key: str = KEY, message_id: str = "", late: timedelta = timedelta(0)
) -> Message:
    """By Standard Webhooks."""
    named, sent = message_id or f"msg_{next(number)}", datetime.now(UTC) - late
    signature = standardwebhooks.Webhook(key).sign(named, sent, body.decode("utf-8", "replace"))
    headers = {"webhook-id": named, "webhook-timestamp": str(int(sent.timestamp())), "webhook-signature": signature}
    return Message(f"/receive/{integration.inbox.token}", headers, body)


def by_hand(integration: Integration, body: bytes, *, signed: bytes = b"", **headers: str) -> Message:
    """HMAC-SHA256 in hexadecimal digits, in X-Sign, of the body, or of what is `signed`."""
    digest = hmac.new(KEY.encode(), signed or body, hashlib.sha256).hexdigest()
    return Message(f"/receive/{integration.inbox.token}", {"X-Sign": digest} | headers, body)


def told(sent: Message, client: Client | None = None) -> tuple[int, str]:
    """What it was answered: the status, and the code of a refusal."""
    answer = sent.send(client)
    return answer.status_code, answer.json().get("code", "")
