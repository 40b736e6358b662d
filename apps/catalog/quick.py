"""The quick lane for reports of stock: a statement asks who calls, counts the call, and believes all, or nothing.

Those behind it, in the same message, say whom that concerns: while a place is locked, nothing waits for Python.

What it does is what `inventory_api.report_inventory` does, and `tests/catalog/test_quick.py` compares the rows and the
answers of both. It serves the call that comes most: a warehouse's own key that counts a few SKUs anew, each known, each
somewhere it was counted before, and newer than what is believed. Judging is for the careful lane.
"""

import json
from typing import Any

import structlog
from django.core.exceptions import RequestDataTooBig
from django.db import transaction
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.utils import translation
from rest_framework.exceptions import ValidationError

from apps.accounts.models import digest as digest_of
from apps.api import bodies, lanes, limits, tokens
from apps.api.errors import Problem
from apps.api.principals import address_of
from apps.integrations.connectors.base import Category
from apps.integrations.definitions import category_of
from apps.integrations.models import ApiKey
from apps.prepared import Statement

from . import mapping, owing
from .judging import Result
from .ledger import AHEAD, ENTERED, NO_VERSION
from .models import StockMovement
from .news import when_stock_rose
from .report_bodies import StockReport, read_row
from .reporting import Reported

type Asked = dict[str, Any]  # what StockReport has checked, with its rows read

FEW = 20  # rows: who reports more counts everything, and most of that is nothing new
KEY_HEADERS = ("X-Api-Key", "X-Pipe17-Key")
_known = lanes.Known()


def take(request: HttpRequest) -> HttpResponse | None:
    """The answer to a report that is believed in every row; None for any other, of which nothing was done."""
    facts = _facts(request)
    asked = _asked(request) if facts else None
    return _believe(request, facts, asked) if facts and asked else None


def _facts(request: HttpRequest) -> dict[str, Any] | None:
    """What is known of the call's key, if it is a warehouse's. Whether it still is good, the statement asks."""
    given = [request.headers[name] for name in KEY_HEADERS if name in request.headers]
    if header := request.headers.get("Authorization"):
        given.append(header.removeprefix("Bearer "))
    if len(given) != 1 or "Idempotency-Key" in request.headers or not lanes.is_plain(request):
        return None
    [key] = given
    if tokens.kind_of(key) != tokens.INTEGRATION_KEY or not tokens.is_wellformed(key):
        return None
    digest = digest_of(key)
    if digest not in _known:
        _learn(digest)
    return _known.get(digest)


def _learn(digest: bytes) -> None:
    """The name may change: the statement compares it."""
    found = ApiKey.objects.filter(token_digest=digest).select_related("integration__partner").first()
    if found and found.integration and category_of(found.integration) == Category.LOGISTICS:
        with translation.override("en"):  # as the careful lane has it
            caller = f"{found.get_kind_display()} {found}"
        ids = {"key": found.pk, "organization": found.integration.organization_id}
        _known[digest] = ids | {"name": found.name, "caller": caller, "usage": found.usage_key}


def _asked(request: HttpRequest) -> Asked | None:
    try:
        asked = bodies.checked(StockReport, bodies.read(request.body))
    except (Problem, ValidationError, RequestDataTooBig, UnreadablePostError):
        return None
    rows = [read_row(row, changes=False) for row in asked["rows"][: FEW + 1]]
    is_simple = asked["style"] == "snapshot" and not asked.get("complete") and 0 < len(rows) <= FEW
    return asked | {"rows": rows} if is_simple and all(row.is_plain and not row.problem for row in rows) else None


def _believe(request: HttpRequest, facts: dict[str, Any], asked: Asked) -> HttpResponse | None:
    """Raises OperationalError when nobody can say whether it is believed: whoever asks again hears."""
    rows = asked["rows"]
    values = {
        "key": facts["key"],
        "name": facts["name"],
        "caller": facts["caller"],
        "location": asked["location_id"],
        "skus": [row.sku for row in rows],
        "counts": [row.on_hand for row in rows],
        "observed_at": asked.get("observed_at"),
        "version": asked.get("version"),
        "reference": asked.get("reference", ""),
        "results": json.dumps({str(Result.APPLIED): len(rows)}),
        "address": address_of(request),
        "request_id": structlog.contextvars.get_contextvars().get("request_id", ""),
    }
    of_organization = {"organization": facts["organization"]}
    found, owed, *_ = lanes.attempt(
        (BELIEVE, values | limits.parameters_of({facts["usage"]: limits.CALLS})),
        (OWE, of_organization),
        *((statement, of_organization) for statement, _ in when_stock_rose),
    )
    if not found:
        return None
    [(level, has_risen, *_)] = found
    owing.ring(owed)
    for _, then in when_stock_rose if has_risen else []:
        transaction.on_commit(then, robust=True)
    left = limits.Left(limits.CALLS, level, is_over=False)
    return HttpResponse(_told(rows), content_type="application/json", headers=HEADERS | left.headers)


def _told(rows: list[Reported]) -> str:
    """As `inventory_api.Outcomes` has it."""
    results = [{"index": n, "sku": row.sku, "result": Result.APPLIED, "code": ""} for n, row in enumerate(rows)]
    return json.dumps({"results": results}, separators=(",", ":"), ensure_ascii=False)


HEADERS = lanes.HEADERS | {"Allow": "POST"}
OWN, OTHER = mapping.OURS_FIRST  # of a warehouse

# Who calls, if all of it still holds (`principals`, `policy`).
CALLER = """
caller AS MATERIALIZED (
    SELECT integration.organization_id, integration.id AS integration_id, integration.name
    FROM integrations_apikey key
    JOIN integrations_integration integration ON integration.id = key.integration_id
    JOIN accounts_organization organization ON organization.id = integration.organization_id
    LEFT JOIN integrations_partnerconnector partner ON partner.id = integration.partner_id
    WHERE key.id = %(key)s::uuid AND key.name = %(name)s::text
      AND key.revoked_at IS NULL AND (key.expires_at IS NULL OR key.expires_at > now())
      AND integration.grants ? 'inventory:write' AND (key.all_grants OR key.grants ? 'inventory:write')
      AND integration.state <> 'disabled' AND organization.is_active
      AND (partner.id IS NULL OR (partner.deactivated_at IS NULL AND partner.category = 'logistics'))
)"""
# The place (`Location.may_be_counted_by`), and its levels in the order of their ids, are locked as `ledger` locks them.
# Each SKU is looked up by itself, so that no plan begins with all that lies there.
HELD = f"""
place AS MATERIALIZED (
    SELECT location.id, location.counted_version, location.counted_at
    FROM catalog_location location JOIN caller ON caller.organization_id = location.organization_id
    WHERE location.id = %(location)s::uuid AND location.is_active
      AND (
          location.integration_id = caller.integration_id
          OR (location.integration_id IS NULL AND location.kind = 'external')
      )
      AND EXISTS (SELECT FROM bucket0 WHERE NOT is_over)
    FOR NO KEY UPDATE OF location
), known AS MATERIALIZED (
    SELECT product.id AS product_id, told.pieces
    FROM unnest(%(skus)s::text[], %(counts)s::integer[]) AS told (sku, pieces)
    CROSS JOIN caller
    LEFT JOIN LATERAL (
        SELECT {OWN} AS sku FROM catalog_skupair
        WHERE organization_id = caller.organization_id AND integration_id = caller.integration_id AND {OTHER} = told.sku
        LIMIT 1
    ) pair ON true
    CROSS JOIN LATERAL (
        SELECT id FROM catalog_product
        WHERE organization_id = caller.organization_id AND sku = COALESCE(pair.sku, told.sku)
        LIMIT 1
    ) product
), held AS MATERIALIZED (
    SELECT level.*, found.pieces
    FROM (SELECT known.*, place.id AS location_id, caller.organization_id FROM known, place, caller) found
    JOIN catalog_stocklevel level ON level.organization_id = found.organization_id
        AND level.product_id = found.product_id AND level.location_id = found.location_id
    ORDER BY level.id
    FOR NO KEY UPDATE OF level
), clock AS MATERIALIZED (
    SELECT count(*) AS levels, clock_timestamp() AS now FROM held
), moment AS MATERIALIZED (
    SELECT now, COALESCE(%(version)s::bigint, {NO_VERSION}) AS version, CASE
        WHEN %(observed_at)s::timestamptz <= now + interval '{AHEAD.total_seconds()} s'
        THEN %(observed_at)s::timestamptz ELSE now END AS at
    FROM clock
)"""
# What `judging.count` believes without further thought.
BELIEVED = f"""
line AS MATERIALIZED (
    SELECT held.id AS level, held.product_id, held.version + 1 AS sequence,
           pieces - on_hand AS on_hand_change, 0 AS reserved_change, 0 AS incoming_change,
           0 AS reserved_incoming_change, pieces AS on_hand, reserved, incoming, reserved_incoming,
           NULL::integer AS reported_change, true AS is_count, %(version)s::bigint AS source_version,
           ''::text AS entry, moment.at AS occurred_at
    FROM held CROSS JOIN moment CROSS JOIN place
    WHERE pieces <> on_hand AND missing = 0 AND updated_at <= moment.at
      AND (held.counted_at IS NULL OR (COALESCE(held.counted_version, {NO_VERSION}), held.counted_at)
           < (moment.version, moment.at))
      AND (place.counted_at IS NULL OR (COALESCE(place.counted_version, {NO_VERSION}), place.counted_at)
           < (moment.version, moment.at))
), deed AS MATERIALIZED (
    SELECT caller.organization_id AS organization, '{StockMovement.Cause.SNAPSHOT}'::text AS cause,
           left(caller.name, 255) AS actor, caller.integration_id AS integration, %(reference)s::text AS reference,
           ''::text AS note, moment.now
    FROM caller, moment
), counted AS (
    UPDATE catalog_stocklevel level
    SET on_hand = line.on_hand, version = line.sequence, counted_version = line.source_version,
        counted_at = line.occurred_at, updated_at = deed.now
    FROM line, deed WHERE level.id = line.level
    RETURNING level.product_id, line.on_hand_change
)"""
AUDITED = """
audited AS (
    INSERT INTO audit_entry (
        at, organization_id, integration_id, user_id, actor, action, outcome, target_kind, target_id, target, before,
        after, reason, address, request_id
    )
    SELECT deed.now, deed.organization, deed.integration, NULL, left(%(caller)s::text, 300), 'inventory.report', 'done',
           'location', location.id::text, left(location.name, 300), '{}', %(results)s::jsonb, '', %(address)s::inet,
           %(request_id)s::text
    FROM deed JOIN catalog_location location ON location.id = %(location)s::uuid
)"""
# Division by nothing: when a row is not believed, it takes the rest of the statement with it.
RESULT = """
SELECT level / (SELECT count(*) = cardinality(%(skus)s::text[]) FROM counted)::integer,
       EXISTS (SELECT FROM counted WHERE on_hand_change > 0),
       set_config('crossdock.changed', ARRAY(SELECT product_id FROM counted)::text, true),
       set_config('crossdock.risen', ARRAY(SELECT product_id FROM counted WHERE on_hand_change > 0)::text, true)
FROM bucket0, deed"""
BELIEVE = Statement.of(
    f"WITH {CALLER}, {limits.spending(1, condition='FROM caller')}, {HELD}, {BELIEVED}, {ENTERED}, {AUDITED} {RESULT}"
)
OWE = owing.owing("NULLIF(current_setting('crossdock.changed', true), '')::bigint[]")
