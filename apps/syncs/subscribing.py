"""Seeing to it that the other side still tells us all that we want to hear: some forget a hook after a few failures."""

from datetime import timedelta

from django.utils import timezone

from apps.integrations.connectors.base import StoreRef, Subscribes
from apps.integrations.sessions import call
from apps.webhooks.inboxes import address_of, inbox_of, note_hooks

from .models import SyncRun

EVERY = timedelta(minutes=10)


def see_to_hooks(found: SyncRun, store: StoreRef) -> None:
    """Look at most once in EVERY, and register again what is gone. Raises what calls raise."""
    if not found.integration.kind.can(Subscribes):
        return
    inbox = inbox_of(found.integration)
    if inbox.checked_at and inbox.checked_at > timezone.now() - EVERY:
        return
    there = call(found.integration, lambda client: client.subscribe(store, address_of(inbox)))
    note_hooks(inbox, there)
