from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("webhooks", "0041_find_what_was_given_up_lately")]
    operations = [
        migrations.AddField("notice", "owners_told_at", models.DateTimeField(blank=True, null=True)),
        migrations.AddField("notice", "operators_told_at", models.DateTimeField(blank=True, null=True)),
    ]
