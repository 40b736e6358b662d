"""What nobody asks about any more is taken away: in slices, so that nobody waits, and along the primary keys.

Ids grow with time. So the oldest rows come first, and where a slice holds none that are old the walk ends; the busiest
tables need no index for it.
"""

from typing import Any

from django.db import connection

from .models.endpoints import KEPT

EVENTS_KEPT, NOTICES_KEPT = "90 days", "90 days"
SLICE = 5_000

# With what was tried. What is still to be sent stays, however old it is.
DELIVERIES = """
WITH slice AS MATERIALIZED (
    SELECT id, state, finished_at, created_at FROM webhooks_delivery WHERE id > %(after)s ORDER BY id LIMIT %(most)s
), gone AS (
    DELETE FROM webhooks_delivery delivery USING slice
    WHERE delivery.id = slice.id AND delivery.state IN ('delivered', 'failed', 'dropped')
      AND coalesce(delivery.finished_at, delivery.created_at) < now() - %(kept)s::interval
    RETURNING delivery.id
), tries AS (
    DELETE FROM webhooks_attempt attempt USING gone WHERE attempt.delivery_id = gone.id
)
SELECT (SELECT count(*) FROM gone), max(id), bool_or(created_at < now() - %(kept)s::interval) FROM slice
"""
# The events of connections and integrations are numbered on from their newest; others from what they are about.
EVENTS = """
WITH slice AS MATERIALIZED (
    SELECT * FROM webhooks_event WHERE id > %(after)s ORDER BY id LIMIT %(most)s
), gone AS (
    DELETE FROM webhooks_event event USING slice
    WHERE event.id = slice.id AND slice.created_at < now() - %(kept)s::interval
      AND NOT EXISTS (SELECT FROM webhooks_outgoing outgoing WHERE outgoing.event_id = slice.id)
      AND NOT EXISTS (
          SELECT FROM webhooks_hook hook
          JOIN webhooks_delivery delivery ON delivery.hook_id = hook.id AND delivery.event_id = slice.id
          WHERE hook.organization_id = slice.organization_id AND hook.source = slice.type
      )
      AND (slice.entity NOT IN ('connection', 'integration') OR EXISTS (
          SELECT FROM webhooks_event newer
          WHERE newer.organization_id = slice.organization_id AND newer.entity = slice.entity
            AND newer.entity_id = slice.entity_id AND newer.sequence > slice.sequence
      ))
    RETURNING event.id
)
SELECT (SELECT count(*) FROM gone), max(id), bool_or(created_at < now() - %(kept)s::interval) FROM slice
"""
# A hook and an endpoint that somebody took away stay as long as the log tells of them.
HOOKS = """
DELETE FROM webhooks_hook hook
WHERE deleted_at < now() - %(kept)s::interval
  AND NOT EXISTS (SELECT FROM webhooks_delivery delivery WHERE delivery.hook_id = hook.id)
"""
ENDPOINTS = """
WITH gone AS MATERIALIZED (
    SELECT id FROM webhooks_endpoint endpoint
    WHERE deleted_at < now() - %(kept)s::interval
      AND NOT EXISTS (SELECT FROM webhooks_hook hook WHERE hook.endpoint_id = endpoint.id)
      AND NOT EXISTS (SELECT FROM webhooks_delivery WHERE endpoint_id = endpoint.id AND state = 'pending')
      AND NOT EXISTS (SELECT FROM webhooks_delivery WHERE endpoint_id = endpoint.id AND state = 'waiting')
      AND NOT EXISTS (SELECT FROM webhooks_delivery WHERE endpoint_id = endpoint.id AND state = 'behind')
), notices AS (
    DELETE FROM webhooks_notice USING gone WHERE endpoint_id = gone.id
), secrets AS (
    DELETE FROM webhooks_signingsecret USING gone WHERE endpoint_id = gone.id
)
DELETE FROM webhooks_endpoint USING gone WHERE webhooks_endpoint.id = gone.id
"""
SECRETS = "DELETE FROM webhooks_signingsecret WHERE not_after < now()"
# While an endpoint fails, its notices keep it from being told of again.
NOTICES = """
DELETE FROM webhooks_notice notice USING webhooks_endpoint endpoint
WHERE endpoint.id = notice.endpoint_id AND notice.created_at < now() - %(kept)s::interval
  AND (endpoint.failing_since IS NULL OR notice.created_at < endpoint.failing_since)
"""


def forget() -> int:
    """Returns how many deliveries and events went."""
    gone = _walk(DELIVERIES, kept=KEPT) + _walk(EVENTS, kept=EVENTS_KEPT)
    with connection.cursor() as cursor:
        cursor.execute(SECRETS)
        for statement, kept in [(NOTICES, NOTICES_KEPT), (HOOKS, KEPT), (ENDPOINTS, KEPT)]:
            cursor.execute(statement, _kept(kept))
    return gone


def _kept(kept: Any) -> dict[str, Any]:
    return {"kept": kept}


def _walk(statement: str, *, kept: Any) -> int:
    """Slice by slice, until one holds nothing that is old."""
    gone, after, goes_on = 0, 0, True
    while goes_on:
        with connection.cursor() as cursor:
            cursor.execute(statement, {"after": after, "most": SLICE, "kept": kept})
            count, after, goes_on = cursor.fetchone()
        gone += count
    return gone
