from django.db import migrations, models

# Each side reads one table, and looks up what else it shows for the rows that are shown only: so a page of the log is
# read from the tables' own indexes, both in order. Without joins PostgreSQL can; the types of both have to be the same.
MESSAGES = """
CREATE VIEW webhooks_message AS
SELECT 'in_' || receipt.id AS id, receipt.organization_id, receipt.integration_id,
       (SELECT shop.id FROM shops_shop shop
        WHERE shop.integration_id = receipt.integration_id AND shop.ext_shop_id = receipt.shop_ref
          AND receipt.shop_ref <> '' LIMIT 1) AS shop_id,
       'in'::text AS direction, receipt.event_type::text AS type,
       CASE
           WHEN receipt.event_type LIKE 'inventory%' OR receipt.event_type LIKE 'stock%' THEN 'stock_level'
           WHEN receipt.event_type LIKE 'fulfillment%' THEN 'fulfillment'
           WHEN receipt.event_type LIKE 'order%' THEN 'order'
           WHEN receipt.event_type LIKE 'product%' THEN 'product'
           ELSE left(split_part(receipt.event_type, '.', 1), 20)
       END AS entity,
       receipt.remote_id::text AS ref,
       CASE receipt.state WHEN 'done' THEN 'completed' WHEN 'received' THEN 'acknowledged' ELSE 'failed' END AS status,
       receipt.error::text AS error, receipt.received_at AS created_at,
       receipt.id AS receipt_id, NULL::bigint AS delivery_id, NULL::uuid AS hook_id
FROM webhooks_receipt receipt
UNION ALL
SELECT 'out_' || delivery.id, delivery.organization_id,
       (SELECT hook.integration_id FROM webhooks_hook hook WHERE hook.id = delivery.hook_id),
       (SELECT hook.shop_id FROM webhooks_hook hook WHERE hook.id = delivery.hook_id),
       'out'::text, (SELECT hook.event::text FROM webhooks_hook hook WHERE hook.id = delivery.hook_id),
       split_part(delivery.lane, ':', 1), split_part(delivery.lane, ':', 2),
       CASE
           WHEN delivery.state = 'delivered' THEN 'completed'
           WHEN delivery.state IN ('failed', 'dropped') THEN 'failed'
           ELSE 'acknowledged'
       END,
       delivery.error::text, delivery.created_at, NULL::uuid, delivery.id, delivery.hook_id
FROM webhooks_delivery delivery
"""
BEFORE = """
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
DROP = "DROP VIEW webhooks_message;"


class Migration(migrations.Migration):
    dependencies = [("webhooks", "0009_receive_from_custom_integrations")]
    operations = [
        migrations.RunSQL(DROP + MESSAGES, DROP + BEFORE),
        migrations.RemoveIndex("receipt", "receipts_to_be_forgotten"),
        migrations.AddIndex("receipt", models.Index(fields=["received_at"], name="receipts_by_age")),
    ]
