import django.db.models.deletion
from django.db import migrations, models

import apps.tenancy

# A key over both columns would need an index more on the listings, which every import would have to keep.
OWN_LISTING = """
CREATE FUNCTION catalog_publication_is_of_a_listing_of_its_organization() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM catalog_listing WHERE id = NEW.listing_id AND organization_id <> NEW.organization_id
    ) THEN
        RAISE EXCEPTION 'The listing is of another organization.' USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER own_listing BEFORE INSERT OR UPDATE OF listing_id, organization_id ON catalog_publication
    FOR EACH ROW EXECUTE FUNCTION catalog_publication_is_of_a_listing_of_its_organization();
"""
ANY_LISTING = """
DROP TRIGGER own_listing ON catalog_publication;
DROP FUNCTION catalog_publication_is_of_a_listing_of_its_organization();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0012_remember_pages"),
        ("integrations", "0008_stock_buffer"),
    ]
    operations = [
        migrations.RunSQL(OWN_LISTING, ANY_LISTING),
        migrations.AlterField(
            "stockmovement",
            "integration",
            models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="integrations.integration",
            ),
        ),
        migrations.AddConstraint(
            "stockmovement",
            apps.tenancy.SameOrganization("integration", name="a_movements_integration_is_of_its_organization"),
        ),
    ]
