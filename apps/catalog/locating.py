"""Making places where goods lie, and changing them."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from apps.audit.trail import Actor, record

from . import owing
from .models import Location

CHANGEABLE = ("name", "kind", "address", "is_active", "is_paused", "excluded_from_totals")
SELLING = {"is_active", "excluded_from_totals"}  # they decide whether what lies there may be sold


@transaction.atomic
def make(location: Location, *, actor: Actor) -> None:
    """Save a new one, which the caller has validated."""
    location.save(force_insert=True)
    record(actor, "location.create", on=location, after={name: getattr(location, name) for name in CHANGEABLE})


@transaction.atomic
def change(location: Location, wanted: Mapping[str, Any], *, actor: Actor) -> None:
    """Set those of CHANGEABLE that are named and differ, and owe the platforms the stock that may be sold now."""
    locked = Location.objects.select_for_update(no_key=True).get(pk=location.pk)
    new = {name: wanted[name] for name in CHANGEABLE if name in wanted and wanted[name] != getattr(locked, name)}
    before = {name: getattr(locked, name) for name in new}
    for row in (locked, location):
        for name, value in new.items():
            setattr(row, name, value)
    if new:
        locked.save(update_fields=[*new, "updated_at"])
        record(actor, "location.change", on=locked, before=before, after=new)
    if SELLING & set(new):
        owing.owe_location(locked)


@transaction.atomic
def delete(location: Location, *, actor: Actor) -> None:
    """Raises ProtectedError while any level refers to it, also an empty one: its ledger is kept."""
    record(actor, "location.delete", on=location, before={name: getattr(location, name) for name in CHANGEABLE})
    location.delete()
