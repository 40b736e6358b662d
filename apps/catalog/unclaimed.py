"""Counts of SKUs that are nobody's yet: the newest of each is kept, and counts once the SKU is somebody's."""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Protocol

from django.db import connection

from .ledger import By
from .models import Location


class Counted(Protocol):
    """A count in the words of the warehouse."""

    @property
    def sku(self) -> str: ...
    @property
    def on_hand(self) -> int | None: ...
    @property
    def version(self) -> int | None: ...
    @property
    def occurred_at(self) -> datetime | None: ...


def keep(counts: Iterable[Counted], *, location: Location, by: By) -> None:
    """Those that are newer than what is kept of their SKU, by the rule that orders all counts; one statement."""
    rows = [
        {
            "sku": one.sku,
            "on_hand": one.on_hand,
            "version": one.version,
            "occurred_at": one.occurred_at and one.occurred_at.isoformat(),
        }
        for one in counts
        if one.on_hand is not None
    ]
    names = {"organization": location.organization_id, "location": location.pk, "reference": by.reference}
    if rows and by.integration:
        with connection.cursor() as cursor:
            cursor.execute(KEEP, names | {"integration": by.integration.pk, "rows": json.dumps(rows)})


RANK = "(COALESCE({0}.source_version, -1), {0}.occurred_at, -{0}.on_hand)"

KEEP = f"""
INSERT INTO catalog_heldreport AS kept (
    organization_id, integration_id, location_id, sku, on_hand, source_version, occurred_at, reference, times,
    created_at, updated_at
)
SELECT DISTINCT ON (sku) %(organization)s, %(integration)s, %(location)s, sku, on_hand, version, at, %(reference)s, 1,
       now(), now()
FROM (
    SELECT sku, on_hand, version, LEAST(COALESCE(occurred_at, clock_timestamp()), clock_timestamp()) AS at
    FROM json_to_recordset(%(rows)s::json) AS row (sku text, on_hand integer, version bigint, occurred_at timestamptz)
) told
ORDER BY sku, version DESC NULLS LAST, at DESC, on_hand
ON CONFLICT (organization_id, integration_id, location_id, sku) DO UPDATE
SET on_hand = excluded.on_hand, source_version = excluded.source_version, occurred_at = excluded.occurred_at,
    reference = excluded.reference, times = kept.times + 1, updated_at = now()
WHERE {RANK.format("excluded")} > {RANK.format("kept")}
"""
