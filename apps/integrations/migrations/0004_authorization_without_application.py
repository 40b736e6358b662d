import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('integrations', '0003_refer_within_one_organization'),
    ]

    operations = [
        migrations.AlterField(
            model_name='authorization',
            name='application',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='authorizations', to=settings.OAUTH2_PROVIDER_APPLICATION_MODEL),
        ),
    ]
