from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("integrations", "0004_authorization_without_application")]

    operations = [
        migrations.AddField("integration", "org_wide_access", models.BooleanField(default=False)),
        migrations.AddField("integration", "applied_version", models.PositiveIntegerField(blank=True, null=True)),
        migrations.AddField("apikey", "all_grants", models.BooleanField(default=False)),
    ]
