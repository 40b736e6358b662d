from django.db import migrations

# A row that is saved again as it is does nobody any harm; one that would say something else is refused.
REFUSE_CHANGES = """
CREATE OR REPLACE TRIGGER stays BEFORE UPDATE ON webhooks_attempt
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION webhooks_attempt_stays();
CREATE OR REPLACE TRIGGER stays BEFORE UPDATE ON webhooks_outgoing
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION webhooks_outgoing_stays();
"""
REFUSE_ALL = """
CREATE OR REPLACE TRIGGER stays BEFORE UPDATE ON webhooks_attempt
    FOR EACH ROW EXECUTE FUNCTION webhooks_attempt_stays();
CREATE OR REPLACE TRIGGER stays BEFORE UPDATE ON webhooks_outgoing
    FOR EACH ROW EXECUTE FUNCTION webhooks_outgoing_stays();
"""


class Migration(migrations.Migration):
    dependencies = [("webhooks", "0006_go_out")]
    operations = [migrations.RunSQL(REFUSE_CHANGES, REFUSE_ALL)]
