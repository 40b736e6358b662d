from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("catalog", "0009_worklist")]
    operations = [
        migrations.AddField("location", "counted_at", models.DateTimeField(blank=True, editable=False, null=True)),
        migrations.AddField(
            "location", "counted_version", models.BigIntegerField(blank=True, editable=False, null=True)
        ),
    ]
