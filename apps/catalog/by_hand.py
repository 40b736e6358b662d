"""The manual warehouse: what people of the 3PL store, pick and count where no integration does (behaviours 61, 93)."""

from . import stocking
from .models import Location, Product, StockMovement
from .stocking import By, Change, Count, Outcome, Result

MOST_AT_ONCE = 1_000_000  # pieces; more is a slip of the finger
NOT_BY_HAND = Outcome(Result.REFUSED, "not_by_hand")


def store(product: Product, location: Location, pieces: int, *, entry: str, actor: str) -> Outcome:
    """Put pieces there. The same `entry` at the same place counts once, however often the form is sent."""
    return _move(product, location, pieces, entry=entry, actor=actor)


def pick(product: Product, location: Location, pieces: int, *, entry: str, actor: str) -> Outcome:
    """Take pieces away; refused as negative_stock when there are not as many. `entry` as in `store`."""
    return _move(product, location, -pieces, entry=entry, actor=actor)


def count(product: Product, location: Location, pieces: int, *, reason: str, actor: str) -> Outcome:
    """Somebody has counted: so many there are now."""
    if not location.is_manual:
        return NOT_BY_HAND
    by = By(StockMovement.Cause.OPERATOR, actor, note=reason)
    return stocking.count(product.organization, [Count(product.pk, location.pk, pieces)], by=by)[0]


def _move(product: Product, location: Location, pieces: int, *, entry: str, actor: str) -> Outcome:
    if not location.is_manual:
        return NOT_BY_HAND
    by = By(StockMovement.Cause.OPERATOR, actor)
    change = Change(product.pk, location.pk, on_hand=pieces, entry=entry)
    return stocking.change(product.organization, [change], by=by)[0]
