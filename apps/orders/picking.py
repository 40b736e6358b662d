"""Picking by hand: what people of the 3PL are to pick, in which order, and what came of it (behaviours 70, 75, 93)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import F, Sum

from apps.accounts.models import Organization
from apps.api.errors import Problem
from apps.audit.trail import Actor, record
from apps.integrations.connectors.orders import Tracking

from . import fulfilling
from .models import Fulfillment, FulfillmentQuerySet, Parcel


def to_pick(organization: Organization | None = None) -> FulfillmentQuerySet:
    """The most urgent first, then the oldest, with their `pieces`; of one customer, or of all that are active."""
    rows = Fulfillment.objects.to_be_picked().filter(organization__is_active=True)
    rows = rows.filter(organization=organization) if organization else rows
    pieces = Sum(F("lines__quantity") - F("lines__shipped"))
    return rows.select_related("organization", "order", "location").annotate(pieces=pieces)


@dataclass(frozen=True, slots=True)
class Picker:
    """Who has begun to pick, and when."""

    name: str
    since: datetime


def picker_of(fulfillment: Fulfillment) -> Picker | None:
    """None when nobody has."""
    if fulfillment.state != Fulfillment.State.PICKING:
        return None
    begun = fulfillment.order.entries.filter(kind="picking", data__location=fulfillment.location.name).last()
    return Picker(begun.actor, begun.at) if begun else None


@transaction.atomic
def begin(fulfillment: Fulfillment, *, by: Actor, version: int) -> Fulfillment:
    """Somebody goes and picks it: from now on it cannot be cancelled. Raises Problem: fulfillment_is_final,
    stale_version when somebody else was first.
    """
    own = _unchanged(fulfillment, version=version)
    record(by, "fulfillment.pick", on=own)
    return fulfilling.start_picking(own, by=by)


@transaction.atomic
def put_back(fulfillment: Fulfillment, *, by: Actor, version: int, reason: str) -> Fulfillment:
    """Nothing of it was there. Raises Problem as `begin`."""
    own = _unchanged(fulfillment, version=version)
    record(by, "fulfillment.reject", on=own, reason=reason)
    return fulfilling.reject(own, by=by, reason=reason)


@transaction.atomic
def ship(
    fulfillment: Fulfillment,
    *,
    by: Actor,
    version: int,
    pieces: Mapping[int, int],
    tracking: Tracking,
    entry: str,
    is_final: bool = False,
    reason: str = "",
) -> Parcel:
    """These pieces, by order line's id, are packed and leave. The same `entry` again is the same parcel.

    `is_final`: the rest is not there, for this `reason`. Raises Problem: fulfillment_is_final, more_than_ordered, and
    stale_version when somebody did something about it since.
    """
    known = fulfillment.parcels.filter(ext_parcel_id=entry).first()
    if known:
        return known
    own = _unchanged(fulfillment, version=version)
    record(by, "fulfillment.create", on=own, reason=reason)
    return fulfilling.ship(own, by=by, pieces=pieces, tracking=tracking, entry=entry, is_final=is_final, reason=reason)


def _unchanged(fulfillment: Fulfillment, *, version: int) -> Fulfillment:
    own = fulfilling.hold_open(fulfillment)
    if own.version != version:
        raise Problem("stale_version")
    return own
