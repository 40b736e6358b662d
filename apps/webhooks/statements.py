"""The statements of `serving`, each about many endpoints or deliveries at once."""

from apps.prepared import Statement

SERVABLE = """
    endpoint.deleted_at IS NULL
    AND (endpoint.state = 'active' OR (endpoint.state = 'disabled' AND endpoint.reason = 'failing'))
    AND organization.is_active AND integration.state IS DISTINCT FROM 'disabled'
    AND integration.deleted_at IS NULL AND shop.is_active IS NOT FALSE AND consent.revoked_at IS NULL
"""
# Each dispatcher's part of the endpoints that are served, or should be.
SHARE = Statement.of("""
SELECT ceil((SELECT count(*) FROM webhooks_endpoint WHERE due_at <= now())
            / GREATEST((SELECT count(DISTINCT pid) FROM pg_locks
                        WHERE locktype = 'advisory' AND classid = 0 AND objid = %(dispatchers)s::bigint AND granted
                          AND database = (SELECT oid FROM pg_database WHERE datname = current_database())), 1)::float
       )::integer
""")
CLAIM = """
WITH due AS (
    SELECT endpoint.id FROM webhooks_endpoint endpoint
    JOIN accounts_organization organization ON organization.id = endpoint.organization_id
    LEFT JOIN integrations_integration integration ON integration.id = endpoint.integration_id
    LEFT JOIN shops_shop shop ON shop.id = endpoint.shop_id
    LEFT JOIN integrations_authorization consent ON consent.id = shop.authorization_id
    WHERE endpoint.due_at <= now() AND (endpoint.lease_until IS NULL OR endpoint.lease_until < now()) AND {servable}
    ORDER BY endpoint.due_at LIMIT %s FOR NO KEY UPDATE OF endpoint SKIP LOCKED
)
UPDATE webhooks_endpoint endpoint SET lease_until = now() + %s * interval '1 second', fence = fence + 1
FROM due WHERE endpoint.id = due.id
RETURNING endpoint.id, endpoint.fence, endpoint.rung, endpoint.state, endpoint.reason, endpoint.failures,
          extract(epoch FROM endpoint.failing_since)::float8, extract(epoch FROM endpoint.probe_at)::float8,
          endpoint.resumes, ARRAY(
              SELECT stage FROM webhooks_notice notice
              WHERE notice.endpoint_id = endpoint.id AND notice.created_at >= endpoint.failing_since
          )
""".replace("{servable}", SERVABLE)
STALLED = "SELECT endpoint_id, lane FROM webhooks_delivery WHERE endpoint_id = ANY(%s) AND state = 'waiting'"
# Nobody is behind one that has come to its end without us: a person dropped it, or sent it anew.
UNSTALL = """
UPDATE webhooks_delivery delivery SET state = 'pending'
WHERE endpoint_id = ANY(%s) AND state = 'behind' AND (endpoint_id, lane) NOT IN (
    SELECT endpoint_id, lane FROM webhooks_delivery WHERE endpoint_id = ANY(%s) AND state = 'waiting'
)
"""
# Whether the secrets of those just leased can be opened.
OPENED = """
UPDATE webhooks_endpoint SET last_error = CASE WHEN id = ANY(%(unopened)s::uuid[]) THEN %(code)s ELSE '' END
WHERE id = ANY(%(ids)s::uuid[]) AND (last_error = %(code)s) <> (id = ANY(%(unopened)s::uuid[]))
"""
LOAD = Statement.of("""
SELECT delivery.id, delivery.endpoint_id::text, delivery.lane, delivery.state = 'waiting', delivery.tries,
       extract(epoch FROM delivery.first_tried_at)::float8, hook.event, event.type, event.entity, event.entity_id,
       event.sequence, event.created_at, COALESCE(event.data::text, '{}'), shop.id::text, shop.ext_shop_id,
       integration.id IS NULL OR integration.grants ? hook.grant
FROM unnest(%(endpoint)s::uuid[], %(fence)s::bigint[], %(after)s::bigint[], %(room)s::integer[], %(retries)s::boolean[])
     AS wanted (endpoint, fence, after, room, retries)
JOIN webhooks_endpoint endpoint
  ON endpoint.id = wanted.endpoint AND endpoint.fence = wanted.fence
 AND endpoint.state <> 'paused' AND endpoint.reason <> 'gone'
CROSS JOIN LATERAL (
    (SELECT * FROM webhooks_delivery WHERE endpoint_id = wanted.endpoint AND state = 'pending' AND id > wanted.after
     ORDER BY id LIMIT wanted.room)
    UNION ALL
    (SELECT * FROM webhooks_delivery WHERE wanted.retries AND endpoint_id = wanted.endpoint AND state = 'waiting'
       AND next_attempt_at <= now() ORDER BY next_attempt_at LIMIT wanted.room)
) delivery
JOIN webhooks_hook hook ON hook.id = delivery.hook_id
JOIN webhooks_event event ON event.id = delivery.event_id
LEFT JOIN integrations_integration integration ON integration.id = hook.integration_id
LEFT JOIN shops_shop shop
  ON shop.id = COALESCE(hook.shop_id, CASE WHEN event.data ? 'shop_id' THEN (event.data ->> 'shop_id')::uuid END)
ORDER BY delivery.id
""")
LOOK = """
SELECT endpoint.id::text, endpoint.rung, endpoint.updated_at, {servable}
FROM webhooks_endpoint endpoint
JOIN accounts_organization organization ON organization.id = endpoint.organization_id
LEFT JOIN integrations_integration integration ON integration.id = endpoint.integration_id
LEFT JOIN shops_shop shop ON shop.id = endpoint.shop_id
LEFT JOIN integrations_authorization consent ON consent.id = shop.authorization_id
WHERE endpoint.id = ANY(%s::uuid[])
""".replace("{servable}", SERVABLE)
RENEW = """
WITH held AS (
    SELECT endpoint.id FROM unnest(%s::uuid[], %s::bigint[]) AS held (id, fence)
    JOIN webhooks_endpoint endpoint USING (id, fence) ORDER BY id FOR NO KEY UPDATE OF endpoint
)
UPDATE webhooks_endpoint endpoint SET lease_until = now() + %s * interval '1 second'
FROM held WHERE endpoint.id = held.id RETURNING endpoint.id::text
"""
# Due again if anything is left: at once or with the next try, but not before it may be probed. What stands behind one
# that is not there any more is free as soon as it is leased.
RELEASE = """
WITH held AS (
    SELECT endpoint.id FROM unnest(%s::uuid[], %s::bigint[], %s::bigint[]) AS held (id, fence, rung)
    JOIN webhooks_endpoint endpoint USING (id, fence, rung) ORDER BY id FOR NO KEY UPDATE OF endpoint
)
UPDATE webhooks_endpoint endpoint
SET lease_until = NULL, due_at = (
    SELECT GREATEST(probe_at, left_at) FROM (SELECT CASE
        WHEN EXISTS (SELECT FROM webhooks_delivery WHERE endpoint_id = endpoint.id AND state = 'pending') THEN now()
        ELSE COALESCE(
            (SELECT min(next_attempt_at) FROM webhooks_delivery WHERE endpoint_id = endpoint.id AND state = 'waiting'),
            (SELECT now() FROM webhooks_delivery WHERE endpoint_id = endpoint.id AND state = 'behind' LIMIT 1)
        )
    END) remaining (left_at) WHERE left_at IS NOT NULL
)
FROM held WHERE endpoint.id = held.id RETURNING endpoint.id::text
"""
# Before their deliveries, as people's deeds do. What has only arrived changes no endpoint, and waits for none.
LOCK = "SELECT FROM webhooks_endpoint WHERE id = ANY(%s::uuid[]) ORDER BY id FOR NO KEY UPDATE"
HELD = """held AS MATERIALIZED (
    SELECT endpoint.id, endpoint.url FROM unnest(%(held)s::uuid[], %(fences)s::bigint[]) AS held (id, fence)
    JOIN webhooks_endpoint endpoint USING (id, fence)
)"""
ARRIVED = Statement.of(
    """
WITH {held}, result AS MATERIALIZED (
    SELECT delivery.id, delivery.organization_id, delivery.endpoint_id, result.*
    FROM unnest(%(delivery)s::bigint[], %(tries)s::smallint[], %(status)s::smallint[], %(started_at)s::float8[],
                %(milliseconds)s::integer[])
         AS result (delivery, tries, status, started_at, milliseconds)
    JOIN webhooks_delivery delivery ON delivery.id = result.delivery
), noted AS (
    INSERT INTO webhooks_attempt (
        organization_id, delivery_id, url, started_at, milliseconds, status, error, headers, body
    )
    SELECT organization_id, delivery, held.url, to_timestamp(started_at), milliseconds, status, '', '{}', ''
    FROM result JOIN held ON held.id = result.endpoint_id ORDER BY delivery
)
UPDATE webhooks_delivery delivery
SET state = 'delivered', tries = result.tries, status = result.status, error = '', next_attempt_at = NULL,
    first_tried_at = COALESCE(delivery.first_tried_at, to_timestamp(result.started_at)), finished_at = now()
FROM result JOIN held ON held.id = result.endpoint_id
WHERE delivery.id = result.delivery AND delivery.state IN ('pending', 'waiting', 'behind')
""".replace("{held}", HELD)
)
RESULTS = """
WITH {held}, result AS MATERIALIZED (
    SELECT * FROM json_to_recordset(%(results)s::json) AS result (
        delivery bigint, endpoint uuid, state text, tries smallint, wait float8, status smallint, error text,
        started_at float8, milliseconds integer, url text, headers jsonb, body text
    )
), noted AS (
    INSERT INTO webhooks_attempt (
        organization_id, delivery_id, url, started_at, milliseconds, status, error, headers, body
    )
    SELECT delivery.organization_id, delivery.id, result.url, to_timestamp(started_at), milliseconds, result.status,
           result.error, headers, body
    FROM result JOIN webhooks_delivery delivery ON delivery.id = result.delivery ORDER BY delivery.id
)
UPDATE webhooks_delivery delivery
SET state = result.state, tries = result.tries, status = result.status, error = result.error,
    first_tried_at = COALESCE(delivery.first_tried_at, to_timestamp(result.started_at)),
    next_attempt_at = now() + result.wait * interval '1 second',
    finished_at = CASE WHEN result.state IN ('delivered', 'failed') THEN now() END
FROM result JOIN held ON held.id = result.endpoint
WHERE delivery.id = result.delivery AND delivery.endpoint_id = held.id
  AND delivery.state IN ('pending', 'waiting', 'behind')
""".replace("{held}", HELD)
BEHIND = """
UPDATE webhooks_delivery delivery SET state = 'behind'
FROM unnest(%s::bigint[], %s::uuid[], %s::bigint[]) AS behind (delivery, endpoint, fence)
JOIN webhooks_endpoint endpoint ON endpoint.id = behind.endpoint AND endpoint.fence = behind.fence
WHERE delivery.id = behind.delivery AND delivery.endpoint_id = endpoint.id AND delivery.state = 'pending'
"""
MOVE_ON = """
UPDATE webhooks_delivery delivery SET state = 'pending'
FROM unnest(%s::uuid[], %s::text[]) AS moved (endpoint, lane)
WHERE delivery.endpoint_id = moved.endpoint AND delivery.lane = moved.lane AND delivery.state = 'behind'
"""
HEALTH = """
UPDATE webhooks_endpoint SET
    failures = %(failures)s, failing_since = to_timestamp(%(failing_since)s::float8),
    probe_at = to_timestamp(%(probe_at)s::float8), resumes = %(resumes)s, last_error = %(error)s,
    last_success_at = GREATEST(last_success_at, to_timestamp(%(succeeded_at)s::float8)),
    state = CASE WHEN %(turned)s AND state <> 'paused' THEN %(state)s ELSE state END,
    reason = CASE WHEN %(turned)s AND state <> 'paused' THEN %(reason)s ELSE reason END,
    state_since = CASE WHEN %(turned)s AND state <> 'paused' THEN now() ELSE state_since END
WHERE id = %(id)s::uuid AND fence = %(fence)s
"""
# Of streaks one a day is enough: an endpoint that takes some and fails at others would tell of nothing else.
NOTICE = """
INSERT INTO webhooks_notice (id, organization_id, endpoint_id, stage, failures, error, event_type, held)
SELECT gen_random_uuid(), organization_id, id, %(stage)s, %(failures)s, %(error)s, COALESCE((
           SELECT hook.event FROM webhooks_delivery delivery JOIN webhooks_hook hook ON hook.id = delivery.hook_id
           WHERE delivery.endpoint_id = endpoint.id AND delivery.state = 'waiting' LIMIT 1
       ), ''), (
           SELECT count(*) FROM webhooks_delivery delivery
           WHERE delivery.endpoint_id = endpoint.id AND delivery.state IN ('pending', 'waiting', 'behind')
       )
FROM webhooks_endpoint endpoint
WHERE id = %(id)s::uuid AND fence = %(fence)s AND NOT (%(stage)s = 'streak' AND EXISTS (
    SELECT FROM webhooks_notice notice
    WHERE notice.endpoint_id = endpoint.id AND notice.stage = 'streak' AND notice.created_at > now() - interval '1 day'
))
"""
