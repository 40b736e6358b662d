"""The inboxes of custom integrations: by which scheme their senders sign, with which secrets, and what a message says.

A message of theirs is JSON, `{"type": "order.created", "ext_shop_id": "…", "data": {…}}`: our published words, with the
bodies of our own API.
"""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from apps.api.bodies import read
from apps.api.errors import Problem, invalid
from apps.audit.trail import Actor, record
from apps.integrations.connectors import signatures
from apps.integrations.connectors.base import LONGEST_ID, Subscription, Webhook
from apps.integrations.connectors.signatures import Terms
from apps.integrations.models import LONGEST_OVERLAP, Integration

from .models import Inbox, InboxSecret
from .signing import key_bytes, new_key

LONGEST_TYPE = 100
OVERLAP = timedelta(days=1)
ITSELF = Actor("the regular look at what the other side tells us")


class Unreadable(Exception):
    """Signed well, but no message. The text is for whoever sends it."""


def inbox_of(integration: Integration) -> Inbox:
    """The integration's one inbox, made when there is none."""
    made = {"organization": integration.organization, "token": secrets.token_urlsafe(32)}
    return Inbox.objects.get_or_create(integration=integration, defaults=made)[0]


def address_of(inbox: Inbox) -> str:
    """Where the other side sends to. Nobody can guess it; what is sent there is still checked."""
    return settings.PUBLIC_URL + reverse("receive", args=[inbox.token])


@transaction.atomic
def set_up(integration: Integration, *, scheme: str, terms: Terms | None, actor: Actor) -> tuple[Inbox, str]:
    """Receive what this custom integration's sender signs so. Its secret comes along the first time, else no text.

    Raises Problem conflict for an integration whose connector knows its scheme by itself, or was deleted.
    """
    if integration.partner is None or not (integration.partner.is_custom and integration.partner.is_active):
        raise Problem("conflict", "Only a custom integration says by itself how it signs.")
    inbox = Inbox.objects.select_for_update(no_key=True).get(pk=inbox_of(integration).pk)
    before = facts(inbox)
    inbox.scheme, inbox.terms = scheme, asdict(terms) if terms else {}
    inbox.save(update_fields=["scheme", "terms"])
    record(actor, "inbox.set_up", on=integration, before=before, after=facts(inbox))
    return inbox, "" if inbox.own_secrets.live().exists() else _new_secret(inbox, actor=actor)


@transaction.atomic
def note_hooks(inbox: Inbox, there: Subscription) -> None:
    """What the other side is registered to tell us. Somebody is told of what it once was, and was no more."""
    forgotten = [event for event in there.made if event in inbox.registered]
    inbox.registered, inbox.checked_at = list(there.events), timezone.now()
    if forgotten:
        inbox.mended, inbox.mended_at = forgotten, inbox.checked_at
        record(ITSELF, "inbox.register_again", on=inbox.integration, after={"events": forgotten})
    inbox.save(update_fields=["registered", "checked_at", "mended", "mended_at"])


def facts(inbox: Inbox) -> dict[str, Any]:
    """What the trail says of an inbox."""
    return {"scheme": inbox.scheme, **inbox.terms}


@transaction.atomic
def rotate(inbox: Inbox, *, overlap: timedelta = OVERLAP, actor: Actor) -> str:
    """A new secret, shown this once. Those of now are accepted for `overlap` more: 0 to 7 days, 0 is no longer.

    Raises Problem: validation_error (overlap), conflict for an inbox that was not set up.
    """
    if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
        raise invalid("overlapSeconds", f"From 0 to {LONGEST_OVERLAP.total_seconds():.0f} seconds.")
    found = Inbox.objects.select_for_update(no_key=True).get(pk=inbox.pk)
    if not found.scheme:
        raise Problem("conflict", "Say first how its sender signs.")
    until = timezone.now() + overlap
    for secret in found.own_secrets.live():
        secret.not_after = min(until, secret.not_after or until)
        secret.save(update_fields=["not_after"])
    return _new_secret(found, actor=actor, overlap_seconds=int(overlap.total_seconds()))


def _new_secret(inbox: Inbox, *, actor: Actor, **after: Any) -> str:
    made, key = InboxSecret(inbox=inbox, organization_id=inbox.organization_id), new_key()
    made.secrets = {"key": key}
    made.save()
    record(actor, "inbox.new_secret", on=inbox.integration, after=after)
    return key


def verify(inbox: Inbox, headers: Mapping[str, str], body: bytes, *, now: datetime) -> Webhook:
    """What a message to a custom integration's inbox says of itself. Raises BadSignature and Unreadable.

    Without an id of its sender's, it is known by its body: the same words count once.
    """
    keys = [secret.secrets["key"] for secret in inbox.own_secrets.live()]
    if inbox.scheme == Inbox.Scheme.STANDARD:
        named = signatures.standard(headers, body, keys=[key_bytes(key) for key in keys], now=now)
    else:
        terms = Terms(**inbox.terms)
        named = signatures.own(headers, body, terms=terms, keys=[key.encode() for key in keys], now=now)
    event_type, shop = _read(body)
    return Webhook(named or f"sha256:{hashlib.sha256(body).hexdigest()}", event_type, shop)


def _read(body: bytes) -> tuple[str, str]:
    """Type and shop of a message."""
    try:
        message = read(body)
    except Problem as problem:
        raise Unreadable(problem.detail) from problem
    named = message.get("type") if isinstance(message, dict) else None
    if not isinstance(named, str) or not 0 < len(named) <= LONGEST_TYPE:
        raise Unreadable('A message is an object with a "type", such as "order.created".')
    shop = message.get("ext_shop_id", "")
    if not isinstance(shop, str) or len(shop) > LONGEST_ID:
        raise Unreadable('Its "ext_shop_id" is the id of a shop, a text.')
    return named, shop
