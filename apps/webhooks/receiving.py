"""Taking in what other systems send us: its signature checked, stored as it came, and nothing done about it yet.

Whoever sends has seconds to wait for; so who opens it comes later, rung for by a task that is named only.
"""

import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from celery import current_app
from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone

from apps.audit.trail import Actor, record
from apps.integrations.connectors import UnknownConnector, environment
from apps.integrations.connectors.base import BadSignature, Connector, SignsWebhooks
from apps.integrations.models import Integration

from .models import Inbox, Receipt, ReceiptQuerySet

OPEN = "apps.syncs.tasks.open_receipts"
RING_SECONDS = 15
REFUSED_A_MINUTE = 30  # noted of one inbox; further ones are refused without a note
REFUSED_KEPT = 100  # of one inbox, the newest
REFUSED_BODY = 2_000  # bytes of a refused one are enough to see what it was
LONGEST_HEADER = 1_000
HEADERS = ("content-type", "user-agent")  # kept besides those that start with x-


def inbox_of(integration: Integration) -> Inbox:
    """The integration's one inbox, made when there is none."""
    made = {"organization": integration.organization, "token": secrets.token_urlsafe(32)}
    return Inbox.objects.get_or_create(integration=integration, defaults=made)[0]


def address_of(inbox: Inbox) -> str:
    """Where the other side sends to. Nobody can guess it; what is sent there is still checked."""
    return settings.PUBLIC_URL + reverse("receive", args=[inbox.token])


def find_inbox(token: str) -> Inbox | None:
    """The inbox of this token, unless its connector is gone or sends nothing that could be checked."""
    found = Inbox.objects.select_related("integration__partner", "organization").filter(token=token).first()
    try:
        return found if found and found.integration.kind.can(SignsWebhooks) else None
    except UnknownConnector:
        return None


def receive(inbox: Inbox, *, headers: Mapping[str, str], body: bytes) -> Receipt | None:
    """Store it, and ring for somebody to open it. None when it came before: then its repeats are counted.

    Raises BadSignature; of those, the inbox keeps some.
    """
    connector = inbox.integration.kind
    client: Any = connector.client
    try:
        told = client.verify(headers, body, secrets=_secrets(connector))
    except BadSignature as refused:
        _refuse(inbox, headers, body, detail=str(refused))
        raise
    receipt = Receipt(
        organization=inbox.organization,
        integration=inbox.integration,
        remote_id=told.remote_id,
        event_type=told.event_type[:100],
        shop_ref=told.shop_ref,
        headers=_kept(headers),
        body=body,
    )
    return _store(receipt)


def _secrets(connector: Connector) -> list[str]:
    """The client secret, and the one it replaces while senders still use that."""
    known = environment(connector)
    return [secret for name in ("CLIENT_SECRET", "FORMER_SECRET") if (secret := known.get(name))]


@transaction.atomic
def _store(receipt: Receipt) -> Receipt | None:
    """A constraint decides which of several at once is the first; the others are its repeats."""
    Receipt.objects.bulk_create([receipt], ignore_conflicts=True)
    same = Receipt.objects.filter(
        organization=receipt.organization_id, integration=receipt.integration_id, remote_id=receipt.remote_id
    )
    if same.exclude(pk=receipt.pk).exclude(state=Receipt.State.REJECTED).update(repeats=F("repeats") + 1):
        return None
    transaction.on_commit(ring, robust=True)
    return receipt


def ring() -> None:
    """A broker that is down costs seconds only: a sweep opens what waits."""
    current_app.send_task(OPEN, expires=RING_SECONDS)


@transaction.atomic
def _refuse(inbox: Inbox, headers: Mapping[str, str], body: bytes, *, detail: str) -> None:
    """Note it for whoever looks for the reason. However many come, an inbox keeps few."""
    place = {"organization": inbox.organization, "integration": inbox.integration, "state": Receipt.State.REJECTED}
    refused = Receipt.objects.filter(**place)
    if refused.filter(received_at__gt=timezone.now() - timedelta(minutes=1)).count() >= REFUSED_A_MINUTE:
        return
    kept = {"headers": _kept(headers), "body": body[:REFUSED_BODY], "finished_at": Now()}
    Receipt.objects.create(**place, **kept, error="bad_signature", detail=detail)
    newest = refused.order_by("-received_at").values("pk")[:REFUSED_KEPT]
    refused.exclude(pk__in=newest).delete()


def _kept(headers: Mapping[str, str]) -> dict[str, str]:
    """What a sender says of its message; no cookies or logins."""
    named = {name.lower(): value for name, value in headers.items()}
    return {name: _storable(value) for name, value in named.items() if name.startswith("x-") or name in HEADERS}


def _storable(text: str) -> str:
    return text[:LONGEST_HEADER].encode("ascii", "backslashreplace").decode().replace("\x00", "")


@transaction.atomic
def replay(receipts: ReceiptQuerySet, *, actor: Actor) -> int:
    """Open again what was parked or failed: the same rows, new attempts (behaviour 95). Returns how many."""
    ended = list(receipts.ended_badly().select_for_update())
    for receipt in ended:
        record(actor, "receipt.replay", on=receipt, before={"state": receipt.state, "error": receipt.error})
    Receipt.objects.filter(pk__in=[receipt.pk for receipt in ended]).replay()
    transaction.on_commit(ring, robust=True)
    return len(ended)
