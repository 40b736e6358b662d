from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("desk", "0016_say_how_many_were_dismissed")]
    operations = [migrations.AddField("job", "found", models.JSONField(blank=True, editable=False, null=True))]
