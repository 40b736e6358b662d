"""What a row says about a level in hand: whether it is believed, and which numbers follow.

Of two counts the one with the higher version is believed, then the later one, then the smaller; a missing version is
below any. What changed after a count is added to it, and a change that a believed count holds already is ignored.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from operator import add
from uuid import UUID

from apps.accounts.models import Organization

from .ledger import MOST, NO_VERSION, By, Held, Key, Level, Place, hold, key, likely
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

    @property
    def refused(self) -> bool:
        return self.result == Result.REFUSED


def hold_for(organization: Organization, rows: Iterable[Change | Count], *, since: Mapping[Place, datetime]) -> Held:
    """The levels of what a warehouse says, locked, and made if missing; with what changed there since those moments."""
    places = {one.place for one in rows}.union(since)
    held = hold(organization, places, adding=places)
    known = ((held.levels[place], likely(at, now=held.now)) for place, at in since.items() if place in held.levels)
    held.recall_changes(known)
    return held


def moments(counts: Iterable[Count]) -> dict[Place, datetime]:
    """Of each place the first moment that these counts are of; those of just now have nothing after them."""
    found: dict[Place, datetime] = {}
    for one in counts:
        if one.occurred_at:
            found[one.place] = min(one.occurred_at, found.get(one.place, one.occurred_at))
    return found


def change(held: Held, one: Change) -> Outcome:
    """What people and orders do. Refused when a number would be negative."""
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
    held.move(level, numbers, occurred_at=likely(one.occurred_at, now=held.now), entry=one.entry)
    return Outcome(Result.APPLIED)


def _known(held: Held, level: Level, entry: str, occurred_at: datetime | None) -> Result | None:
    """Whether a change was told before, or is in the count that is believed."""
    if (level.id, entry) in held.seen:
        return Result.DUPLICATE
    if occurred_at and level.key and likely(occurred_at, now=held.now) <= level.key[1]:
        return Result.STALE
    return None


def take(held: Held, one: Change) -> Outcome:
    """A change at the warehouse is a fact: where more went than we knew of, the rest is set off against what comes."""
    level = held.levels[one.place]
    if known := _known(held, level, one.entry, one.occurred_at):
        return Outcome(known)
    there = level.there + one.on_hand
    if there > MOST:
        return Outcome(Result.REFUSED, "too_much_stock")
    if not one.on_hand:
        return Outcome(Result.UNCHANGED)
    on_hand, level.missing = max(there, 0), max(-there, 0)
    told = None if on_hand - level.on_hand == one.on_hand else one.on_hand
    numbers = (on_hand, *level.numbers[1:])
    held.move(level, numbers, occurred_at=likely(one.occurred_at, now=held.now), entry=one.entry, reported=told)
    return Outcome(Result.APPLIED)


def leave(held: Held, one: Change, *, is_reported: bool) -> Outcome:
    """`one.reserved` pieces have left the shelf and what was reserved for them."""
    level = held.levels[one.place]
    freed = -min(one.reserved, level.reserved)
    if not is_reported:
        gone = -min(one.reserved, level.on_hand)
        return change(held, replace(one, on_hand=gone, reserved=freed))
    change(held, replace(one, reserved=freed, entry="", occurred_at=None))
    return take(held, replace(one, on_hand=-one.reserved, reserved=0))


def count(held: Held, one: Count, by: By) -> Outcome:
    """A count is a fact of its moment: what changed after it is added."""
    level = held.levels.get(one.place)
    if level is None:
        return Outcome(Result.REFUSED, "unknown_level")
    if not (0 <= one.on_hand <= MOST and 0 <= (one.incoming or 0) <= MOST):
        return Outcome(Result.REFUSED, "bad_quantity")
    at, version = likely(one.occurred_at, now=held.now), one.version
    if version is None and by.cause == StockMovement.Cause.RECONCILE and level.key:
        version = None if level.key[0] == NO_VERSION else level.key[0]  # it was asked for on purpose: the truth of now
    later = level.changes_after(at)
    if one.on_hand + later > MOST:
        return Outcome(Result.REFUSED, "too_much_stock")
    if not _is_newer(level, key(version, at), one.on_hand, level.there - later):
        same = level.own_key == key(version, at) and one.on_hand == level.there - later
        return Outcome(Result.DUPLICATE if same else Result.STALE)
    level.counted_version, level.counted_at, level.is_changed = version, at, True
    incoming = level.incoming if one.incoming is None else one.incoming
    return _set(held, level, one.on_hand + later, incoming, version=one.version, at=at)


def _is_newer(level: Level, new: Key, pieces: int, then: int) -> bool:
    """Whether a count comes after what is believed: `then` pieces. Of two at once the smaller is safer to sell from.

    In a complete count the level may not have been named, if it was empty: then this is the first word on it.
    """
    if level.key and new < level.key:
        return False
    if new == level.own_key or (new == level.all_key and then):
        return pieces < then
    return True


def absent(held: Held, place: Place, new: Key) -> None:
    """A complete count did not name the level: nothing is there, unless a count of that key or a newer one says so."""
    level = held.levels[place]
    if level.key is None or level.key < new:
        _set(held, level, level.changes_after(new[1]), level.incoming, version=None, at=new[1])


def _set(held: Held, level: Level, there: int, incoming: int, *, version: int | None, at: datetime) -> Outcome:
    """What a count makes of a level: `there` may be below zero."""
    numbers = (max(there, 0), level.reserved, incoming, level.reserved_incoming)
    level.is_changed, level.missing = level.is_changed or level.missing != max(-there, 0), max(-there, 0)
    if numbers == level.numbers:
        return Outcome(Result.UNCHANGED)
    held.move(level, numbers, occurred_at=at, is_count=True, version=version)
    return Outcome(Result.APPLIED)
