"""Letting an order go on before its hold window is over (Pipe17: contracts 2.8)."""

from django.db import transaction
from django.utils import timezone

from apps.audit.trail import Actor, record

from . import changing, timeline
from .models import Order
from .ringing import ring


@transaction.atomic
def release(order: Order, *, by: Actor) -> bool:
    """Its hold window ends now. False when it is not held."""
    locked, now = changing.lock(order.pk), timezone.now()
    if locked.state != Order.State.HELD:
        return False
    timeline.record(locked, "released", by=by)
    record(by, "order.release", on=locked)
    changing.settle(locked, release_at=now, due_at=now)
    transaction.on_commit(ring, robust=True)
    return True
