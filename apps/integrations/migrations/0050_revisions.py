import uuid

import django.db.models.deletion
from django.db import migrations, models

import apps.tenancy


class Migration(migrations.Migration):

    dependencies = [
        ('integrations', '0009_hold_new_orders'),
    ]

    operations = [
        migrations.CreateModel(
            name='Revision',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('number', models.PositiveIntegerField()),
                ('origin', models.CharField(choices=[('made', 'Made'), ('found', 'As it was'), ('change', 'Changed'), ('import', 'Imported'), ('definition', 'New definition'), ('applied', 'Definition applied'), ('consent', 'Consent'), ('rollback', 'Rolled back')], default='change', max_length=20)),
                ('document', models.JSONField(default=dict)),
                ('changes', models.JSONField(blank=True, default=list)),
                ('note', models.CharField(blank=True, max_length=500)),
                ('user_id', models.BigIntegerField(editable=False, null=True)),
                ('actor', models.CharField(max_length=300)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('integration', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='revisions', to='integrations.integration')),
                ('organization', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.organization')),
            ],
            options={
                'verbose_name': 'version of settings',
                'verbose_name_plural': 'versions of settings',
                'ordering': ['-created_at', '-number'],
                'constraints': [models.UniqueConstraint(fields=('organization', 'integration', 'number'), name='one_revision_per_number_of_an_integration'), apps.tenancy.SameOrganization('integration', name='a_revisions_integration_is_of_its_organization')],
            },
        ),
    ]
