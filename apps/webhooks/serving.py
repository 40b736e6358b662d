"""What a dispatcher asks the database, and tells it: who is served by whom, what is to be sent, what came of it.

An endpoint is served by one dispatcher at a time. It leases it, renews that long before it runs out, and does not send
with a lease about to end; whoever lost one cannot record any more, by the fence. All for many endpoints at once.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

import structlog
from django.db import connection, transaction
from django.db.models import Prefetch

from apps.encrypted import CannotOpen
from apps.prepared import array

from . import signing, statements
from .health import Health
from .models import CANNOT_OPEN, Endpoint, SigningSecret

log = structlog.get_logger(__name__)

LEASE_SECONDS = 30.0
MOST_SERVED = 1000
DISPATCHERS = 6_100_062  # the key of the advisory lock that every dispatcher shares


@dataclass(frozen=True, slots=True)
class Facts:
    """Where messages to an endpoint go, and how they are signed. `keys` are bytes and until when (seconds since 1970)
    each signs, None for ever."""

    url: str
    format: str
    keys: tuple[tuple[bytes, float | None], ...]
    headers: dict[str, str]
    pios_secret: str
    changed_at: datetime


@dataclass(slots=True)
class Claimed:
    """An endpoint that is ours to serve. `stalled` are the lanes whose first delivery waits for its next try."""

    id: str
    fence: int
    rung: int
    facts: Facts
    health: Health
    stalled: set[str]


class Wanted(NamedTuple):
    """How many deliveries of an endpoint to load, after which id, and whether to look for those to be tried again."""

    endpoint: str
    fence: int
    after: int
    room: int
    retries: bool


class Loaded(NamedTuple):
    """A delivery to be sent, with the event it is of, and whether its owner may hear of that."""

    id: int
    endpoint: str
    lane: str
    is_retry: bool
    tries: int
    first_tried: float | None
    event: str
    type: str
    entity: str
    entity_id: str
    sequence: int
    happened_at: datetime
    data: str
    shop: str | None
    ext_shop: str | None
    is_allowed: bool


@dataclass(frozen=True, slots=True)
class Looked:
    """What is new about an endpoint that we serve."""

    id: str
    rung: int
    changed_at: datetime
    is_servable: bool


def enter() -> None:
    """Count this connection among the dispatchers, until it ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock_shared(%s)", [DISPATCHERS])


def claim(held: int) -> tuple[list[Claimed], int]:
    """Lease endpoints that have something to be sent, the longest waiting first, up to our share of all that have.

    `held` is how many we serve already. Returns them and our share. One whose secrets cannot be opened is not among
    them, and says so: nobody looks at it again before its lease has run out.
    """
    with connection.cursor() as cursor:
        [(share,)] = statements.SHARE.ask({"dispatchers": DISPATCHERS})
        share = min(share, MOST_SERVED)
        if share <= held:
            return [], share
        cursor.execute(statements.CLAIM, [share - held, LEASE_SECONDS])
        rows = cursor.fetchall()
        if not rows:
            return [], share
        ids = [row[0] for row in rows]
        cursor.execute(statements.UNSTALL, [ids, ids])
        cursor.execute(statements.STALLED, [ids])
        stalled: dict[str, set[str]] = {str(pk): set() for pk in ids}
        for pk, lane in cursor.fetchall():
            stalled[str(pk)].add(lane)
        facts = facts_of(ids)
        unopened = [pk for pk in ids if str(pk) not in facts]
        cursor.execute(statements.OPENED, {"ids": ids, "unopened": unopened, "code": CANNOT_OPEN})
    return [_claimed(row, facts[str(row[0])], stalled[str(row[0])]) for row in rows if str(row[0]) in facts], share


def _claimed(row: Sequence[Any], facts: Facts, stalled: set[str]) -> Claimed:
    pk, fence, rung, state, reason, failures, failing_since, probe_at, resumes, noticed = row
    health = Health(state, reason, failures, failing_since, probe_at, resumes, set(noticed))
    return Claimed(str(pk), fence, rung, facts, health, stalled)


def facts_of(ids: Iterable[Any]) -> dict[str, Facts]:
    """By the endpoint's id, without those whose secrets cannot be opened: these are logged."""
    rows = Endpoint.objects.filter(pk__in=list(ids)).select_related("integration__partner")
    found = {}
    for row in rows.prefetch_related(Prefetch("signing_secrets", SigningSecret.objects.live())):
        try:
            found[str(row.pk)] = _facts(row)
        except (CannotOpen, KeyError, ValueError) as error:
            log.error("an endpoint's secrets cannot be opened", endpoint=str(row.pk), reason=repr(error))
    return found


def _facts(endpoint: Endpoint) -> Facts:
    partner = endpoint.integration and endpoint.integration.partner
    return Facts(
        url=endpoint.url,
        format=endpoint.format,
        keys=tuple(
            (signing.key_bytes(one.secrets["key"]), one.not_after.timestamp() if one.not_after else None)
            for one in endpoint.signing_secrets.all()
        ),
        headers=endpoint.secrets.get("headers", {}) if endpoint.sealed else {},
        pios_secret=partner.secrets["client_secret"] if partner and endpoint.format == Endpoint.Format.PIO else "",
        changed_at=endpoint.updated_at,
    )


def load(wanted: Sequence[Wanted]) -> list[Loaded]:
    """What is to be sent next, in the order of the ids. Nothing of an endpoint that somebody has just paused."""
    return [Loaded._make(row) for row in statements.LOAD.ask(_columns(Wanted._fields, wanted))]


def _columns(names: Sequence[str], rows: Sequence[Iterable[Any]]) -> dict[str, str]:
    """An array of each column, by its name; of no rows, no columns."""
    return {name: array(column) for name, column in zip(names, zip(*rows, strict=True), strict=bool(rows))}


def look(ids: Sequence[str]) -> list[Looked]:
    with connection.cursor() as cursor:
        cursor.execute(statements.LOOK, [list(ids)])
        return [Looked(*row) for row in cursor.fetchall()]


def renew(held: Sequence[tuple[str, int]]) -> set[str]:
    """Go on serving these (id, fence). Returns those that are still ours."""
    ids, fences = zip(*held, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(statements.RENEW, [list(ids), list(fences), LEASE_SECONDS])
        return {pk for (pk,) in cursor.fetchall()}


def release(held: Sequence[tuple[str, int, int]]) -> set[str]:
    """Serve these (id, fence, rung) no more. Those that were rung for meanwhile stay ours; returns the others."""
    ids, fences, rungs = zip(*held, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(statements.RELEASE, [list(ids), list(fences), list(rungs)])
        return {pk for (pk,) in cursor.fetchall()}


class Arrived(NamedTuple):
    """A delivery that was taken at once, with nothing said about it: `started_at` in seconds since 1970."""

    delivery: int
    tries: int
    status: int
    started_at: float
    milliseconds: int


class Behind(NamedTuple):
    """A delivery that stands behind another in its lane."""

    delivery: int
    endpoint: str
    fence: int


@dataclass(slots=True)
class Record:
    """What came of a while's work, to be written down in one transaction.

    `held` are the endpoints (id, fence) it is about, `results` rows for RESULTS, `moved_on` (endpoint, lane) whose
    first delivery came to its end, `healths` (id, fence, health).
    """

    held: list[tuple[str, int]]
    arrived: list[Arrived] = field(default_factory=list)
    results: list[dict[str, Any]] = field(default_factory=list)
    behind: list[Behind] = field(default_factory=list)
    moved_on: list[tuple[str, str]] = field(default_factory=list)
    healths: list[tuple[str, int, Health]] = field(default_factory=list)


def write(record: Record) -> None:
    """Attempts, deliveries, the endpoints' health and the notices about it stand or fall together."""
    with transaction.atomic(), connection.cursor() as cursor:
        held = _columns(("held", "fences"), record.held)
        if record.results or record.behind or record.healths:
            cursor.execute(statements.LOCK, [[pk for pk, _ in record.held] + [one.endpoint for one in record.behind]])
        if record.arrived:
            statements.ARRIVED.ask(held | _columns(Arrived._fields, record.arrived))
        if record.results:
            cursor.execute(statements.RESULTS, held | {"results": json.dumps(record.results)})
        if record.behind:
            cursor.execute(statements.BEHIND, [array(column) for column in zip(*record.behind, strict=True)])
        if record.moved_on:
            endpoints, lanes = zip(*record.moved_on, strict=True)
            cursor.execute(statements.MOVE_ON, [list(endpoints), list(lanes)])
        for pk, fence, health in sorted(record.healths, key=lambda one: one[0]):
            _write_health(cursor, pk, fence, health)


def _write_health(cursor: Any, pk: str, fence: int, health: Health) -> None:
    """The state only where we decided on it: a person may have paused it meanwhile."""
    values = {
        "id": pk,
        "fence": fence,
        "failures": health.failures,
        "failing_since": health.failing_since,
        "probe_at": health.probe_at,
        "resumes": health.resumes,
        "error": health.last_error,
        "succeeded_at": health.succeeded_at,
        "state": health.state,
        "reason": health.reason,
        "turned": health.has_turned,
    }
    cursor.execute(statements.HEALTH, values)
    for stage in health.notices:
        cursor.execute(statements.NOTICE, values | {"stage": stage})
