"""Telling a warehouse or a platform at once what it would be told later, or did not take (rule 2 of the design)."""

from typing import Any

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from apps.audit.trail import Actor, record

from . import timeline
from .models import Fulfillment, Parcel
from .ringing import HAND_OVER, TELL_PARCELS, ring

UNTOLD = {
    Fulfillment: ~Q(owes=""),
    Parcel: Q(told_at=None) & (Q(due_at__isnull=False) | ~Q(error="")),
}


def untold(rows: Any) -> Any:
    """Those of these fulfilments, or parcels, of which another system is still to be told."""
    return rows.filter(UNTOLD[rows.model])


def failing(rows: Any) -> Any:
    """Those that the other system did not take when it was told."""
    return untold(rows).exclude(error="")


@transaction.atomic
def send_again(fulfillment: Fulfillment, *, by: Actor) -> bool:
    """Tell its warehouse now what it is still owed. False when it is owed nothing."""
    if not untold(Fulfillment.objects.filter(pk=fulfillment.pk)).update(due_at=Now(), tries=0):
        return False
    timeline.record(fulfillment.order, "send_again", by=by, fulfillment=str(fulfillment.pk))
    record(by, "fulfillment.send_again", on=fulfillment)
    transaction.on_commit(lambda: ring(HAND_OVER), robust=True)
    return True


@transaction.atomic
def tell_again(parcel: Parcel, *, by: Actor) -> bool:
    """Tell its order's platform now that it has left. False when the platform knows, or nobody is to be told."""
    if not untold(Parcel.objects.filter(pk=parcel.pk)).update(due_at=Now(), tries=0):
        return False
    timeline.record(parcel.order, "tell_again", by=by, parcel=str(parcel.pk))
    record(by, "parcel.tell_again", on=parcel)
    transaction.on_commit(lambda: ring(TELL_PARCELS), robust=True)
    return True
