from django.db import migrations

# A connection or an integration becomes another one in many places, some of them single statements over many rows. So
# the database tells of it, in the same transaction, whoever asks. The row itself is locked by then: of one entity
# nobody else writes an event meanwhile, and the number after the newest one's is free.
HAPPENED = """
CREATE FUNCTION webhooks_happened(whose uuid, what text, kind text, which uuid, said jsonb) RETURNS void
LANGUAGE sql AS $$
    INSERT INTO webhooks_event (organization_id, type, entity, entity_id, sequence, data)
    SELECT whose, what, kind, which::text, coalesce(max(sequence), 0) + 1, said FROM webhooks_event
    WHERE organization_id = whose AND entity = kind AND entity_id = which::text
$$;
"""
NOTHING_HAPPENED = "DROP FUNCTION webhooks_happened(uuid, text, text, uuid, jsonb);"

CONNECTIONS = """
CREATE FUNCTION shops_connection_tells() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM webhooks_happened(
        NEW.organization_id, 'connection.updated', 'connection', NEW.id, jsonb_build_object(
            'id', NEW.id, 'state', NEW.state, 'before', CASE WHEN TG_OP = 'UPDATE' THEN OLD.state END,
            'reason', NEW.problem, 'name', NEW.name, 'connector', NEW.connector, 'integration_id', NEW.integration_id,
            'shop_id', NEW.shop_id, 'ext_shop_id', NEW.ext_shop_id
        )
    );
    RETURN NULL;
END $$;
CREATE TRIGGER tells_of_changes AFTER UPDATE OF state ON shops_connection FOR EACH ROW
    WHEN (OLD.state IS DISTINCT FROM NEW.state AND NEW.state NOT IN ('draft', 'connecting'))
    EXECUTE FUNCTION shops_connection_tells();
CREATE TRIGGER tells_that_it_is_there AFTER INSERT ON shops_connection FOR EACH ROW
    WHEN (NEW.state NOT IN ('draft', 'connecting')) EXECUTE FUNCTION shops_connection_tells();
"""
SILENT_CONNECTIONS = """
DROP TRIGGER tells_of_changes ON shops_connection; DROP TRIGGER tells_that_it_is_there ON shops_connection;
DROP FUNCTION shops_connection_tells();
"""

INTEGRATIONS = """
CREATE FUNCTION integrations_integration_tells() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM webhooks_happened(
        NEW.organization_id, 'integration.updated', 'integration', NEW.id, jsonb_build_object(
            'id', NEW.id, 'state', NEW.state, 'before', CASE WHEN TG_OP = 'UPDATE' THEN OLD.state END,
            'reason', NEW.state_reason, 'name', NEW.name, 'connector', NEW.connector,
            'is_deleted', NEW.deleted_at IS NOT NULL
        )
    );
    RETURN NULL;
END $$;
CREATE TRIGGER tells_of_changes AFTER UPDATE OF state, deleted_at ON integrations_integration FOR EACH ROW
    WHEN ((OLD.state, OLD.deleted_at IS NULL) IS DISTINCT FROM (NEW.state, NEW.deleted_at IS NULL))
    EXECUTE FUNCTION integrations_integration_tells();
CREATE TRIGGER tells_that_it_is_there AFTER INSERT ON integrations_integration FOR EACH ROW
    EXECUTE FUNCTION integrations_integration_tells();
"""
SILENT_INTEGRATIONS = """
DROP TRIGGER tells_of_changes ON integrations_integration;
DROP TRIGGER tells_that_it_is_there ON integrations_integration;
DROP FUNCTION integrations_integration_tells();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("webhooks", "0007_stay_as_written"),
        ("shops", "0006_one_connection_of_a_warehouse"),
        ("integrations", "0009_hold_new_orders"),
    ]
    operations = [
        migrations.RunSQL(HAPPENED, NOTHING_HAPPENED),
        migrations.RunSQL(CONNECTIONS, SILENT_CONNECTIONS),
        migrations.RunSQL(INTEGRATIONS, SILENT_INTEGRATIONS),
    ]
