from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("desk", "0015_find")]
    operations = [migrations.AddField("dismissal", "count", models.PositiveIntegerField(db_default=0))]
