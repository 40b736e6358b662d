"""Places for stock, and what must hold of every level whatever happened."""

from typing import Any

from django.db import connection

from apps.catalog.models import Location, Product
from apps.integrations.models import Integration
from tests.factories import make_custom_integration, make_location, make_product

# Every level is the sum of its ledger, whose lines are numbered without a gap and each have their event (behaviour 64).
UNEXPLAINED = """
SELECT level.id
FROM catalog_stocklevel level
LEFT JOIN LATERAL (
    SELECT count(*) AS lines, max(sequence) AS last, sum(on_hand_change) AS on_hand, sum(reserved_change) AS reserved,
           sum(incoming_change) AS incoming, sum(reserved_incoming_change) AS reserved_incoming
    FROM catalog_stockmovement movement WHERE movement.level_id = level.id
) ledger ON true
LEFT JOIN LATERAL (
    SELECT count(*) AS events, max(sequence) AS last
    FROM webhooks_event event WHERE entity = 'stock_level' AND entity_id = level.id::text
) told ON true
WHERE (level.version, level.version, level.on_hand, level.reserved, level.incoming, level.reserved_incoming)
      IS DISTINCT FROM (
          ledger.lines, COALESCE(ledger.last, 0), COALESCE(ledger.on_hand, 0), COALESCE(ledger.reserved, 0),
          COALESCE(ledger.incoming, 0), COALESCE(ledger.reserved_incoming, 0)
      )
   OR (told.events, COALESCE(told.last, 0)) IS DISTINCT FROM (level.version, level.version)
"""
# Each line goes on from the one before it.
BROKEN = """
SELECT id FROM (
    SELECT *, lag(on_hand, 1, 0) OVER lines AS before, lag(reserved, 1, 0) OVER lines AS reserved_before
    FROM catalog_stockmovement WINDOW lines AS (PARTITION BY level_id ORDER BY sequence)
) movement
WHERE before + on_hand_change <> on_hand OR reserved_before + reserved_change <> reserved
"""


def check() -> None:
    """Every number of every level is explained by its ledger, and every line of it was told."""
    with connection.cursor() as cursor:
        for statement in (UNEXPLAINED, BROKEN):
            cursor.execute(statement)
            assert cursor.fetchall() == []


def shelf(**product: Any) -> tuple[Product, Location]:
    """A product, and a place of its organization where people store and pick."""
    made = make_product(**product)
    return made, make_location(organization=made.organization)


def warehouse(**fields: Any) -> tuple[Integration, Location]:
    """A warehouse's integration, and a place it fulfils from."""
    integration = make_custom_integration(**fields)
    return integration, make_location(integration=integration, kind=Location.Kind.EXTERNAL)
