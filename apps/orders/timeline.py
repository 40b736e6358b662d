"""What happened to an order, written down when it happens: who or what did it, in the transaction it happened in."""

from typing import Any

from apps.audit.trail import Actor

from .models import Entry, Order

ITSELF = Actor("Crossdock")  # who does what nobody asked for


def record(order: Order, kind: str, *, by: Actor, internal: bool = False, **data: Any) -> Entry:
    """Add one entry: `by` did this. `data` is plain JSON without secrets; an `internal` one is for the 3PL only."""
    return Entry.objects.create(
        organization_id=order.organization_id,
        order=order,
        kind=kind,
        actor=by.text[:300],
        data=data,
        is_internal=internal,
    )
