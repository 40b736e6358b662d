from django.db import migrations

# Orders are read every minute: a reading that found nothing is nothing to tell of.
RUNS = """
CREATE FUNCTION syncs_syncrun_tells() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM webhooks_happened(
        NEW.organization_id, 'sync_run.finished', 'sync_run', NEW.id, jsonb_build_object(
            'id', NEW.id, 'sync', NEW.kind, 'state', NEW.state, 'before', OLD.state, 'error', NEW.error,
            'done', NEW.done, 'total', NEW.total, 'created_count', NEW.created_count,
            'updated_count', NEW.updated_count, 'removed_count', NEW.removed_count, 'failed_count', NEW.failed_count,
            'created_at', syncs_moment(NEW.created_at), 'started_at', syncs_moment(NEW.started_at),
            'finished_at', syncs_moment(NEW.finished_at), 'integration_id', NEW.integration_id,
            'connector', (SELECT connector FROM integrations_integration WHERE id = NEW.integration_id),
            'shop_id', NEW.shop_id, 'ext_shop_id', (SELECT ext_shop_id FROM shops_shop WHERE id = NEW.shop_id)
        )
    );
    RETURN NULL;
END $$;
CREATE FUNCTION syncs_moment(moment timestamptz) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT to_char(moment AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
$$;
CREATE TRIGGER tells_of_its_end AFTER UPDATE OF state ON syncs_syncrun FOR EACH ROW
    WHEN (
        OLD.state IS DISTINCT FROM NEW.state AND NEW.state IN ('succeeded', 'partial', 'failed', 'cancelled')
        AND NOT (
            NEW.kind = 'orders' AND NEW.state = 'succeeded'
            AND NEW.created_count + NEW.updated_count + NEW.failed_count = 0
        )
    )
    EXECUTE FUNCTION syncs_syncrun_tells();
"""
SILENT_RUNS = """
DROP TRIGGER tells_of_its_end ON syncs_syncrun; DROP FUNCTION syncs_syncrun_tells(); DROP FUNCTION syncs_moment;
"""


class Migration(migrations.Migration):
    dependencies = [("syncs", "0008_order_feeds"), ("webhooks", "0008_tell_of_states")]
    operations = [migrations.RunSQL(RUNS, SILENT_RUNS)]
