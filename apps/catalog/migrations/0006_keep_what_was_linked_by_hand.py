from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [("catalog", "0005_ledger")]
    operations = [
        migrations.AddField("listing", "by_hand", models.BooleanField(db_default=False, editable=False)),
    ]
