import django.db.models.deletion
from django.db import migrations, models

import apps.tenancy

WAITING = """
CREATE VIEW catalog_waitingsku AS
SELECT md5(waiting.integration_id || ':' || waiting.sku) AS id, waiting.organization_id, waiting.integration_id, waiting.sku,
       waiting.listing_id, waiting.listings, waiting.reports, waiting.times, waiting.seen_at,
       ignored.id IS NOT NULL AS is_ignored
FROM (
    SELECT organization_id, integration_id, sku, min(listing_id) AS listing_id, count(listing_id) AS listings,
           count(*) - count(listing_id) AS reports, sum(times)::bigint AS times, max(seen_at) AS seen_at
    FROM (
        SELECT listing.organization_id, shop.integration_id, listing.sku, listing.id AS listing_id, 1 AS times,
               listing.updated_at AS seen_at
        FROM catalog_listing listing JOIN shops_shop shop ON shop.id = listing.shop_id
        WHERE listing.product_id IS NULL AND listing.removed_at IS NULL AND shop.is_active
        UNION ALL
        SELECT organization_id, integration_id, sku, NULL, times, updated_at FROM catalog_heldreport
    ) one
    GROUP BY organization_id, integration_id, sku
) waiting
LEFT JOIN catalog_ignoredsku ignored
    ON ignored.organization_id = waiting.organization_id AND ignored.integration_id = waiting.integration_id
    AND ignored.sku = waiting.sku
"""

# What `matching` looks products up by.
INDEXES = """
CREATE INDEX products_by_plain_sku ON catalog_product (organization_id, (ltrim(lower(translate(
    CASE WHEN octet_length(sku) = length(sku) THEN sku ELSE normalize(sku, NFKC) END, E' \\t-_./', '')), '0')));
CREATE INDEX products_by_start_of_name ON catalog_product (organization_id, (lower(left(name, 40))) text_pattern_ops);
CREATE INDEX products_by_barcode ON catalog_product USING gin (barcodes);
CREATE INDEX listings_of_nothing ON catalog_listing (organization_id, sku)
    WHERE product_id IS NULL AND removed_at IS NULL;
"""
NO_INDEXES = """
DROP INDEX products_by_plain_sku, products_by_start_of_name, products_by_barcode, listings_of_nothing
"""


class Migration(migrations.Migration):
    dependencies = [("catalog", "0008_tell_stock"), ("shops", "0005_products_and_drift")]
    operations = [
        migrations.CreateModel(
            name="WaitingSku",
            fields=[
                ("id", models.CharField(max_length=32, primary_key=True, serialize=False)),
                ("sku", models.CharField(max_length=255)),
                ("listings", models.BigIntegerField()),
                ("reports", models.BigIntegerField()),
                ("times", models.BigIntegerField()),
                ("seen_at", models.DateTimeField()),
                ("is_ignored", models.BooleanField()),
                (
                    "integration",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="integrations.integration",
                    ),
                ),
                (
                    "listing",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="catalog.listing",
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="accounts.organization",
                    ),
                ),
            ],
            options={
                "ordering": ["-times", "-seen_at", "sku", "id"],
                "managed": False,
                "verbose_name": "unknown SKU",
                "verbose_name_plural": "unknown SKUs",
            },
        ),
        migrations.CreateModel(
            name="IgnoredSku",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("sku", models.CharField(max_length=255)),
                ("actor", models.CharField(max_length=255)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "integration",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="ignored_skus",
                        to="integrations.integration",
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="accounts.organization",
                    ),
                ),
            ],
            options={"ordering": ["sku", "id"]},
        ),
        migrations.AddConstraint(
            model_name="ignoredsku",
            constraint=models.UniqueConstraint(
                fields=("organization", "integration", "sku"), name="a_sku_is_ignored_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="ignoredsku",
            constraint=apps.tenancy.SameOrganization(
                "integration", name="an_ignored_skus_integration_is_of_its_organization"
            ),
        ),
        migrations.RunSQL(WAITING, "DROP VIEW catalog_waitingsku"),
        migrations.RunSQL(INDEXES, NO_INDEXES),
    ]
