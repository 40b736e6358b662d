from importlib import import_module

from django.db import migrations

# The worklist of the catalogue, with what orders wait for. A SKU that has just been answered is gone at once, although
# the orders that waited for it are looked at a moment later.
WAITING = """
CREATE VIEW catalog_waitingsku AS
SELECT md5(waiting.integration_id || ':' || waiting.sku) AS id, waiting.organization_id, waiting.integration_id,
       waiting.sku, waiting.listing_id, waiting.listings, waiting.reports, waiting.orders, waiting.times, waiting.seen_at,
       ignored.id IS NOT NULL AS is_ignored
FROM (
    SELECT organization_id, integration_id, sku, min(listing_id) AS listing_id,
           count(*) FILTER (WHERE kind = 'listing') AS listings, count(*) FILTER (WHERE kind = 'report') AS reports,
           count(*) FILTER (WHERE kind = 'order') AS orders, sum(times)::bigint AS times, max(seen_at) AS seen_at
    FROM (
        SELECT 'listing' AS kind, listing.organization_id, shop.integration_id, listing.sku, listing.id AS listing_id,
               1 AS times, listing.updated_at AS seen_at
        FROM catalog_listing listing JOIN shops_shop shop ON shop.id = listing.shop_id
        WHERE listing.product_id IS NULL AND listing.removed_at IS NULL AND shop.is_active
        UNION ALL
        SELECT 'report', organization_id, integration_id, sku, NULL, times, updated_at FROM catalog_heldreport
        UNION ALL
        SELECT 'order', o.organization_id, o.integration_id, h.ref, NULL, 1, h.since
        FROM orders_hindrance h JOIN orders_order o ON o.id = h.order_id
        WHERE h.code = 'unknown_sku'
          AND NOT EXISTS (SELECT FROM catalog_product p WHERE p.organization_id = o.organization_id AND p.sku = h.ref)
          AND NOT EXISTS (
              SELECT FROM catalog_skupair pair
              WHERE pair.organization_id = o.organization_id AND pair.integration_id = o.integration_id
                AND h.ref IN (pair.first, pair.second)
          )
    ) one
    GROUP BY organization_id, integration_id, sku
) waiting
LEFT JOIN catalog_ignoredsku ignored
    ON ignored.organization_id = waiting.organization_id AND ignored.integration_id = waiting.integration_id
    AND ignored.sku = waiting.sku
"""
BEFORE = import_module("apps.catalog.migrations.0009_worklist").WAITING


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0002_freeze_what_is_final"),
        ("catalog", "0013_refer_to_own_listings_and_reporters"),
    ]
    operations = [
        migrations.RunSQL("DROP VIEW catalog_waitingsku", BEFORE),
        migrations.RunSQL(WAITING, "DROP VIEW catalog_waitingsku"),
    ]
