"""What happened to an order, written down when it happens: who or what did it, in the transaction it happened in."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from apps.audit.trail import Actor
from apps.integrations.models import Integration

from .models import Entry, Order

ITSELF = Actor("Crossdock")  # who does what nobody asked for


def said_by(integration: Integration) -> Actor:
    """Its other side, as whoever did what it tells us."""
    return Actor(str(integration), organization_id=integration.organization_id, integration_id=integration.pk)


_cause: ContextVar[dict[str, str] | None] = ContextVar("cause", default=None)


@contextmanager
def because_of(**cause: str) -> Iterator[None]:
    """Whatever is recorded meanwhile says so in its data, such as which receipt it goes back to."""
    before = _cause.set(cause)
    try:
        yield
    finally:
        _cause.reset(before)


def record(order: Order, kind: str, *, by: Actor, internal: bool = False, **data: Any) -> Entry:
    """Add one entry: `by` did this. `data` is plain JSON without secrets; an `internal` one is for the 3PL only."""
    return Entry.objects.create(
        organization_id=order.organization_id,
        order=order,
        kind=kind,
        actor=by.text[:300],
        data=data | (_cause.get() or {}),
        is_internal=internal,
    )
