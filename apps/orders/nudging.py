"""Telling orders that what they wait for has changed. Who changes it only adds a row, and never waits for an order.

An order rests only after a look that found it waiting as it was written down before (`sorting`): so a change is either
seen by that look, or its row is heeded after what the order waits for was written.
"""

from collections.abc import Iterable
from typing import Any

from django.db import connection, transaction

from apps.prepared import Statement

from .models import Hindrance
from .ringing import ring

MOST = 500  # rows of one change; more are one for all of their kind
AT_ONCE = 1_000
ALL = ""


def nudge(organization: Any, code: str, refs: Iterable[Any] = (ALL,)) -> None:
    """What hindrances of this code and these refs are about has changed in an organization (by id), or of all of it.

    Inside the transaction of the change.
    """
    named = sorted({str(ref)[:255] for ref in refs})
    named = [ALL] if len(named) > MOST else named
    if named:
        with connection.cursor() as cursor:
            cursor.execute(NUDGE, [organization, code, named])
        transaction.on_commit(ring, robust=True)


def nudging(code: str, refs: str) -> Statement:
    """What `nudge` does, as a statement of an %(organization)s; `refs` is an SQL of an array. Then `ring`."""
    return Statement.of(NUDGE_OF.format(code=code, refs=refs))


def nudge_everybody(*codes: str) -> None:
    """What orders of any organization may wait for has changed."""
    with connection.cursor() as cursor:
        cursor.execute(NUDGE_EVERYBODY, [list(codes)])
    transaction.on_commit(ring, robust=True)


@transaction.atomic
def heed() -> set[Any]:
    """Make due whatever waits for what changed, the most urgent first, then the oldest.

    Returns the organizations (ids) whose rules changed.
    """
    with connection.cursor() as cursor:
        cursor.execute(TAKE, [AT_ONCE])
        if taken := cursor.fetchall():
            organizations, codes, refs = (list(column) for column in zip(*taken, strict=True))
            cursor.execute(WAKE, {"organizations": organizations, "codes": codes, "refs": refs})
    return {organization for organization, code, _ref in taken if code == Hindrance.Code.BLOCKED}


NUDGE = "INSERT INTO orders_nudge (organization_id, code, ref) SELECT %s, %s, unnest(%s::text[])"
NUDGE_OF = """
INSERT INTO orders_nudge (organization_id, code, ref)
SELECT %(organization)s::uuid, '{code}', ref::text FROM unnest({refs}) AS ref ORDER BY ref::text
"""
NUDGE_EVERYBODY = """
INSERT INTO orders_nudge (organization_id, code, ref)
SELECT id, code, '' FROM accounts_organization, unnest(%s::text[]) AS code WHERE is_active
"""

TAKE = """
WITH chosen AS (SELECT id FROM orders_nudge ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED)
DELETE FROM orders_nudge WHERE id IN (SELECT id FROM chosen) RETURNING organization_id, code, ref
"""

# A SKU stands for its partners in pairs, too. Who is due already is due anew: a look at work may not have seen it.
WAKE = """
WITH told AS MATERIALIZED (
    SELECT DISTINCT organization, code, ref
    FROM unnest(%(organizations)s::uuid[], %(codes)s::text[], %(refs)s::text[]) AS told (organization, code, ref)
), meant AS MATERIALIZED (
    SELECT organization, code, ref FROM told WHERE ref <> ''
    UNION
    SELECT organization, code, CASE WHEN pair.first = ref THEN pair.second ELSE pair.first END
    FROM told JOIN catalog_skupair pair ON pair.organization_id = organization AND ref IN (pair.first, pair.second)
    WHERE code = 'unknown_sku' AND ref <> ''
), waiting AS (
    SELECT h.order_id FROM meant
    JOIN orders_hindrance h ON h.organization_id = organization AND h.code = meant.code AND h.ref = meant.ref
    UNION
    SELECT h.order_id FROM told JOIN orders_hindrance h ON h.organization_id = organization AND h.code = told.code
    WHERE told.ref = ''
), locked AS MATERIALIZED (
    SELECT id, priority FROM orders_order WHERE id IN (SELECT order_id FROM waiting) AND cancelled_at IS NULL
    ORDER BY id FOR NO KEY UPDATE
), ranked AS (
    SELECT id, row_number() OVER (ORDER BY priority, id DESC) AS rank FROM locked
)
UPDATE orders_order SET due_at = clock_timestamp() - rank * interval '1 microsecond'
FROM ranked WHERE orders_order.id = ranked.id
"""
