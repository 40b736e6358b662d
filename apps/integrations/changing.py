"""Changing an integration's name, which of its syncs are on, and how long its new orders are held."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from apps.audit.trail import Actor, record

from .configuring import write
from .models import Integration

CHANGEABLE = ("name", "order_sync_enabled", "product_sync_enabled", "stock_sync_enabled", "order_hold_seconds")
LONGEST_HOLD = 7 * 24 * 60 * 60  # seconds that an order is held before it goes to a warehouse


@transaction.atomic
def change(integration: Integration, wanted: Mapping[str, Any], *, actor: Actor) -> None:
    """Set those of CHANGEABLE and of its `settings` (see `configuring.write`) that are named. Raises InvalidFields."""
    locked = Integration.objects.select_for_update(no_key=True).get(pk=integration.pk)
    new = {name: wanted[name] for name in CHANGEABLE if name in wanted and wanted[name] != getattr(locked, name)}
    before = {name: getattr(locked, name) for name in new}
    for row in (locked, integration):
        for name, value in new.items():
            setattr(row, name, value)
    if new:
        locked.save(update_fields=[*new, "updated_at"])
        integration.updated_at = locked.updated_at
        record(actor, "integration.change", on=locked, before=before, after=new)
    if "settings" in wanted:
        write(integration, wanted["settings"], actor=actor)
