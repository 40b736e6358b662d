"""Changing what may still be changed of an order: its tags, its notes and where it goes (Pio; behaviour 72)."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone

from apps.api.errors import Problem
from apps.audit.trail import Actor, record

from . import changing, timeline
from .cancelling import ask, live_of, may_be_there
from .intake import email_of
from .models import Fulfillment, Order
from .ringing import ring

Owes = Fulfillment.Owes
OVER: dict[str, str] = {
    Order.State.FULFILLED: "order_already_fulfilled",
    Order.State.CANCELLED: "conflict",
    Order.State.CANCELLING: "conflict",
}


@transaction.atomic
def revise(order: Order, changes: Mapping[str, Any], *, by: Actor) -> Order:
    """The order with other `tags`, `notes` or `destination` (as it is stored: what is known of it).

    It is looked at anew, so that one that waited goes on; warehouses that have it are told. What changes nothing is
    nothing. Raises Problem: order_already_fulfilled; conflict for one that is cancelled, or to be.
    """
    locked = changing.lock(order.pk)
    if locked.state in OVER:
        raise Problem(OVER[locked.state])
    new = {name: value for name, value in changes.items() if value != getattr(locked, name)}
    if new:
        _write(locked, new, by=by)
    return locked


def _write(order: Order, new: dict[str, Any], *, by: Actor) -> None:
    fields = sorted(new)
    timeline.record(order, "edited", by=by, fields=fields)
    record(by, "order.update", on=order, after={"fields": fields})
    if "destination" in new:
        new["email"] = email_of(order.customer, new["destination"])
    changing.settle(order, **new, due_at=timezone.now())
    for one in live_of(order):
        if may_be_there(one) and one.owes in (Owes.NOTHING, Owes.CHANGE):
            ask(one, Owes.CHANGE)
    transaction.on_commit(ring, robust=True)
