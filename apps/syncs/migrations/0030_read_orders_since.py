from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("syncs", "0010_list_what_was_put_right")]

    operations = [
        migrations.AddField("syncrun", "since", models.DateTimeField(blank=True, null=True)),
    ]
