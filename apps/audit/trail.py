"""Writing the trail."""

from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import structlog
from django.db.models import Model

from .models import Entry

_recorded: ContextVar[bool] = ContextVar("recorded", default=False)


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something, and from where. `address` is the IP address the call came from, None for our own work."""

    text: str
    organization_id: Any = None
    integration_id: Any = None
    user_id: int | None = None
    address: str | None = None


def record(
    actor: Actor,
    action: str,
    *,
    on: Model | None = None,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    refused: bool = False,
    reason: str = "",
) -> Entry:
    """Add one entry: `actor` did `action` ("key.rotate", "POST shops") to the row `on`, or was refused.

    Inside a transaction it stands or falls with the deed. `before` and `after` must hold no secret.
    """
    entry = _entry(actor, action, on, refused=refused, reason=reason)
    entry.before, entry.after = before or {}, after or {}
    entry.save(force_insert=True)
    _recorded.set(True)
    return entry


def record_each(actor: Actor, action: str, rows: Iterable[Model]) -> None:
    """Add one entry for each of these rows, in one statement: `actor` did `action` to it."""
    if Entry.objects.bulk_create(_entry(actor, action, row) for row in rows):
        _recorded.set(True)


def _entry(actor: Actor, action: str, on: Model | None, *, refused: bool = False, reason: str = "") -> Entry:
    return Entry(
        organization_id=actor.organization_id or getattr(on, "organization_id", None),
        integration_id=_integration_of(on) or actor.integration_id,
        user_id=actor.user_id,
        actor=actor.text[:300],
        action=action[:100],
        outcome=Entry.Outcome.REFUSED if refused else Entry.Outcome.DONE,
        target_kind=on._meta.model_name or "" if on else "",
        target_id=str(on.pk) if on else "",
        target=str(on)[:300] if on else "",
        reason=reason[:300],
        address=actor.address,
        request_id=structlog.contextvars.get_contextvars().get("request_id", ""),
    )


def _integration_of(row: Model | None) -> Any:
    """The integration a row belongs to, or is."""
    if row is not None and row._meta.label == "integrations.Integration":
        return row.pk
    return getattr(row, "integration_id", None)


def forget_what_was_recorded() -> None:
    """A new call begins."""
    _recorded.set(False)


def was_anything_recorded() -> bool:
    """Whether the call at work has left its own entry already."""
    return _recorded.get()
