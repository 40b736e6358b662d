"""Stock levels in hand: locked in the order of their ids, and written with their ledger, events and word to platforms.

Whatever changes stock holds the levels, moves them, and writes: a few statements, for one level as for ten thousand.
"""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from apps.accounts.models import Organization
from apps.integrations.models import Integration

from .models.stock import NUMBERS
from .news import stock_rose
from .owing import owe

MOST = 2**31 - 1  # pieces, of any number
NO_VERSION = -1  # stands for the version of a count that came without one: below any
AHEAD = timedelta(minutes=5)  # that another's clock may be

type Place = tuple[int, UUID]  # the ids of a product and a location
type Key = tuple[int, datetime]  # of a count: what orders it among all of its level
type Line = dict[str, Any]  # of the ledger


@dataclass(frozen=True, slots=True)
class By:
    """Who changes stock, and why. `cause` is one of StockMovement.Cause, `reference` the order, run or receipt."""

    cause: str
    actor: str
    integration: Integration | None = None
    reference: str = ""
    note: str = ""


@dataclass(slots=True)
class Level:
    """A level in hand. `all_counted_…`: the newest complete count of its location, which was one of this level, too.

    `later` is what changed there of late: when, by how many pieces.
    """

    id: int
    product: int
    location: UUID
    on_hand: int
    reserved: int
    incoming: int
    reserved_incoming: int
    missing: int
    version: int
    counted_version: int | None
    counted_at: datetime | None
    updated_at: datetime
    all_counted_version: int | None
    all_counted_at: datetime | None
    later: list[tuple[datetime, int]] = field(default_factory=list)
    is_changed: bool = False  # in any way
    is_moved: bool = False  # in its numbers

    @property
    def place(self) -> Place:
        return self.product, self.location

    @property
    def numbers(self) -> tuple[int, int, int, int]:
        return self.on_hand, self.reserved, self.incoming, self.reserved_incoming

    @property
    def there(self) -> int:
        """On hand, by all that was reported; below zero when more went than we knew of."""
        return self.on_hand - self.missing

    @property
    def own_key(self) -> Key | None:
        """Of the newest believed count that named this level."""
        return key(self.counted_version, self.counted_at) if self.counted_at else None

    @property
    def all_key(self) -> Key | None:
        """Of the newest complete count of its location."""
        return key(self.all_counted_version, self.all_counted_at) if self.all_counted_at else None

    @property
    def key(self) -> Key | None:
        """Of the count that is believed."""
        return max(filter(None, (self.own_key, self.all_key)), default=None)

    def changes_after(self, moment: datetime) -> int:
        """How many pieces came, less those that went, since then."""
        return sum(pieces for at, pieces in self.later if at > moment)


def key(version: int | None, occurred_at: datetime) -> Key:
    """What orders counts: a missing version is below any."""
    return (NO_VERSION if version is None else version, occurred_at)


def likely(moment: datetime | None, *, now: datetime) -> datetime:
    """When it was: clocks may be ahead a little; what claims to be further ahead, or says nothing, is of now."""
    return now if moment is None or moment > now + AHEAD else moment


class Held:
    """The levels of some places, locked until the end of the transaction."""

    def __init__(self, organization: Organization, levels: Iterable[Level], now: datetime) -> None:
        self.organization, self.now = organization, now
        self.levels = {level.place: level for level in levels}
        self.seen: set[tuple[int, str]] = set()
        self.lines: list[Line] = []

    def recall_changes(self, since: Iterable[tuple[Level, datetime]]) -> None:
        """Read what changed at these levels after these moments; nearly always nothing did."""
        asked = {level.id: (level, moment) for level, moment in since if level.version and level.updated_at > moment}
        if not asked:
            return
        names = {
            "organization": self.organization.pk,
            "levels": list(asked),
            "moments": [moment for _, moment in asked.values()],
        }
        for level, *change in _rows(CHANGES_SINCE, names):
            asked[level][0].later.append((change[0], change[1]))

    def recall_entries(self, entries: Iterable[str], *, of: Integration | None) -> None:
        """Read which of these changes were reported before."""
        if wanted := [entry for entry in entries if entry]:
            levels = [level.id for level in self.levels.values()]
            names = {"organization": self.organization.pk, "levels": levels, "entries": wanted}
            self.seen.update(_rows(ENTRIES_SEEN, names | {"integration": of and of.pk}))

    def move(
        self,
        level: Level,
        numbers: Sequence[int],
        *,
        occurred_at: datetime,
        entry: str = "",
        is_count: bool = False,
        version: int | None = None,
        reported: int | None = None,
    ) -> None:
        """Give a level these four numbers, and note the line of the ledger that says so."""
        differences = [new - old for new, old in zip(numbers, level.numbers, strict=True)]
        level.on_hand, level.reserved, level.incoming, level.reserved_incoming = numbers
        level.version, level.updated_at = level.version + 1, self.now
        level.is_changed = level.is_moved = True
        if entry:
            self.seen.add((level.id, entry))
        if not is_count:
            level.later.append((occurred_at, differences[0] if reported is None else reported))
        self.lines.append(
            dict(zip(CHANGED, differences, strict=True))
            | dict(zip(NUMBERS, numbers, strict=True))
            | {
                "level": level.id,
                "sequence": level.version,
                "reported_change": reported,
                "is_count": is_count,
                "source_version": version,
                "entry": entry,
                "occurred_at": occurred_at.isoformat(),
            }
        )

    def write(self, by: By) -> None:
        """Levels that changed, their ledger, an event each, and that the platforms are to hear of it."""
        changed = [level for level in self.levels.values() if level.is_changed]
        if not changed:
            return
        names: dict[str, Any] = {
            "organization": self.organization.pk,
            "cause": by.cause,
            "actor": by.actor,
            "integration": by.integration and by.integration.pk,
            "reference": by.reference,
            "note": by.note,
            "now": self.now,
            "levels": json.dumps([_stored(level) for level in changed]),
            "lines": json.dumps(self.lines),
        }
        with connection.cursor() as cursor:
            cursor.execute(WRITE_LEVELS, names)
            if self.lines:
                cursor.execute(ENTER, names)
        if self.lines:
            owe(self.organization, {level.product for level in changed if level.is_moved})
        if rose := self._rose():
            stock_rose.send(Held, organization=self.organization.pk, products=rose)

    def _rose(self) -> set[int]:
        """Products of which more may be promised at some place than before."""
        more: Counter[int] = Counter()
        for line in self.lines:
            more[line["level"]] += line["on_hand_change"] - line["reserved_change"]
        return {level.product for level in self.levels.values() if more[level.id] > 0}


def hold(organization: Organization, places: Iterable[Place], *, adding: Iterable[Place] = ()) -> Held:
    """Lock the levels of these places. Those to be added, and not there yet, come to be at zero.

    A place whose product is not the organization's, or whose location is another's, has none.
    """
    with connection.cursor() as cursor:
        if added := set(adding):
            cursor.execute(ADD_LEVELS, {"organization": organization.pk, "places": _listed(added)})
        cursor.execute(LOCK_LEVELS, {"organization": organization.pk, "places": _listed(set(places))})
        levels = [Level(*row) for row in cursor.fetchall()]
    return Held(organization, levels, now())


def lock_locations(locations: Iterable[UUID]) -> None:
    """Counts of a location come one at a time: a complete one is not written down at each level it confirms."""
    with connection.cursor() as cursor:
        cursor.execute(LOCK_LOCATIONS, [sorted(set(locations))])


def _listed(places: Iterable[Place]) -> str:
    return json.dumps([{"product": product, "location": str(location)} for product, location in places])


def now() -> datetime:
    """By the database's clock: later than whatever was committed before the locks were had."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0]


def _rows(statement: str, names: dict[str, Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, names)
        return cursor.fetchall()


def _stored(level: Level) -> dict[str, Any]:
    return {name: _plain(getattr(level, name)) for name in STORED}


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


STORED = ("id", *NUMBERS, "missing", "version", "counted_version", "counted_at", "updated_at")
CHANGED = tuple(f"{name}_change" for name in NUMBERS)

PLACES = "json_to_recordset(%(places)s::json) AS place (product bigint, location uuid)"

ADD_LEVELS = f"""
INSERT INTO catalog_stocklevel (organization_id, product_id, location_id)
SELECT %(organization)s, product.id, location.id
FROM {PLACES}
JOIN catalog_product product ON product.id = place.product AND product.organization_id = %(organization)s
JOIN catalog_location location ON location.id = place.location
    AND (location.organization_id IS NULL OR location.organization_id = %(organization)s)
WHERE NOT EXISTS (
    SELECT FROM catalog_stocklevel level
    WHERE level.organization_id = %(organization)s AND level.product_id = place.product
      AND level.location_id = place.location
)
ORDER BY product.id, location.id
ON CONFLICT DO NOTHING
"""

LOCK_LOCATIONS = "SELECT FROM catalog_location WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE"

LOCK_LEVELS = f"""
SELECT level.id, level.product_id, level.location_id, {", ".join(f"level.{name}" for name in STORED[1:])},
       location.counted_version, location.counted_at
FROM {PLACES}
JOIN catalog_stocklevel level ON level.organization_id = %(organization)s
    AND level.product_id = place.product AND level.location_id = place.location
JOIN catalog_location location ON location.id = level.location_id
ORDER BY level.id
FOR NO KEY UPDATE OF level
"""

CHANGES_SINCE = """
SELECT movement.level_id, movement.occurred_at, COALESCE(movement.reported_change, movement.on_hand_change)
FROM unnest(%(levels)s::bigint[], %(moments)s::timestamptz[]) AS since (level, moment)
JOIN catalog_stockmovement movement ON movement.level_id = since.level AND movement.occurred_at > since.moment
WHERE movement.organization_id = %(organization)s AND NOT movement.is_count
"""

ENTRIES_SEEN = """
SELECT level_id, entry FROM catalog_stockmovement
WHERE organization_id = %(organization)s AND level_id = ANY(%(levels)s) AND entry = ANY(%(entries)s)
  AND integration_id IS NOT DISTINCT FROM %(integration)s
"""

WRITE_LEVELS = f"""
UPDATE catalog_stocklevel level
SET {", ".join(f"{name} = new.{name}" for name in STORED[1:])}
FROM json_to_recordset(%(levels)s::json) AS new (
    id bigint, on_hand integer, reserved integer, incoming integer, reserved_incoming integer, missing bigint,
    version bigint, counted_version bigint, counted_at timestamptz, updated_at timestamptz
)
WHERE level.id = new.id
"""

# `line` has the changes, `deed` who made them, and when. A movement and its event have the same sequence: the version
# of the level after it (behaviour 64).
ENTERED = f"""
entered AS (
    INSERT INTO catalog_stockmovement (
        organization_id, level_id, sequence, cause, {", ".join((*CHANGED, *NUMBERS))}, reported_change, is_count,
        source_version, reference, entry, integration_id, actor, note, occurred_at, created_at
    )
    SELECT deed.organization, level, sequence, deed.cause, {", ".join((*CHANGED, *NUMBERS))}, reported_change, is_count,
           source_version, deed.reference, entry, deed.integration, deed.actor, deed.note, occurred_at, deed.now
    FROM line, deed ORDER BY level, sequence
), happened AS (
    INSERT INTO webhooks_event (organization_id, type, entity, entity_id, sequence, data)
    SELECT deed.organization, 'stock.changed', 'stock_level', line.level::text, line.sequence, jsonb_build_object(
               'product_id', level.product_id, 'sku', product.sku, 'name', product.name,
               'location_id', level.location_id, 'location_name', location.name, 'location_kind', location.kind,
               'in_stock', line.on_hand, 'reserved', line.reserved, 'available', line.on_hand - line.reserved,
               'incoming', line.incoming, 'cause', deed.cause, 'change', line.on_hand_change
           )
    FROM deed, line
    JOIN catalog_stocklevel level ON level.id = line.level
    JOIN catalog_product product ON product.id = level.product_id
    JOIN catalog_location location ON location.id = level.location_id
    ORDER BY line.level, line.sequence
)"""
ENTER = f"""
WITH line AS MATERIALIZED (
    SELECT * FROM json_to_recordset(%(lines)s::json) AS line (
        level bigint, sequence bigint, {", ".join(f"{name} integer" for name in (*CHANGED, *NUMBERS))},
        reported_change integer, is_count boolean, source_version bigint, entry text, occurred_at timestamptz
    )
), deed AS MATERIALIZED (
    SELECT %(organization)s::uuid AS organization, %(cause)s::text AS cause, %(actor)s::text AS actor,
           %(integration)s::uuid AS integration, %(reference)s::text AS reference, %(note)s::text AS note,
           %(now)s::timestamptz AS now
), {ENTERED}
SELECT
"""
