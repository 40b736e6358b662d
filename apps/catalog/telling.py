"""Who hears of products and of stock, and what they are told of them: what `for_principal` would show them, no more."""

from collections.abc import Collection
from typing import Any

from apps.webhooks.audiences import described_by, heard_by
from apps.webhooks.wording import amount, measure, moment

from .models import Product

# A shop hears of what it lists. With its last listing a product is archived: whoever gave that up hears of it, too.
LISTED = """
SELECT happened.event_id, listing.shop_id, shop.integration_id
FROM happened
JOIN catalog_product product ON product.id = happened.entity_id::bigint
JOIN catalog_listing listing ON listing.product_id = product.id
    AND (listing.removed_at IS NULL OR listing.removed_at >= product.archived_at)
JOIN shops_shop shop ON shop.id = listing.shop_id
WHERE happened.entity = 'product'
"""
# A shop hears of the stock of what it lists, a warehouse of what lies with it.
IN_STOCK = """
SELECT happened.event_id, listing.shop_id, shop.integration_id
FROM happened
JOIN catalog_stocklevel level ON level.id = happened.entity_id::bigint
JOIN catalog_listing listing ON listing.product_id = level.product_id AND listing.removed_at IS NULL
JOIN shops_shop shop ON shop.id = listing.shop_id
WHERE happened.entity = 'stock_level'
UNION ALL
SELECT happened.event_id, NULL, location.integration_id
FROM happened
JOIN catalog_stocklevel level ON level.id = happened.entity_id::bigint
JOIN catalog_location location ON location.id = level.location_id
WHERE happened.entity = 'stock_level' AND location.integration_id IS NOT NULL
"""

PLAIN = (
    "id", "sku", "name", "barcodes", "image_src", "hs_code", "country_of_origin", "brand", "type", "tags", "version",
)  # fmt: skip
MEASURES = ("weight", "length", "width", "height")
MOMENTS = ("created_at", "updated_at", "archived_at")


def name_audiences() -> None:
    """Say who hears of what this room knows; once, when the portal starts."""
    heard_by("product", LISTED)
    heard_by("stock_level", IN_STOCK)
    described_by("product", products)


def products(ids: Collection[str]) -> dict[str, dict[str, Any]]:
    """As the API shows them, without their listings: those of one shop are not another's to know."""
    rows = Product.objects.filter(pk__in=ids).values(*PLAIN, *MEASURES, *MOMENTS, "price", "currency")
    return {str(row["id"]): _product(row) for row in rows}


def _product(row: dict[str, Any]) -> dict[str, Any]:
    price = None if row["price"] is None else {"currency": row["currency"], "value": amount(row["price"])}
    shown = {name: row[name] for name in PLAIN} | {"price": price}
    shown |= {name: measure(row[name]) for name in MEASURES}
    return shown | {name: moment(row[name]) for name in MOMENTS}
