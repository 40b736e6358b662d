"""Webhooks to applications (contracts 3.5): rows that a thread of this process sends, and tries again for a day.

How often the vendor tries again, and for how long, is not published. The rows outlive the process, and an attempt
repeats the event's id and body.
"""

import base64
import hmac
import json
import random
import uuid
from datetime import datetime, timedelta
from threading import Event, Thread

from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.models import F
from django.utils import timezone

from apps.sandbox.faults import take_for_delivery
from apps.sandbox.otter.models import Application, Connection, Message, Order
from apps.sandbox.outgoing import answer_of, unless_hurried

GAPS = [timedelta(seconds=seconds) for seconds in (2, 10, 60, 300, 1800)]
GIVE_UP_AFTER = timedelta(hours=24)
LOOK_EVERY = 0.25  # seconds
BATCH = 50
WAKE = Event()


def tell(order: Order, event_type: str, payload: dict) -> None:
    """Put an event in the post of each application that has the order's store connected and an address for it."""
    connected = Connection.objects.filter(store=order.store).exclude(application__webhook_url="")
    now = timezone.now()
    messages = [
        made(connection, order, event_type=event_type, payload=payload, now=now)
        for connection in connected.select_related("application")
    ]
    Message.objects.bulk_create(messages)
    transaction.on_commit(WAKE.set)


def made(connection: Connection, order: Order, *, event_type: str, payload: dict, now: datetime) -> Message:
    """An unsaved message in the published envelope. Faults may have it otherwise."""
    message = Message(application=connection.application, event_type=event_type, created_at=now, next_attempt_at=now)
    told = {
        "eventId": str(message.event_id),
        "eventTime": now.isoformat(),
        "eventType": event_type,
        "metadata": {
            "storeId": connection.partner_id,
            "applicationId": connection.application_id,
            "resourceId": str(order.id),
            "resourceHref": f"{settings.BASE_URL}/manager/order/v1/sources/{order.source}/orders/{order.id}",
            "payload": payload,
        },
    }
    message.body = json.dumps(told)
    fault = take_for_delivery(event_type, "hook_dropped", "hook_late", "hook_shuffled")
    if fault and fault.kind == "hook_dropped":
        message.state = Message.State.DROPPED
    elif fault:
        part = random.random() if fault.kind == "hook_shuffled" else 1  # noqa: S311
        message.next_attempt_at += timedelta(seconds=fault.delay * part)
    return message


def begin() -> None:
    """Start the thread. It ends with the process."""
    Thread(target=forever, daemon=True).start()


def forever() -> None:
    while True:
        try:
            send_due()
        except DatabaseError:
            WAKE.wait(LOOK_EVERY)


def send_due() -> None:
    """Send what is due, or wait a little for it."""
    WAKE.clear()
    due = Message.objects.filter(state="waiting", next_attempt_at__lte=timezone.now()).select_related("application")
    found = list(due.order_by("next_attempt_at")[:BATCH])
    for message in found:
        attempt(message)
    if not found:
        WAKE.wait(LOOK_EVERY)


def attempt(message: Message) -> None:
    """Send the message once and write down what came of it. Only a 2xx has it delivered."""
    status = send(message)
    if status and 200 <= status < 300:
        write_down(message, state="delivered", last_status=status)
        if take_for_delivery(message.event_type, "hook_duplicated"):
            send(message)
        return
    following = timezone.now() + GAPS[min(message.attempts, len(GAPS) - 1)]
    state = "given_up" if following > message.created_at + GIVE_UP_AFTER else "waiting"
    write_down(message, state=state, last_status=status, next_attempt_at=unless_hurried(message, following))


def send(message: Message) -> int | None:
    """The status that it was answered with, or None if there was no answer in time."""
    body, secret = message.body.encode(), message.application.webhook_secret
    if take_for_delivery(message.event_type, "hook_wrong_signature"):
        secret = "of somebody else"  # noqa: S105
    headers = {"Content-Type": "application/json", "User-Agent": "Otter (simulated)"}
    headers["X-HMAC-SHA256"] = signature(body, secret=secret)
    return answer_of("POST", message.application.webhook_url, data=body, headers=headers)


def signature(body: bytes, *, secret: str) -> str:
    """Base64 of the HMAC-SHA256 over the raw body."""
    return base64.b64encode(hmac.digest(secret.encode(), body, "sha256")).decode()


def write_down(message: Message, **columns: object) -> None:
    """One attempt more, with its outcome, unless the message was ended meanwhile."""
    waiting = Message.objects.filter(pk=message.pk, state="waiting")
    waiting.update(attempts=F("attempts") + 1, **columns)


def retry_now() -> int:
    """Make every waiting message due: how many."""
    count = Message.objects.filter(state="waiting").update(next_attempt_at=timezone.now())
    WAKE.set()
    return count


def ping(application: Application, *, store_id: str) -> None:
    """The published ping, about any store."""
    metadata = {"storeId": store_id, "applicationId": application.pk}
    event = uuid.uuid4()
    now = timezone.now()
    told = {"eventId": str(event), "eventTime": now.isoformat(), "eventType": "ping.ping", "metadata": metadata}
    columns = {"created_at": now, "next_attempt_at": now, "body": json.dumps(told)}
    Message.objects.create(event_id=event, application=application, event_type="ping.ping", **columns)
    WAKE.set()
