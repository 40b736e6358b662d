"""What a warehouse says of its stock: in its own SKUs, in any order, more than once, and mostly nothing new.

A report is compared with the levels in one statement, and only rows that say something new are looked at one by one.
That all others were confirmed is written down once, at the location, when the report names everything that lies there.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from apps.accounts.models import Organization
from apps.api.errors import Problem
from apps.integrations.connectors.base import LONGEST_ID, is_storable
from apps.integrations.models import Integration

from . import judging, mapping, unclaimed
from .judging import Change, Count, Outcome, Result
from .ledger import MOST, By, Key, key, likely, lock_locations, now
from .models import HeldReport, Location, StockMovement

HIGHEST_VERSION = 2**63 - 1
SAME = Outcome(Result.UNCHANGED)


@dataclass(frozen=True, slots=True)
class Reported:
    """A warehouse's words on one SKU of its: how many there are, or by how many they changed; one of the two.

    `error` is what is wrong with them already, for whoever read them.
    """

    sku: str
    on_hand: int | None = None
    change: int | None = None
    version: int | None = None
    occurred_at: datetime | None = None
    entry: str = ""
    error: str = ""

    @property
    def problem(self) -> str:
        """Why this row cannot be taken; empty when it can."""
        if self.error:
            return self.error
        if not self.sku.strip() or len(self.sku) > LONGEST_ID or not is_storable(self.sku):
            return "bad_sku"
        if len(self.entry) > LONGEST_ID or not is_storable(self.entry):
            return "bad_entry"
        if (self.on_hand is None) == (self.change is None):
            return "bad_quantity"
        if not 0 <= (self.on_hand or 0) <= MOST or abs(self.change or 0) > MOST:
            return "bad_quantity"
        return "" if 0 <= (self.version or 0) <= HIGHEST_VERSION else "bad_version"

    @property
    def is_plain(self) -> bool:
        """Whether it is a count with the version and the time of its report."""
        is_bare = self.change is None and self.version is None and self.occurred_at is None and not self.error
        return is_bare and self.on_hand is not None and 0 <= self.on_hand <= MOST


@dataclass(frozen=True, slots=True)
class Report:
    """Rows of one location, with the version and the time of those that bring none of their own."""

    location: Location
    integration: Integration
    rows: Sequence[Reported]
    by: By
    version: int | None
    occurred_at: datetime | None
    now: datetime
    is_complete: bool

    @property
    def key(self) -> Key:
        return key(self.version, likely(self.occurred_at, now=self.now))

    @property
    def names(self) -> dict[str, Any]:
        """What statements ask for."""
        return {
            "organization": self.location.organization_id,
            "location": self.location.pk,
            "integration": self.integration.pk,
            "version": self.key[0],
            "at": self.key[1],
        }

    @property
    def is_late(self) -> bool:
        """Whether a newer complete count of the location is known."""
        all_at = self.location.counted_at
        return all_at is not None and self.key < key(self.location.counted_version, all_at)

    def dated(self, one: Reported) -> Reported:
        """The row with its own version and time, or those of the report."""
        version = self.version if one.version is None else one.version
        return replace(one, version=version, occurred_at=one.occurred_at or self.occurred_at)

    def told(self, one: Reported, product: int) -> Change | Count:
        one, place = self.dated(one), self.location.pk
        if one.on_hand is None:
            return Change(product, place, on_hand=one.change or 0, entry=one.entry, occurred_at=one.occurred_at)
        at = one.occurred_at or self.now
        return Count(product, place, one.on_hand, version=one.version, occurred_at=at)


@dataclass(frozen=True, slots=True)
class Sifted:
    """Positions of rows that say something, with the product each means, if any.

    `absent` are products that lie there and were not named, `confirmed` levels that need only remember the count.
    """

    saying: dict[int, int | None]
    absent: list[int]
    confirmed: list[int]


@transaction.atomic
def report(
    location: Location,
    reported: Iterable[Reported],
    *,
    by: By,
    complete: bool = False,
    version: int | None = None,
    occurred_at: datetime | None = None,
) -> list[Outcome]:
    """Take a warehouse's word for its location; an outcome for each row.

    `version` and `occurred_at` are those of rows that bring none of their own. With `complete`, what was not counted
    with this version and time, in this call or another, is not there.

    Codes of refusals: bad_sku, bad_quantity, bad_version, bad_entry, too_much_stock, and unknown_sku of a change; a
    count of an unknown SKU is held. Raises Problem: location_of_another, location_not_active.
    """
    own, integration = _of_reporter(location, by)
    told = Report(own, integration, list(reported), by, version, occurred_at, now(), complete)
    sifted = _sift(told)
    outcomes = [SAME] * len(told.rows)
    for position, outcome in _look_at(told, sifted):
        outcomes[position] = outcome
    _remember(told, sifted)
    return outcomes


def _of_reporter(location: Location, by: By) -> tuple[Location, Integration]:
    """The location as it is now, locked: its reports come one at a time. Raises Problem when it is not for this one."""
    own = Location.objects.select_for_update(no_key=True).get(pk=location.pk)
    if by.integration is None or not own.may_be_counted_by(by.integration):
        raise Problem("location_of_another")
    if not own.is_active:
        raise Problem("location_not_active")
    return own, by.integration


def _sift(told: Report) -> Sifted:
    own, other = mapping.sides(told.integration)
    is_late = told.is_late
    counts = [one.on_hand if one.is_plain and not is_late else None for one in told.rows]
    names = told.names | {
        "skus": _array(_quoted(one.sku) for one in told.rows),
        "counts": _array("NULL" if pieces is None else str(pieces) for pieces in counts),
        "complete": told.is_complete,
    }
    saying, absent, confirmed = {}, [], []
    with connection.cursor() as cursor:
        cursor.execute(SIFT.format(own=own, other=other), names)
        for position, product, level in cursor.fetchall():
            if position is None:
                absent.append(product)
            elif level is None:
                saying[position - 1] = product
            else:
                confirmed.append(level)
    return Sifted(saying, absent, confirmed)


def _array(values: Iterable[str]) -> str:
    """An array of PostgreSQL, as a text: so its planner sees how long it is, and the driver has no work with it."""
    return "{" + ",".join(values) + "}"


def _quoted(sku: str) -> str:
    if not is_storable(sku):
        return '""'
    return '"' + sku.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _look_at(told: Report, sifted: Sifted) -> list[tuple[int, Outcome]]:
    """Judge the rows that say something, in their order; then what a complete count did not name."""
    refused, known, unknown = {}, {}, {}
    for position, product in sorted(sifted.saying.items()):
        one = told.rows[position]
        if problem := one.problem:
            refused[position] = Outcome(Result.REFUSED, problem)
        elif product is None:
            unknown[position] = one
        else:
            known[position] = told.told(one, product)
    unclaimed.keep(map(told.dated, unknown.values()), location=told.location, by=told.by)
    judged = _judge(told, list(known.values()), sifted.absent)
    held = {position: _unplaced(one) for position, one in unknown.items()}
    return [*refused.items(), *held.items(), *zip(known, judged, strict=True)]


def _unplaced(one: Reported) -> Outcome:
    return Outcome(Result.REFUSED, "unknown_sku") if one.on_hand is None else Outcome(Result.HELD)


def _judge(told: Report, rows: Sequence[Change | Count], absent: Sequence[int]) -> list[Outcome]:
    if not rows and not absent:
        return []
    gone = [(product, told.location.pk) for product in absent]
    since = judging.moments(one for one in rows if isinstance(one, Count)) | dict.fromkeys(gone, told.key[1])
    held = judging.hold_for(told.integration.organization, rows, since=since)
    held.recall_entries((one.entry for one in rows if isinstance(one, Change)), of=told.integration)
    outcomes = [
        judging.count(held, one, told.by) if isinstance(one, Count) else judging.take(held, one) for one in rows
    ]
    for place in gone:
        judging.absent(held, place, told.key)
    held.write(told.by)
    return outcomes


def _remember(told: Report, sifted: Sifted) -> None:
    """That everything there, or that these levels were counted."""
    with connection.cursor() as cursor:
        if told.is_complete:
            cursor.execute(REMEMBER_ALL, told.names)
        elif sifted.confirmed:
            cursor.execute(REMEMBER, told.names | {"levels": sifted.confirmed})


@transaction.atomic(savepoint=False)
def release_held(organization: Organization, *, skus: Collection[str] | None = None) -> int:
    """Believe the counts that waited for a SKU that is somebody's by now; of these SKUs of ours only, if given.

    Returns how many waited no longer.
    """
    waiting = HeldReport.objects.filter(organization=organization)
    lock_locations(waiting.order_by().values_list("location", flat=True).distinct())
    groups: dict[tuple[Integration, Location, str], list[HeldReport]] = {}
    for one in waiting.select_related("integration", "location").select_for_update(of=("self",)).order_by("pk"):
        groups.setdefault((one.integration, one.location, one.reference), []).append(one)
    return sum(_release(rows, skus) for rows in groups.values())


def _release(rows: Sequence[HeldReport], wanted: Collection[str] | None) -> int:
    """Those of one integration, location and reference."""
    first, ours = rows[0], mapping.ours(rows[0].integration, [one.sku for one in rows])
    by = By(StockMovement.Cause.REPORT, str(first.integration), first.integration, reference=first.reference)
    counts = [Reported(one.sku, one.on_hand, version=one.source_version, occurred_at=one.occurred_at) for one in rows]
    told = Report(first.location, first.integration, counts, by, None, None, now(), is_complete=False)
    known = {
        position: product
        for position, product in _sift(told).saying.items()
        if product is not None and (wanted is None or ours[rows[position].sku] in wanted)
    }
    _judge(told, [told.told(counts[position], product) for position, product in known.items()], [])
    HeldReport.objects.filter(pk__in=[rows[position].pk for position in known]).delete()
    return len(known)


NOT_AFTER = "({0}.counted_at IS NULL OR (COALESCE({0}.counted_version, -1), {0}.counted_at) {1} (%(version)s, %(at)s))"

# A level that changed after the count, or was counted by it twice, is for the judge.
SIFT = f"""
WITH told AS MATERIALIZED (
    SELECT * FROM unnest(%(skus)s::text[], %(counts)s::bigint[]) WITH ORDINALITY AS told (sku, pieces, position)
), known AS MATERIALIZED (
    SELECT told.position, told.pieces, product.id AS product, count(*) OVER (PARTITION BY product.id) AS times
    FROM told
    LEFT JOIN catalog_skupair pair ON pair.organization_id = %(organization)s
        AND pair.integration_id = %(integration)s AND pair.{{other}} = told.sku
    LEFT JOIN catalog_product product ON product.organization_id = %(organization)s
        AND product.sku = COALESCE(pair.{{own}}, told.sku)
), compared AS (
    SELECT known.position, known.product, level.id AS level, {NOT_AFTER.format("level", "<")} AS is_older,
           (
               known.pieces = level.on_hand AND level.missing = 0 AND known.times = 1 AND level.updated_at <= %(at)s
               AND {NOT_AFTER.format("level", "<=")}
           ) IS TRUE AS is_same
    FROM known
    LEFT JOIN catalog_stocklevel level ON level.organization_id = %(organization)s
        AND level.location_id = %(location)s AND level.product_id = known.product
)
SELECT position, product, CASE WHEN is_same THEN level END
FROM compared WHERE NOT is_same OR (is_older AND NOT %(complete)s)
UNION ALL
SELECT NULL, product_id, NULL
FROM catalog_stocklevel level
WHERE %(complete)s AND organization_id = %(organization)s AND location_id = %(location)s
  AND (on_hand <> 0 OR missing <> 0 OR updated_at > %(at)s)
  AND NOT EXISTS (SELECT FROM known WHERE known.product = level.product_id)
"""

REMEMBER_ALL = f"""
UPDATE catalog_location location SET counted_version = NULLIF(%(version)s, -1), counted_at = %(at)s
WHERE id = %(location)s AND {NOT_AFTER.format("location", "<")}
"""

REMEMBER = f"""
WITH confirmed AS MATERIALIZED (
    SELECT id FROM catalog_stocklevel level WHERE id = ANY(%(levels)s) AND {NOT_AFTER.format("level", "<")}
    ORDER BY id FOR NO KEY UPDATE
)
UPDATE catalog_stocklevel SET counted_version = NULLIF(%(version)s, -1), counted_at = %(at)s
WHERE id IN (SELECT id FROM confirmed)
"""
