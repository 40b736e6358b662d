from django.db import migrations

APPEND_ONLY = """
CREATE FUNCTION catalog_stockmovement_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'The stock ledger is append-only.' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON catalog_stockmovement
    FOR EACH ROW EXECUTE FUNCTION catalog_stockmovement_is_append_only();
"""
NO_LONGER_APPEND_ONLY = """
DROP TRIGGER append_only ON catalog_stockmovement; DROP FUNCTION catalog_stockmovement_is_append_only();
"""
# A foreign key cannot say: the location's organization is this one's, or nobody's (the 3PL's own).
OWN_LOCATION = """
CREATE FUNCTION catalog_stocklevel_is_at_a_location_of_its_organization() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM catalog_location
        WHERE id = NEW.location_id AND organization_id IS NOT NULL AND organization_id <> NEW.organization_id
    ) THEN
        RAISE EXCEPTION 'The location is of another organization.' USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER own_location BEFORE INSERT OR UPDATE OF location_id, organization_id ON catalog_stocklevel
    FOR EACH ROW EXECUTE FUNCTION catalog_stocklevel_is_at_a_location_of_its_organization();
"""
ANY_LOCATION = """
DROP TRIGGER own_location ON catalog_stocklevel;
DROP FUNCTION catalog_stocklevel_is_at_a_location_of_its_organization();
"""


class Migration(migrations.Migration):
    dependencies = [("catalog", "0004_stock")]
    operations = [
        migrations.RunSQL(APPEND_ONLY, NO_LONGER_APPEND_ONLY),
        migrations.RunSQL(OWN_LOCATION, ANY_LOCATION),
    ]
