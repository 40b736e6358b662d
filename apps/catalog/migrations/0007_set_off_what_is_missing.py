from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("catalog", "0006_keep_what_was_linked_by_hand")]
    operations = [
        migrations.AddField("stocklevel", "missing", models.PositiveBigIntegerField(db_default=0, editable=False)),
        migrations.AddField("stockmovement", "reported_change", models.IntegerField(blank=True, null=True)),
        migrations.AddIndex(
            "stockmovement",
            models.Index(
                condition=models.Q(("is_count", False)),
                fields=["level", "occurred_at"],
                name="changes_of_a_level",
            ),
        ),
    ]
