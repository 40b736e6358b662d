"""What a row says about a level in hand: whether it is believed, and which numbers follow.

Of two counts the one with the higher version is believed, then the later one, then the smaller; a missing version is
below any. What changed after a count is added to it, and a change that a believed count holds already is ignored.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from operator import add
from uuid import UUID

from .ledger import MOST, By, Held, Level, Place, key
from .models import StockMovement


@dataclass(frozen=True, slots=True)
class Change:
    """By how many pieces a level changes. An `entry` is the reporter's own id of it: the same one counts once."""

    product: int
    location: UUID
    on_hand: int = 0
    reserved: int = 0
    incoming: int = 0
    reserved_incoming: int = 0
    entry: str = ""
    occurred_at: datetime | None = None

    @property
    def place(self) -> Place:
        return self.product, self.location

    @property
    def numbers(self) -> tuple[int, int, int, int]:
        return self.on_hand, self.reserved, self.incoming, self.reserved_incoming


@dataclass(frozen=True, slots=True)
class Count:
    """How many pieces there are. Without `occurred_at` it was so just now."""

    product: int
    location: UUID
    on_hand: int
    incoming: int | None = None
    version: int | None = None
    occurred_at: datetime | None = None

    @property
    def place(self) -> Place:
        return self.product, self.location


class Result(StrEnum):
    """`STALE`: something newer is believed, or holds it already. `HELD`: kept until the SKU is somebody's."""

    APPLIED = "applied"
    UNCHANGED = "unchanged"
    STALE = "stale"
    DUPLICATE = "duplicate"
    HELD = "held"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one row. `error` says why it was refused."""

    result: Result
    error: str = ""
    sku: str = ""

    @property
    def refused(self) -> bool:
        return self.result == Result.REFUSED


def change(held: Held, one: Change) -> Outcome:
    level = held.levels.get(one.place)
    if level is None:
        return Outcome(Result.REFUSED, "unknown_level")
    if known := _known(held, level, one.entry, one.occurred_at):
        return Outcome(known)
    numbers = list(map(add, level.numbers, one.numbers))
    if min(numbers) < 0:
        return Outcome(Result.REFUSED, "negative_stock")
    if max(numbers) > MOST:
        return Outcome(Result.REFUSED, "too_much_stock")
    if not any(one.numbers):
        return Outcome(Result.UNCHANGED)
    held.move(level, numbers, occurred_at=moment(held, one.occurred_at), entry=one.entry)
    return Outcome(Result.APPLIED)


def _known(held: Held, level: Level, entry: str, occurred_at: datetime | None) -> Result | None:
    """Whether a change was told before, or is in the count that is believed."""
    if (level.id, entry) in held.seen:
        return Result.DUPLICATE
    if occurred_at and level.counted_at and moment(held, occurred_at) <= level.counted_at:
        return Result.STALE
    return None


def moment(held: Held, occurred_at: datetime | None) -> datetime:
    """When it was. Nothing was so in the future: a clock that is ahead says now."""
    return min(occurred_at or held.now, held.now)


def take(held: Held, one: Change) -> Outcome:
    """A change at the warehouse is a fact: where more went than we knew of, the rest is set off against what comes."""
    level = held.levels[one.place]
    if known := _known(held, level, one.entry, one.occurred_at):
        return Outcome(known)
    there = level.on_hand - level.missing + one.on_hand
    if there > MOST:
        return Outcome(Result.REFUSED, "too_much_stock")
    if not one.on_hand:
        return Outcome(Result.UNCHANGED)
    level.missing, on_hand = max(-there, 0), max(there, 0)
    reported = None if on_hand - level.on_hand == one.on_hand else one.on_hand
    numbers = (on_hand, *level.numbers[1:])
    held.move(level, numbers, occurred_at=moment(held, one.occurred_at), entry=one.entry, reported=reported)
    return Outcome(Result.APPLIED)


def count(held: Held, one: Count, by: By) -> Outcome:
    level = held.levels.get(one.place)
    if level is None:
        return Outcome(Result.REFUSED, "unknown_level")
    if not (0 <= one.on_hand <= MOST and 0 <= (one.incoming or 0) <= MOST):
        return Outcome(Result.REFUSED, "bad_quantity")
    at = moment(held, one.occurred_at)
    version = one.version
    if version is None and by.cause == StockMovement.Cause.RECONCILE:  # asked for on purpose: it is the truth of now
        version = level.counted_version
    there = one.on_hand + level.changes_after(at)
    if there > MOST:
        return Outcome(Result.REFUSED, "too_much_stock")
    if not _is_newer(level, version, at, there):
        same = level.key == key(version, at) and there == level.on_hand - level.missing
        return Outcome(Result.DUPLICATE if same else Result.STALE)
    level.counted_version, level.counted_at, level.is_changed = version, at, True
    return _set(held, level, there, one)


def _is_newer(level: Level, version: int | None, at: datetime, there: int) -> bool:
    """Whether a count comes after the believed one. Of two with the same key the smaller is safer to sell from."""
    new = key(version, at)
    if level.key is None or new != level.key:
        return level.key is None or new > level.key
    return there < level.on_hand - level.missing


def _set(held: Held, level: Level, there: int, one: Count) -> Outcome:
    incoming = level.incoming if one.incoming is None else one.incoming
    numbers = (max(there, 0), level.reserved, incoming, level.reserved_incoming)
    level.missing = max(-there, 0)
    if numbers == level.numbers:
        return Outcome(Result.UNCHANGED)
    held.move(level, numbers, occurred_at=level.counted_at or held.now, is_count=True, version=one.version)
    return Outcome(Result.APPLIED)
