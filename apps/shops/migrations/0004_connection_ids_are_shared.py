from django.db import migrations, models

# Where the owner typed an address, the platform is a server of their own.
FORWARDS = """
UPDATE shops_connection c SET ids_are_shared = false FROM integrations_integration i
WHERE i.id = c.integration_id AND i.partner_id IS NULL AND i.settings ? 'address'
"""


class Migration(migrations.Migration):

    dependencies = [
        ('shops', '0003_refer_within_one_organization'),
    ]

    operations = [
        migrations.AddField('connection', 'ids_are_shared', models.BooleanField(default=True, editable=False)),
        migrations.RunSQL(FORWARDS, migrations.RunSQL.noop),
        migrations.RunSQL("SET CONSTRAINTS ALL IMMEDIATE", migrations.RunSQL.noop),  # else no ALTER TABLE after it
        migrations.RemoveConstraint('connection', 'one_connection_per_ext_shop_id_of_a_connector'),
        migrations.AddConstraint(
            model_name='connection',
            constraint=models.UniqueConstraint(condition=models.Q(('ids_are_shared', True), ('state__in', ['connecting', 'active', 'paused', 'disconnecting'])), fields=('connector', 'ext_shop_id'), name='one_connection_per_ext_shop_id_of_a_connector'),
        ),
    ]
