from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("webhooks", "0020_find_what_the_first_page_counts")]
    operations = [
        migrations.AddIndex(
            "delivery",
            models.Index(
                fields=["endpoint", "error"],
                include=["hook", "organization", "finished_at"],
                condition=Q(state="failed"),
                name="failed_deliveries",
            ),
        ),
    ]
