"""Changing stock. Every number has its line in the ledger, its cause and its event; platforms are owed the news.

What people and orders do are changes, and a change that would make a number negative is refused. What a warehouse says
is a fact, and judged by when it was so: reports may come in any order, and twice.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import transaction

from apps.accounts.models import Organization
from apps.api.errors import Problem
from apps.integrations.connectors.base import LONGEST_ID, is_storable
from apps.integrations.models import Integration

from . import judging, mapping, unclaimed
from .judging import Change, Count, Outcome, Result
from .ledger import MOST, By, Held, Place, hold
from .models import HeldReport, Location, Product, StockLevel, StockMovement

__all__ = [
    "By", "Change", "Count", "Outcome", "Reported", "Result",
    "change", "count", "pick", "release", "release_held", "report", "reserve",
]  # fmt: skip

HIGHEST_VERSION = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Reported:
    """A warehouse's words on one SKU of its: how many there are, or by how many they changed; one of the two."""

    sku: str
    on_hand: int | None = None
    change: int | None = None
    version: int | None = None
    occurred_at: datetime | None = None
    entry: str = ""


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
    held = _hold_for_counts(organization, counts, counts)
    outcomes = [judging.count(held, one, by) for one in counts]
    held.write(by)
    return outcomes


def _hold_for_counts(organization: Organization, rows: Sequence[Change | Count], counts: Iterable[Count]) -> Held:
    """The levels of these rows, locked and made if missing, with what changed since the moments of these counts."""
    places = [one.place for one in rows]
    held = hold(organization, places, adding=places)
    since: dict[Place, datetime] = {}
    for one in counts:
        moment = judging.moment(held, one.occurred_at)
        since[one.place] = min(moment, since.get(one.place, moment))
    held.recall_changes((held.levels[place], moment) for place, moment in since.items() if place in held.levels)
    return held


@transaction.atomic(savepoint=False)
def report(
    location: Location,
    reported: Iterable[Reported],
    *,
    by: By,
    complete: bool = False,
    version: int | None = None,
    occurred_at: datetime | None = None,
) -> list[Outcome]:
    """Take a warehouse's word for its location, each row by itself; rows are in its SKUs.

    `version` and `occurred_at` are those of rows that bring none of their own. With `complete`, what was not counted
    with this version and time, in this call or one before, is not there: its count is 0.

    Codes of refusals: bad_sku, bad_quantity, bad_version, bad_entry, too_much_stock, and unknown_sku of a change; a
    count of an unknown SKU is held. Raises Problem: location_of_another, location_not_active.
    """
    location = _of_reporter(location, by)
    rows = [_dated(one, version, occurred_at) for one in reported]
    errors = [_problem(one) for one in rows]
    good = [one for one, error in zip(rows, errors, strict=True) if not error]
    products = _products(by.integration, {one.sku for one in good})
    gone = _left_out(location, products.values(), version, occurred_at) if complete else []
    judged = iter(_take_in(location, [one for one in good if one.sku in products], products, gone, by=by))
    unclaimed.keep([one for one in good if one.sku not in products], location=location, by=by)
    return [
        Outcome(Result.REFUSED, error, one.sku) if error
        else next(judged) if one.sku in products
        else _unplaced(one)
        for one, error in zip(rows, errors, strict=True)
    ]  # fmt: skip


def _take_in(
    location: Location, rows: Sequence[Reported], products: dict[str, int], gone: Sequence[Count], *, by: By
) -> list[Outcome]:
    """Judge rows of known SKUs in their order, then the counts of what is gone."""
    told = [*(_told(one, products[one.sku], location) for one in rows), *gone]
    counts = [one for one in told if isinstance(one, Count)]
    changes = [one for one in told if isinstance(one, Change)]
    held = _hold_for_counts(location.organization, told, counts)
    held.recall_entries((one.entry for one in changes), of=by.integration)
    outcomes = [
        judging.count(held, one, by) if isinstance(one, Count) else judging.take(held, one)
        for one in told
    ]  # fmt: skip
    held.write(by)
    return [replace(outcome, sku=one.sku) for one, outcome in zip(rows, outcomes, strict=False)]


def _of_reporter(location: Location, by: By) -> Location:
    """The location as it is now, locked: its reports come one at a time. Raises Problem when it is not for this one.

    An integration reports for what it fulfils from, and for external locations of its organization that name nobody
    (contracts 2.7). What people store and pick by hand no machine counts.
    """
    now = Location.objects.select_for_update(no_key=True).get(pk=location.pk)
    if by.integration is None or not now.may_be_counted_by(by.integration):
        raise Problem("location_of_another")
    if not now.is_active:
        raise Problem("location_not_active")
    return now


def _dated(one: Reported, version: int | None, occurred_at: datetime | None) -> Reported:
    if (one.version is None) > (version is None) or (one.occurred_at is None) > (occurred_at is None):
        own = version if one.version is None else one.version
        return replace(one, version=own, occurred_at=one.occurred_at or occurred_at)
    return one


def _problem(one: Reported) -> str:
    """Why a row cannot be taken; empty when it can."""
    if not one.sku.strip() or len(one.sku) > LONGEST_ID or not is_storable(one.sku):
        return "bad_sku"
    if len(one.entry) > LONGEST_ID or not is_storable(one.entry):
        return "bad_entry"
    if (one.on_hand is None) == (one.change is None):
        return "bad_quantity"
    if not 0 <= (one.on_hand or 0) <= MOST or abs(one.change or 0) > MOST:
        return "bad_quantity"
    return "" if 0 <= (one.version or 0) <= HIGHEST_VERSION else "bad_version"


def _products(integration: Integration, skus: Collection[str]) -> dict[str, int]:
    """The products that an integration means by these SKUs."""
    ours = mapping.ours(integration, skus)
    found = Product.objects.filter(organization=integration.organization_id, sku__in=set(ours.values()))
    known = dict(found.values_list("sku", "pk"))
    return {sku: known[own] for sku, own in ours.items() if own in known}


def _told(one: Reported, product: int, location: Location) -> Count | Change:
    if one.on_hand is None:
        return Change(product, location.pk, on_hand=one.change or 0, entry=one.entry, occurred_at=one.occurred_at)
    return Count(product, location.pk, one.on_hand, version=one.version, occurred_at=one.occurred_at)


def _unplaced(one: Reported) -> Outcome:
    if one.on_hand is None:
        return Outcome(Result.REFUSED, "unknown_sku", one.sku)
    return Outcome(Result.HELD, sku=one.sku)


def _left_out(
    location: Location, named: Collection[int], version: int | None, occurred_at: datetime | None
) -> list[Count]:
    """What was counted at the location before, and a complete count does not name."""
    levels = StockLevel.objects.filter(organization=location.organization_id, location=location)
    gone = set(levels.values_list("product_id", flat=True)).difference(named)
    return [Count(product, location.pk, 0, version=version, occurred_at=occurred_at) for product in sorted(gone)]


@transaction.atomic(savepoint=False)
def release_held(organization: Organization, *, skus: Collection[str] | None = None) -> int:
    """Believe the counts that waited for a SKU that is somebody's by now; of these SKUs of ours only, if given.

    Returns how many waited no longer.
    """
    waiting = HeldReport.objects.filter(organization=organization).select_related("integration", "location")
    groups: dict[tuple[Integration, Location, str], list[HeldReport]] = {}
    for one in waiting.select_for_update(of=("self",)).order_by("pk"):
        groups.setdefault((one.integration, one.location, one.reference), []).append(one)
    return sum(_release(rows, skus) for rows in groups.values())


def _release(rows: Sequence[HeldReport], wanted: Collection[str] | None) -> int:
    """Those of one integration, location and reference."""
    first = rows[0]
    own = mapping.ours(first.integration, [one.sku for one in rows])
    products = _products(first.integration, [sku for sku, ours in own.items() if wanted is None or ours in wanted])
    known = [one for one in rows if one.sku in products]
    told = [Reported(one.sku, one.on_hand, version=one.source_version, occurred_at=one.occurred_at) for one in known]
    by = By(StockMovement.Cause.REPORT, first.integration.name, first.integration, reference=first.reference)
    _take_in(first.location, told, products, [], by=by)
    HeldReport.objects.filter(pk__in=[one.pk for one in known]).delete()
    return len(known)
