from django.db import migrations

# Rows of a queue die as fast as they come. With PostgreSQL's own fifth of the table, millions of dead ones would lie in
# front of the living before anybody sweeps.
OFTEN = """
ALTER TABLE webhooks_outgoing SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000);
ALTER TABLE webhooks_endpoint SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000,
                                   fillfactor = 50);
ALTER TABLE webhooks_delivery SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 50000);
"""
SELDOM = """
ALTER TABLE webhooks_outgoing RESET (autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold);
ALTER TABLE webhooks_endpoint RESET (autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold, fillfactor);
ALTER TABLE webhooks_delivery RESET (autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold);
"""


class Migration(migrations.Migration):
    dependencies = [("webhooks", "0011_find_failed_receipts")]
    operations = [migrations.RunSQL(OFTEN, SELDOM)]
