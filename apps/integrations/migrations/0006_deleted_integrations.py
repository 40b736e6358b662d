from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("integrations", "0005_keys_and_applied_definitions"),
    ]

    operations = [
        migrations.AddField(
            model_name="integration",
            name="deleted_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
    ]
