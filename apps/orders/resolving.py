"""What an order's lines are in our own words, and what is missing before it can go anywhere.

A line is what its shop lists under its ids, else what its SKU means by the shop's pairs (behaviour 66). One whose
listing takes no part in orders, or whose SKU was put aside, is not for us to ship (pack.cloud: contracts 4.2).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from django.db import connection

from apps.catalog import mapping

from .models import Hindrance, Order, OrderLine

Code, Who = Hindrance.Code, Hindrance.Who

LONGEST_REF = 255
# Where an address needs no postal code, as Stripe's card form has it (stripe-android, CountryUtils).
_CODES = (
    "AE AG AN AO AW BF BI BJ BO BS BW BZ CD CF CG CI CK CM DJ DM ER FJ GD GH GM GN GQ GY HK IE JM KE KI KM KN KP LC ML"
    " MO MR MS MU MW NR NU PA QA RW SA SB SC SL SO SR ST SY TF TK TL TO TT TV TZ UG VU YE ZA ZW"
)
WITHOUT_ZIP = frozenset(_CODES.split())
NAMES = ("last_name", "company", "first_name")  # any of them is enough


class Obstacle(NamedTuple):
    """What a hindrance says: `ref` is what it is about, `who` can do something about it."""

    code: str
    who: str
    ref: str = ""
    detail: Mapping[str, Any] = {}

    @property
    def key(self) -> tuple[str, str]:
        return self.code, self.ref


def resolve(orders: Iterable[Order]) -> None:
    """Write down which products the lines of these locked orders are; one statement for all of an integration.

    A line that some warehouse has, or shipped from, stays as it is; so does one whose SKU means nothing any more.
    """
    ordered = sorted(orders, key=lambda order: order.integration_id)
    with connection.cursor() as cursor:
        for _pk, group in groupby(ordered, key=lambda order: order.integration_id):
            same = list(group)
            own, other = mapping.sides(same[0].integration)
            cursor.execute(RESOLVE.format(own=own, other=other), {"orders": [order.pk for order in same]})


def obstacles(order: Order, lines: Sequence[OrderLine]) -> list[Obstacle]:
    """What is missing, whichever warehouse it may go to."""
    ours = [line for line in lines if not line.is_excluded and line.quantity > line.cancelled]
    if not ours:
        return [Obstacle(Code.NOTHING_TO_SHIP, Who.NOBODY)]
    return [*_unknown(ours), *_incomplete(order.destination)]


def _unknown(lines: Iterable[OrderLine]) -> list[Obstacle]:
    """One for each SKU that is nobody's, in the words of the shop."""
    named = {_name_of(line): line for line in lines if line.product_id is None}
    return [Obstacle(Code.UNKNOWN_SKU, Who.OWNER, ref, {"name": line.name}) for ref, line in named.items()]


def _name_of(line: OrderLine) -> str:
    return (line.sku or line.ext_variant_id or line.ext_product_id or line.name)[:LONGEST_REF]


def _incomplete(destination: Mapping[str, str]) -> list[Obstacle]:
    return [Obstacle(Code.INCOMPLETE_ADDRESS, Who.OWNER, field) for field in missing_fields(destination)]


def missing_fields(destination: Mapping[str, str]) -> list[str]:
    """Names of fields without which no parcel arrives."""
    needed = ["address1", "city", "country"]
    if destination.get("country", "").upper() not in WITHOUT_ZIP:
        needed.append("zip")
    missing = [field for field in needed if not _is_said(destination, [field])]
    return missing if _is_said(destination, NAMES) else [*missing, NAMES[0]]


def _is_said(destination: Mapping[str, str], fields: Collection[str]) -> bool:
    return any(destination.get(field, "").strip() for field in fields)


# A listing that is gone from its platform still says what was ordered there.
RESOLVE = """
WITH found AS (
    SELECT line.id, COALESCE(listing.product_id, product.id, line.product_id) AS product,
           COALESCE(NOT listing.order_sync_enabled, false) OR ignored.id IS NOT NULL AS is_excluded
    FROM orders_order o
    JOIN orders_orderline line ON line.order_id = o.id
    LEFT JOIN LATERAL (
        SELECT 1 AS rank, product_id, order_sync_enabled FROM catalog_listing
        WHERE organization_id = o.organization_id AND shop_id = o.shop_id AND line.ext_product_id <> ''
          AND ext_product_id = line.ext_product_id AND ext_variant_id = line.ext_variant_id
        UNION ALL
        SELECT 2, product_id, order_sync_enabled FROM catalog_listing
        WHERE organization_id = o.organization_id AND shop_id = o.shop_id AND sku = line.sku AND removed_at IS NULL
        ORDER BY rank, product_id LIMIT 1
    ) listing ON true
    LEFT JOIN catalog_skupair pair ON pair.organization_id = o.organization_id
        AND pair.integration_id = o.integration_id AND pair.{other} = line.sku
    LEFT JOIN catalog_product product ON product.organization_id = o.organization_id
        AND product.sku = COALESCE(pair.{own}, line.sku)
    LEFT JOIN catalog_ignoredsku ignored ON ignored.organization_id = o.organization_id
        AND ignored.integration_id = o.integration_id AND ignored.sku = line.sku
    WHERE o.id = ANY(%(orders)s)
      AND NOT EXISTS (
          SELECT FROM orders_fulfillmentline given JOIN orders_fulfillment f ON f.id = given.fulfillment_id
          WHERE given.order_line_id = line.id AND f.state NOT IN ('rejected', 'cancelled')
      )
)
UPDATE orders_orderline line SET product_id = found.product, is_excluded = found.is_excluded
FROM found
WHERE line.id = found.id
  AND (line.product_id, line.is_excluded) IS DISTINCT FROM (found.product, found.is_excluded)
"""
