"""The manual warehouse: what people of the 3PL store, pick and count where no integration does (behaviours 61, 93)."""

from typing import Any

from django.db import transaction

from apps.audit.trail import Actor, record

from . import stocking
from .models import Location, Product, StockLevel, StockMovement
from .stocking import By, Change, Count, Outcome, Result

MOST_AT_ONCE = 1_000_000  # pieces; more is a slip of the finger
NOT_BY_HAND = Outcome(Result.REFUSED, "not_by_hand")


def store(product: Product, location: Location, pieces: int, *, entry: str, actor: Actor) -> Outcome:
    """Put pieces there. The same `entry` at the same place counts once, however often the form is sent."""
    return _move("stock.store", product, location, pieces, entry=entry, actor=actor)


def pick(product: Product, location: Location, pieces: int, *, entry: str, actor: Actor) -> Outcome:
    """Take pieces away; refused as negative_stock when there are not as many. `entry` as in `store`."""
    return _move("stock.pick", product, location, -pieces, entry=entry, actor=actor)


@transaction.atomic
def count(product: Product, location: Location, pieces: int, *, reason: str, actor: Actor) -> Outcome:
    """Somebody has counted: so many there are now."""
    if not location.is_manual:
        return NOT_BY_HAND
    by = By(StockMovement.Cause.OPERATOR, actor.text, note=reason)
    outcome = stocking.count(product.organization, [Count(product.pk, location.pk, pieces)], by=by)[0]
    _record("stock.count", product, location, outcome, actor=actor, reason=reason)
    return outcome


@transaction.atomic
def _move(action: str, product: Product, location: Location, pieces: int, *, entry: str, actor: Actor) -> Outcome:
    if not location.is_manual:
        return NOT_BY_HAND
    by = By(StockMovement.Cause.OPERATOR, actor.text)
    change = Change(product.pk, location.pk, on_hand=pieces, entry=entry)
    outcome = stocking.change(product.organization, [change], by=by)[0]
    _record(action, product, location, outcome, actor=actor)
    return outcome


def _record(
    action: str, product: Product, location: Location, outcome: Outcome, *, actor: Actor, reason: str = ""
) -> None:
    """Enter what became of the level, as its newest line of the ledger has it, in the audit trail."""
    if outcome.result != Result.APPLIED:
        return
    level = StockLevel.objects.get(product=product, location=location)
    line = StockMovement.objects.filter(level=level).latest("pk")
    before: dict[str, Any] = {"on_hand": line.on_hand - line.on_hand_change}
    record(actor, action, on=level, before=before, after={"on_hand": line.on_hand}, reason=reason)
