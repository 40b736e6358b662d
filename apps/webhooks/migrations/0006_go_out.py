from django.db import migrations

# Whoever writes an event, by whatever way: if a hook asked for such, it is put down to go out, in the same transaction,
# and the dispatchers are woken when that commits.
GO_OUT = """
CREATE FUNCTION webhooks_event_goes_out() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO webhooks_outgoing (event_id, organization_id)
    SELECT event.id, event.organization_id FROM happened event
    WHERE EXISTS (
        SELECT FROM webhooks_hook hook
        WHERE hook.organization_id = event.organization_id AND hook.source = event.type AND hook.deleted_at IS NULL
    );
    IF FOUND THEN
        PERFORM pg_notify('crossdock_events', '');
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER goes_out AFTER INSERT ON webhooks_event REFERENCING NEW TABLE AS happened
    FOR EACH STATEMENT EXECUTE FUNCTION webhooks_event_goes_out();
"""
STAY = "DROP TRIGGER goes_out ON webhooks_event; DROP FUNCTION webhooks_event_goes_out();"

# One tenant's rows refer to no other tenant's. Keys over both columns would need an index more on the events, which
# every import would have to keep; these look once for each statement.
#
# A function keeps the plan of what it asks: joins that were planned while tables were empty read all of them, from the
# start for each new row, until the database has looked at their sizes anew. Here each row is looked up, whatever the
# sizes.
CHECK = """
CREATE FUNCTION webhooks_{of}_is_of_its_organization() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off AS $$
BEGIN
    IF EXISTS (SELECT FROM made WHERE {wrong}) THEN
        RAISE EXCEPTION '{said}' USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER {name} AFTER INSERT ON webhooks_{of} REFERENCING NEW TABLE AS made
    FOR EACH STATEMENT EXECUTE FUNCTION webhooks_{of}_is_of_its_organization();
"""
# Between the look at the hooks and the writing of what they are owed, one may be taken away as well as moved. Whoever
# does either holds the endpoint's lock, and so does whoever writes by the time this looks.
DELIVERY = CHECK.format(
    of="delivery",
    name="own_rows",
    said="The hook or the event is of another organization, or the hook has moved or gone.",
    wrong="""
        (SELECT event.organization_id FROM webhooks_event event WHERE event.id = made.event_id)
        IS DISTINCT FROM made.organization_id
        OR (SELECT hook.organization_id = made.organization_id AND hook.endpoint_id = made.endpoint_id
                   AND (hook.deleted_at IS NULL OR made.state NOT IN ('pending', 'waiting', 'behind'))
            FROM webhooks_hook hook WHERE hook.id = made.hook_id) IS NOT TRUE
    """,
)
ATTEMPT = CHECK.format(
    of="attempt",
    name="own_delivery",
    said="The delivery is of another organization.",
    wrong="""
        (SELECT delivery.organization_id FROM webhooks_delivery delivery WHERE delivery.id = made.delivery_id)
        IS DISTINCT FROM made.organization_id
    """,
)
OUTGOING = CHECK.format(
    of="outgoing",
    name="own_event",
    said="The event is of another organization.",
    wrong="""
        (SELECT event.organization_id FROM webhooks_event event WHERE event.id = made.event_id)
        IS DISTINCT FROM made.organization_id
    """,
)
STAYS = """
CREATE FUNCTION webhooks_delivery_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.organization_id, NEW.hook_id, NEW.event_id) IS DISTINCT FROM
       (OLD.organization_id, OLD.hook_id, OLD.event_id)
       OR NOT EXISTS (
           SELECT FROM webhooks_endpoint WHERE id = NEW.endpoint_id AND organization_id = NEW.organization_id
       )
    THEN
        RAISE EXCEPTION 'A delivery stays what it is.' USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER stays BEFORE UPDATE OF organization_id, hook_id, event_id, endpoint_id ON webhooks_delivery
    FOR EACH ROW EXECUTE FUNCTION webhooks_delivery_stays();

CREATE FUNCTION webhooks_attempt_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'What was tried does not change.' USING ERRCODE = 'foreign_key_violation';
END $$;
CREATE TRIGGER stays BEFORE UPDATE ON webhooks_attempt FOR EACH ROW EXECUTE FUNCTION webhooks_attempt_stays();

CREATE FUNCTION webhooks_outgoing_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'What goes out does not change.' USING ERRCODE = 'foreign_key_violation';
END $$;
CREATE TRIGGER stays BEFORE UPDATE ON webhooks_outgoing FOR EACH ROW EXECUTE FUNCTION webhooks_outgoing_stays();
"""
ANY_ROWS = """
DROP TRIGGER own_rows ON webhooks_delivery; DROP FUNCTION webhooks_delivery_is_of_its_organization();
DROP TRIGGER stays ON webhooks_delivery; DROP FUNCTION webhooks_delivery_stays();
DROP TRIGGER own_delivery ON webhooks_attempt; DROP FUNCTION webhooks_attempt_is_of_its_organization();
DROP TRIGGER stays ON webhooks_attempt; DROP FUNCTION webhooks_attempt_stays();
DROP TRIGGER own_event ON webhooks_outgoing; DROP FUNCTION webhooks_outgoing_is_of_its_organization();
DROP TRIGGER stays ON webhooks_outgoing; DROP FUNCTION webhooks_outgoing_stays();
"""

# Receipts and deliveries side by side. What a sender calls its event is sorted by the word it begins with.
MESSAGES = """
CREATE VIEW webhooks_message AS
SELECT 'in_' || receipt.id AS id, receipt.organization_id, receipt.integration_id, shop.id AS shop_id,
       'in' AS direction, receipt.event_type AS type,
       CASE
           WHEN receipt.event_type LIKE 'inventory%' OR receipt.event_type LIKE 'stock%' THEN 'stock_level'
           WHEN receipt.event_type LIKE 'fulfillment%' THEN 'fulfillment'
           WHEN receipt.event_type LIKE 'order%' THEN 'order'
           WHEN receipt.event_type LIKE 'product%' THEN 'product'
           ELSE left(split_part(receipt.event_type, '.', 1), 20)
       END AS entity,
       receipt.remote_id AS ref,
       CASE receipt.state WHEN 'done' THEN 'completed' WHEN 'received' THEN 'acknowledged' ELSE 'failed' END AS status,
       receipt.error, receipt.received_at AS created_at
FROM webhooks_receipt receipt
LEFT JOIN shops_shop shop
  ON shop.integration_id = receipt.integration_id AND shop.ext_shop_id = receipt.shop_ref AND receipt.shop_ref <> ''
UNION ALL
SELECT 'out_' || delivery.id, delivery.organization_id, hook.integration_id, hook.shop_id, 'out', hook.event,
       event.entity, event.entity_id,
       CASE
           WHEN delivery.state = 'delivered' THEN 'completed'
           WHEN delivery.state IN ('failed', 'dropped') THEN 'failed'
           ELSE 'acknowledged'
       END,
       delivery.error, delivery.created_at
FROM webhooks_delivery delivery
JOIN webhooks_hook hook ON hook.id = delivery.hook_id
JOIN webhooks_event event ON event.id = delivery.event_id
"""


class Migration(migrations.Migration):
    dependencies = [("webhooks", "0005_hear_of_events")]
    operations = [
        migrations.RunSQL(GO_OUT, STAY),
        migrations.RunSQL(DELIVERY + ATTEMPT + OUTGOING + STAYS, ANY_ROWS),
        migrations.RunSQL(MESSAGES, "DROP VIEW webhooks_message"),
    ]
