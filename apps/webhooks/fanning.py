"""Giving what happened to everybody who asked for it: from events that go out to deliveries, many with few statements.

One at a time does this, in the order in which it happened, so that of one entity nothing overtakes.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from django.db import DataError, IntegrityError, OperationalError, connection, transaction
from django.db.backends.utils import CursorWrapper

from apps.prepared import Statement, array

from .audiences import AUDIENCES, DESCRIPTIONS
from .filtering import passes

log = structlog.get_logger(__name__)

type Outgoing = tuple[Any, ...]  # an event: its id, entity and entity's id, and whether a filter is asked about it

BATCH = 500
ALONE = 6_100_061  # the key of the advisory lock
LOOKS = 5  # at hooks that change while something is written for them


@dataclass(frozen=True, slots=True)
class Fanned:
    """How many `events` were handed out, and to which endpoints, each with how often it was `rung` by now. `is_all`:
    there were no others to be handed out."""

    events: int
    rung: dict[str, int]
    is_all: bool


NOTHING = Fanned(0, {}, is_all=True)


def fan_out(served: Collection[str] = (), *, most: int = BATCH) -> Fanned:
    """Write the deliveries of the oldest events that go out. Other dispatchers hear of it, but for endpoints that are
    `served` by whoever asks.

    Of none when there were none, and also while somebody else is at it. One event that cannot be read keeps no other
    back: it goes to nobody, and is logged. Hooks that moved or went since they were seen (the database refuses what
    was meant for them) are looked at anew.
    """
    for _ in range(LOOKS):
        try:
            return _readable(served, most)
        except IntegrityError as error:
            log.warning("hooks changed as events were handed out", reason=str(error)[:200])
    return NOTHING


def _readable(served: Collection[str], most: int) -> Fanned:
    try:
        return _many(served, most)
    except DataError:
        return _one()


def _many(served: Collection[str], most: int) -> Fanned:
    if (plain := _plainly(served, most)) is not None:
        return plain
    with transaction.atomic(), connection.cursor() as cursor:
        events = _oldest(cursor, most)
        return _hand_out(cursor, events, is_all=len(events) < most) if events else NOTHING


def _one() -> Fanned:
    """The oldest by itself. When it is what cannot be read it is left out, before anybody else can look at it."""
    with transaction.atomic(), connection.cursor() as cursor:
        events = _oldest(cursor, 1)
        try:
            with transaction.atomic():
                return _hand_out(cursor, events, is_all=False) if events else NOTHING
        except DataError:
            log.exception("an event cannot go out", outgoing=events[0][0])
            cursor.execute("DELETE FROM webhooks_outgoing WHERE event_id = %s", [events[0][0]])
            return Fanned(1, {}, is_all=False)


def _oldest(cursor: CursorWrapper, most: int) -> Sequence[Outgoing]:
    """None while somebody else is at it; until the transaction ends, nobody else is."""
    cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [ALONE])
    [(is_ours,)] = cursor.fetchall()
    return OLDEST.ask({"most": most}) if is_ours else []


def _plainly(served: Collection[str], most: int) -> Fanned | None:
    """Those before the first that wants more than one statement, in one; None when that is the first of all."""
    values = {"lock": ALONE, "most": most, "described": array(DESCRIPTIONS), "served": array(served)}
    parts = (PLAIN, ",", wanted("SELECT id FROM plain"), MADE.format(passing=""), PLAINLY)
    found = Statement.of(" ".join(parts)).ask(values)
    events, others, *_ = found[0]
    if others and not events:
        return None
    return Fanned(events, {pk: rung for _, _, pk, rung, _ in found if pk}, is_all=not others and events < most)


def _hand_out(cursor: CursorWrapper, events: Sequence[Outgoing], *, is_all: bool) -> Fanned:
    _describe(cursor, events)
    ids = [event[0] for event in events]
    passing = _passing(cursor, ids) if any(event[3] for event in events) else []
    return Fanned(len(events), _owe(ids, passing), is_all=is_all)


def _describe(cursor: CursorWrapper, events: Sequence[Outgoing]) -> None:
    """Add to their data what their rooms say of them now: whenever they are told, they say the same."""
    wanted: dict[str, set[str]] = defaultdict(set)
    for _, entity, entity_id, _ in events:
        wanted[entity].add(entity_id)
    said = [
        {"entity": entity, "entity_id": entity_id, "data": data}
        for entity in wanted.keys() & DESCRIPTIONS
        for entity_id, data in _said_of(entity, wanted[entity]).items()
    ]
    if said:
        cursor.execute(DESCRIBE, [json.dumps(said, default=str), [event[0] for event in events]])


def _said_of(entity: str, ids: Collection[str]) -> Mapping[str, dict[str, Any]]:
    """A room that breaks down says nothing; what its events say themselves goes out all the same."""
    try:
        with transaction.atomic():
            return DESCRIPTIONS[entity](ids)
    except OperationalError:
        raise
    except Exception:
        log.exception("events could not be described", entity=entity)
        return {}


def _passing(cursor: CursorWrapper, events: Sequence[int]) -> list[tuple[int, Any]]:
    """Events and the hooks whose filters they pass."""
    cursor.execute(f"WITH {wanted(GIVEN)} {FILTERED}", {"events": list(events)})
    return [
        (event, hook)
        for event, hook, filter, data in cursor.fetchall()
        if passes(json.loads(filter), json.loads(data or "{}"))
    ]


def _owe(events: Sequence[int], passing: Sequence[tuple[int, Any]]) -> dict[str, int]:
    """All deliveries of these events, in one statement, since their ids are the order in which they go out. Returns the
    endpoints they go to, each with how often it was rung by now."""
    passed, hooks = zip(*passing, strict=True) if passing else ((), ())
    given = {"events": array(events), "passed": array(passed), "hooks": array(hooks)}
    owing = Statement.of(" ".join(["WITH", wanted(GIVEN), MADE.format(passing=PASSED), TELL]))
    return {pk: rung for pk, rung, _ in owing.ask(given)}


def wanted(events: str) -> str:
    """Parts of a WITH: `wanted` has these events (an SQL of their ids) and the hooks that may hear of them, whatever
    their filters."""
    rooms = [
        f"(WITH happened AS MATERIALIZED (SELECT * FROM told WHERE entity = '{entity}') {sql})"  # noqa: S608 - both are written in our code
        for entity, sql in AUDIENCES.items()
    ]
    return WANTED.replace("{events}", events).replace("{heard}", " UNION ALL ".join(rooms) or NOBODY)


# Id, entity and its id of each, and whether a filter is asked about it.
OLDEST = Statement.of("""
SELECT event.id, event.entity, event.entity_id, EXISTS (
    SELECT FROM webhooks_hook hook
    WHERE hook.organization_id = event.organization_id AND hook.source = event.type AND hook.deleted_at IS NULL
      AND hook.filter <> '[]'
)
FROM (SELECT event_id FROM webhooks_outgoing ORDER BY event_id LIMIT %(most)s::integer) outgoing
JOIN webhooks_event event ON event.id = outgoing.event_id
ORDER BY event.id
""")

# What was written with the event wins over what is so now.
DESCRIBE = """
UPDATE webhooks_event event SET data = said.data || COALESCE(event.data, '{}')
FROM json_to_recordset(%s::json) AS said (entity text, entity_id text, data jsonb)
WHERE event.id = ANY(%s) AND event.entity = said.entity AND event.entity_id = said.entity_id
"""

NOBODY = "SELECT NULL::bigint, NULL::uuid, NULL::uuid WHERE false"
GIVEN = "SELECT unnest(%(events)s::bigint[])"
WANTED = """
told AS MATERIALIZED (
    SELECT id AS event_id, organization_id, type, entity, entity_id, data FROM webhooks_event
    WHERE id = ANY(ARRAY({events}))
), asked AS MATERIALIZED (
    SELECT told.event_id, told.entity, told.entity_id, told.data, hook.id AS hook_id, hook.organization_id,
           hook.endpoint_id, hook.shop_id, hook.integration_id, hook.filter,
           hook.shop_id IS NULL AND (hook.integration_id IS NULL OR integration.org_wide_access) AS hears_all
    FROM told
    JOIN webhooks_hook hook
      ON hook.organization_id = told.organization_id AND hook.source = told.type AND hook.deleted_at IS NULL
    LEFT JOIN integrations_integration integration ON integration.id = hook.integration_id
    LEFT JOIN shops_shop shop ON shop.id = hook.shop_id
    LEFT JOIN integrations_authorization consent ON consent.id = shop.authorization_id
    WHERE shop.is_active IS NOT FALSE AND consent.revoked_at IS NULL
      AND (integration.id IS NULL OR (integration.deleted_at IS NULL AND integration.grants ? hook.grant))
), heard (event_id, shop_id, integration_id) AS MATERIALIZED ({heard}), wanted AS (
    SELECT event_id, hook_id FROM asked WHERE hears_all
    UNION
    SELECT event_id, hook_id FROM asked JOIN heard USING (event_id, shop_id)
    UNION
    SELECT event_id, hook_id FROM asked JOIN heard USING (event_id, integration_id)
    WHERE asked.shop_id IS NULL
)
"""
FILTERED = """
SELECT event_id, hook_id, filter::text, data::text FROM asked JOIN wanted USING (event_id, hook_id) WHERE filter <> '[]'
"""
# An endpoint that fails is left in peace until its next probe.
MADE = """, made AS (
    INSERT INTO webhooks_delivery (organization_id, endpoint_id, hook_id, event_id, lane, state, tries, error)
    SELECT organization_id, endpoint_id, hook_id, event_id, entity || ':' || entity_id, 'pending', 0, ''
    FROM asked JOIN wanted USING (event_id, hook_id)
    WHERE filter = '[]' {passing}
    ORDER BY event_id
    ON CONFLICT DO NOTHING
    RETURNING endpoint_id
), gone AS (
    DELETE FROM webhooks_outgoing WHERE event_id = ANY(ARRAY(SELECT event_id FROM told))
), locked AS (
    SELECT id FROM webhooks_endpoint WHERE id IN (SELECT endpoint_id FROM made) ORDER BY id FOR NO KEY UPDATE
), rung AS (
    UPDATE webhooks_endpoint endpoint
    SET rung = rung + 1, due_at = CASE WHEN probe_at > now() THEN probe_at ELSE LEAST(due_at, now()) END
    FROM locked WHERE endpoint.id = locked.id
    RETURNING endpoint.id, endpoint.rung
)
"""
PASSED = "OR (event_id, hook_id) IN (SELECT * FROM unnest(%(passed)s::bigint[], %(hooks)s::uuid[]))"
TELL = "SELECT id::text, rung, pg_notify('crossdock_endpoints', '') FROM rung"

# What was seen before the lock was had may have gone out already: its deliveries are there, and not made again.
PLAIN = """
WITH turn AS MATERIALIZED (
    SELECT pg_try_advisory_xact_lock(%(lock)s::bigint) AS is_ours
), oldest AS MATERIALIZED (
    SELECT event.id, event.entity = ANY(%(described)s::text[]) OR EXISTS (
        SELECT FROM webhooks_hook hook
        WHERE hook.organization_id = event.organization_id AND hook.source = event.type AND hook.deleted_at IS NULL
          AND hook.filter <> '[]'
    ) AS wants_more
    FROM webhooks_event event WHERE event.id = ANY(ARRAY(
        SELECT event_id FROM turn, webhooks_outgoing WHERE turn.is_ours ORDER BY event_id LIMIT %(most)s::integer
    ))
), plain AS MATERIALIZED (
    SELECT id FROM oldest WHERE id < COALESCE((SELECT min(id) FROM oldest WHERE wants_more), 9223372036854775807)
)"""
# To tell of a commit is to commit alone: PostgreSQL lets those that do so pass one after the other.
PLAINLY = """
SELECT told.events, seen.events - told.events, rung.id::text, rung.rung,
       CASE WHEN rung.id IS NOT NULL AND rung.id <> ALL(%(served)s::uuid[])
            THEN pg_notify('crossdock_endpoints', '')::text END
FROM (SELECT count(*) AS events FROM oldest) seen, (SELECT count(*) AS events FROM plain) told LEFT JOIN rung ON true
"""
