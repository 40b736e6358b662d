"""Taking in what other systems send us: its signature checked, stored as it came, and nothing done about it yet.

Whoever sends has seconds to wait for; so who opens it comes later, rung for by a task that is named only.

A sender that we tell where to send to has an inbox for each integration, and so has a custom integration. One that
staff tell has a single address, and names the store by the id we gave it there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from celery import current_app
from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone

from apps import egress
from apps.api import limits
from apps.audit.trail import Actor, record
from apps.integrations.connectors import UnknownConnector, environment, get_connector, offered
from apps.integrations.connectors.base import BadSignature, BadTime, Connector, SignsWebhooks, Webhook
from apps.integrations.models import Integration
from apps.shops.models import Connection

from .inboxes import Unreadable, verify
from .models import BAD_TIME, Inbox, Receipt, ReceiptQuerySet

log = structlog.get_logger(__name__)

OPEN = "apps.syncs.tasks.open_receipts"
RING_SECONDS = 15
REFUSED_A_MINUTE = 30  # noted of one inbox; further ones are refused without a note
REFUSED_KEPT = 100  # of one inbox, the newest
REFUSED_BODY = 2_000  # bytes of a refused one are enough to see what it was
LONGEST_HEADER = 1_000
KEPT = ("x-", "webhook-", "content-type", "user-agent")  # how those begin that say something of a message
MOST_RECEIPTS = limits.Rate(300, 3_000)  # of one integration; a warehouse that counts tells of thousands at once


class UnknownShop(LookupError):
    """A sender of all stores' messages names one that nobody has connected."""


def find_inbox(token: str) -> Inbox | None:
    """The inbox of this token, unless its connector is gone or sends nothing there that could be checked."""
    known = Inbox.objects.select_related("integration__partner", "integration__organization")
    found = known.filter(token=token).first()
    return found if found and _can_be_checked(found) else None


def _can_be_checked(inbox: Inbox) -> bool:
    if inbox.scheme:
        return inbox.integration.partner is not None and inbox.integration.partner.is_active
    try:
        kind = inbox.integration.kind
    except UnknownConnector:
        return False
    return kind.can(SignsWebhooks) and not kind.has_one_sender


def find_sender(slug: str) -> Connector | None:
    """The connector of this slug, if what it sends of all stores comes to one address."""
    try:
        connector = get_connector(slug)
    except UnknownConnector:
        return None
    return connector if connector.has_one_sender else None


@dataclass(frozen=True, kw_only=True)
class Sender:
    """Where staff have a platform send what it tells of all stores. The address is no secret: the signature counts.

    `lacks` is the environment variable that must hold the secret it signs with, empty when it is set.
    """

    name: str
    address: str
    lacks: str


def senders() -> list[Sender]:
    """Of the platforms that are offered, those that staff have to tell where to send to."""
    return [_sender(connector) for connector in offered() if connector.has_one_sender]


def _sender(connector: Connector) -> Sender:
    address = settings.PUBLIC_URL + reverse("receive_from", args=[connector.slug])
    lacks = "" if _secrets(connector) else f"{connector.slug}_{connector.signed_with[0]}".upper()
    return Sender(name=connector.name, address=address, lacks=lacks)


def receive(inbox: Inbox, *, headers: Mapping[str, str], body: bytes) -> Receipt | None:
    """Store it, and ring for somebody to open it. None when it came before: then its repeats are counted.

    Raises BadSignature and Unreadable: of those, the inbox keeps some. And Problem rate_limited: only what was signed
    counts, so that no outsider uses up what an integration has.
    """
    try:
        told = _told(inbox, headers, body)
    except (BadSignature, Unreadable) as refused:
        _refuse(inbox, headers, body, error=_code(refused), detail=str(refused))
        raise
    _spend(inbox.integration)
    return _store(_receipt(inbox.integration, told, headers=headers, body=body))


def _told(inbox: Inbox, headers: Mapping[str, str], body: bytes) -> Webhook:
    _check_not_ours(headers)
    if inbox.scheme:
        return verify(inbox, headers, body, now=timezone.now())
    return _verified(inbox.integration.kind, headers, body)


def _check_not_ours(headers: Mapping[str, str]) -> None:
    """What we send ourselves, whatever the way back, would go round for ever."""
    if headers.get("User-Agent") == egress.own_name():
        raise BadSignature("This is a message of our own, which came back.")


def _code(refused: Exception) -> str:
    match refused:
        case BadTime():
            return BAD_TIME
        case Unreadable():
            return "unreadable"
    return "bad_signature"


def _spend(integration: Integration) -> None:
    """Raises Problem rate_limited."""
    limits.spend(f"receipts:{integration.pk}", rate=MOST_RECEIPTS)


def receive_from(connector: Connector, *, headers: Mapping[str, str], body: bytes) -> Receipt | None:
    """As `receive`, at the integration that has the named store connected. None also for what says nothing at all.

    Raises BadSignature and UnknownShop: neither belongs to anybody here who could look at it, so both are logged. And
    Problem rate_limited, for one integration.
    """
    try:
        _check_not_ours(headers)
        told = _verified(connector, headers, body)
    except BadSignature as refused:
        log.warning("webhook refused", connector=connector.slug, reason=str(refused))
        raise
    held = Connection.objects.with_shared_ids(connector.slug).filter(ext_shop_id=told.shop_ref)
    found = held.select_related("integration__organization").first()
    if found and found.integration:
        _spend(found.integration)
        return _store(_receipt(found.integration, told, headers=headers, body=body))
    if _says_nothing(connector, told, body):
        return None
    log.warning("webhook of an unknown store", connector=connector.slug, event_type=told.event_type)
    raise UnknownShop(told.shop_ref)


def _says_nothing(connector: Connector, told: Webhook, body: bytes) -> bool:
    """Such as a ping, which may come before any store is connected."""
    client: Any = connector.client
    try:
        return client.news(told.event_type, body) == []
    except ValueError:
        return False


def _verified(connector: Connector, headers: Mapping[str, str], body: bytes) -> Webhook:
    client: Any = connector.client
    verified: Webhook = client.verify(headers, body, secrets=_secrets(connector))
    return verified


def _secrets(connector: Connector) -> list[str]:
    """The secret, and the one it replaces while senders still use that."""
    known = environment(connector)
    return [secret for name in connector.signed_with if (secret := known.get(name))]


def _receipt(integration: Integration, told: Webhook, *, headers: Mapping[str, str], body: bytes) -> Receipt:
    return Receipt(
        organization=integration.organization,
        integration=integration,
        remote_id=told.remote_id,
        event_type=told.event_type[:100],
        shop_ref=told.shop_ref,
        headers=_kept(headers),
        body=body,
    )


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
def _refuse(inbox: Inbox, headers: Mapping[str, str], body: bytes, *, error: str, detail: str) -> None:
    """Note it for whoever looks for the reason. However many come, an inbox keeps few."""
    place = {"organization": inbox.organization, "integration": inbox.integration, "state": Receipt.State.REJECTED}
    refused = Receipt.objects.filter(**place)
    if refused.filter(received_at__gt=timezone.now() - timedelta(minutes=1)).count() >= REFUSED_A_MINUTE:
        return
    kept = {"headers": _kept(headers), "body": body[:REFUSED_BODY], "finished_at": Now()}
    Receipt.objects.create(**place, **kept, error=error, detail=detail)
    newest = refused.order_by("-received_at").values("pk")[:REFUSED_KEPT]
    refused.exclude(pk__in=newest).delete()


def _kept(headers: Mapping[str, str]) -> dict[str, str]:
    """What a sender says of its message; no cookies or logins."""
    named = {name.lower(): value for name, value in headers.items()}
    return {name: _storable(value) for name, value in named.items() if name.startswith(KEPT)}


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
