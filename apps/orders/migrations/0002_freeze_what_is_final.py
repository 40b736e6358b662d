from django.db import migrations

# Behaviour 78, whoever asks, raw SQL included. What is still owed to the other side may be noted as paid.
FROZEN = """
CREATE FUNCTION orders_fulfillment_is_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state IN ('shipped', 'partly_shipped', 'rejected', 'cancelled')
       AND (NEW.state, NEW.order_id, NEW.location_id, NEW.reason, NEW.finished_at, NEW.version)
           IS DISTINCT FROM (OLD.state, OLD.order_id, OLD.location_id, OLD.reason, OLD.finished_at, OLD.version)
    THEN
        RAISE EXCEPTION 'A final fulfillment does not change.' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER frozen BEFORE UPDATE ON orders_fulfillment
    FOR EACH ROW EXECUTE FUNCTION orders_fulfillment_is_frozen();

CREATE FUNCTION orders_parcel_is_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.fulfillment_id, NEW.order_id, NEW.lines, NEW.carrier, NEW.tracking_number, NEW.tracking_url, NEW.shipped_at)
       IS DISTINCT FROM
       (OLD.fulfillment_id, OLD.order_id, OLD.lines, OLD.carrier, OLD.tracking_number, OLD.tracking_url, OLD.shipped_at)
    THEN
        RAISE EXCEPTION 'A parcel does not change.' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER frozen BEFORE UPDATE ON orders_parcel FOR EACH ROW EXECUTE FUNCTION orders_parcel_is_frozen();

CREATE FUNCTION orders_entry_is_not_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'What happened does not change.' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER frozen BEFORE UPDATE ON orders_entry FOR EACH ROW EXECUTE FUNCTION orders_entry_is_not_changed();
"""
THAWED = """
DROP TRIGGER frozen ON orders_fulfillment; DROP FUNCTION orders_fulfillment_is_frozen();
DROP TRIGGER frozen ON orders_parcel; DROP FUNCTION orders_parcel_is_frozen();
DROP TRIGGER frozen ON orders_entry; DROP FUNCTION orders_entry_is_not_changed();
"""
# A foreign key cannot say: the location's organization is this one's, or nobody's (the 3PL's own).
OWN_LOCATION = """
CREATE FUNCTION orders_location_is_of_the_organization() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM catalog_location
        WHERE id = NEW.location_id AND organization_id IS NOT NULL AND organization_id <> NEW.organization_id
    ) THEN
        RAISE EXCEPTION 'The location is of another organization.' USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER own_location BEFORE INSERT OR UPDATE OF location_id, organization_id ON orders_fulfillment
    FOR EACH ROW EXECUTE FUNCTION orders_location_is_of_the_organization();
CREATE TRIGGER own_location BEFORE INSERT OR UPDATE OF location_id, organization_id ON orders_routingrule
    FOR EACH ROW EXECUTE FUNCTION orders_location_is_of_the_organization();
"""
ANY_LOCATION = """
DROP TRIGGER own_location ON orders_fulfillment; DROP TRIGGER own_location ON orders_routingrule;
DROP FUNCTION orders_location_is_of_the_organization();
"""


class Migration(migrations.Migration):
    dependencies = [("orders", "0001_initial"), ("catalog", "0013_refer_to_own_listings_and_reporters")]
    operations = [
        migrations.RunSQL(FROZEN, THAWED),
        migrations.RunSQL(OWN_LOCATION, ANY_LOCATION),
    ]
