from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("webhooks", "0010_list_messages")]
    operations = [
        migrations.AddIndex(
            "receipt",
            models.Index(fields=["received_at"], condition=models.Q(state="failed"), name="failed_receipts"),
        ),
    ]
