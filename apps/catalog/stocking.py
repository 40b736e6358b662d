"""Changing stock. Every number has its line in the ledger, its cause and its event; platforms are owed the news.

What people and orders do are changes, and a change that would make a number negative is refused. What a warehouse says
is a fact, and judged by when it was so: reports may come in any order, and twice.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from django.db import transaction

from apps.accounts.models import Organization

from . import judging
from .judging import Change, Count, Outcome, Result
from .ledger import By, Held, hold, lock_locations
from .reporting import Reported, release_held, report

__all__ = [
    "By", "Change", "Count", "Outcome", "Reported", "Result",
    "change", "count", "pick", "release", "release_held", "report", "reserve", "ship",
]  # fmt: skip


@transaction.atomic(savepoint=False)
def change(organization: Organization, changes: Iterable[Change], *, by: By) -> list[Outcome]:
    """Make these changes, one after the other; those that cannot be are refused, and all others happen.

    Codes of refusals: unknown_level, negative_stock, too_much_stock.
    """
    changes = list(changes)
    held = _hold_for(organization, changes, by)
    outcomes = [judging.change(held, one) for one in changes]
    held.write(by)
    return outcomes


@transaction.atomic(savepoint=False)
def reserve(organization: Organization, wanted: Iterable[Change], *, by: By) -> bool:
    """Hold `reserved` pieces of each for an order: all of them, or, when one is short, none."""
    wanted = list(wanted)
    held = _hold_for(organization, wanted, by)
    for one in wanted:
        level = held.levels.get(one.place)
        if level is None or level.on_hand - level.reserved < one.reserved or judging.change(held, one).refused:
            return False
    held.write(by)
    return True


def release(organization: Organization, reserved: Iterable[Change], *, by: By) -> list[Outcome]:
    """Give back what `reserve` held: the same rows."""
    given_back = [replace(one, reserved=-one.reserved, reserved_incoming=-one.reserved_incoming) for one in reserved]
    return change(organization, given_back, by=by)


def pick(organization: Organization, reserved: Iterable[Change], *, by: By) -> list[Outcome]:
    """Take what `reserve` held: the same rows. They leave the shelf and the reservation together."""
    taken = [replace(one, on_hand=-one.reserved, reserved=-one.reserved) for one in reserved]
    return change(organization, taken, by=by)


@transaction.atomic(savepoint=False)
def ship(organization: Organization, reserved: Iterable[Change], *, by: By) -> list[Outcome]:
    """What `reserve` held has left: the same rows. That is a fact, and none is refused; the caller says it once.

    Of what people ship, at most everything is gone. A warehouse (`by.integration`) says when it was, and what it
    counted later holds it already.
    """
    shipped = list(reserved)
    if by.integration:
        lock_locations(one.location for one in shipped)
    held = judging.hold_for(organization, shipped, since={})
    held.recall_entries((one.entry for one in shipped), of=by.integration)
    outcomes = [judging.leave(held, one, is_reported=by.integration is not None) for one in shipped]
    held.write(by)
    return outcomes


def _hold_for(organization: Organization, changes: Sequence[Change], by: By) -> Held:
    """The levels of these changes, locked. One that is missing is made when something is put there."""
    adding = [one.place for one in changes if one.on_hand > 0 or one.incoming > 0]
    held = hold(organization, [one.place for one in changes], adding=adding)
    held.recall_entries((one.entry for one in changes), of=by.integration)
    return held


@transaction.atomic(savepoint=False)
def count(organization: Organization, counts: Iterable[Count], *, by: By) -> list[Outcome]:
    """Believe these counts, as far as they are the newest. What changed after one is added to it.

    Codes of refusals: unknown_level, bad_quantity, too_much_stock.
    """
    counts = list(counts)
    lock_locations(one.location for one in counts)
    held = judging.hold_for(organization, counts, since=judging.moments(counts))
    outcomes = [judging.count(held, one, by) for one in counts]
    held.write(by)
    return outcomes
