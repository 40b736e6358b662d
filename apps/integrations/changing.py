"""Changing an integration's name, which of its syncs are on, and how long its new orders are held."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from apps.audit.trail import Actor, record

from .configuring import write
from .models import Integration, Revision
from .revising import revised

CHANGEABLE = ("name", "order_sync_enabled", "product_sync_enabled", "stock_sync_enabled", "order_hold_seconds")
LONGEST_HOLD = 7 * 24 * 60 * 60  # seconds that an order is held before it goes to a warehouse


@transaction.atomic
def change(
    integration: Integration,
    wanted: Mapping[str, Any],
    *,
    actor: Actor,
    note: str = "",
    based_on: int | None = None,
    origin: str = Revision.Origin.CHANGE,
) -> None:
    """Set those of CHANGEABLE and of its `settings` (see `configuring.write`) that are named, as one revision.

    `based_on` is the number of the one they were made from, 0 if there was none. Raises InvalidFields and Problem
    stale_version.
    """
    with revised(integration, actor=actor, origin=origin, note=note, based_on=based_on):
        _change(integration, wanted, actor=actor)


def _change(integration: Integration, wanted: Mapping[str, Any], *, actor: Actor) -> None:
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
