from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("webhooks", "0040_find_what_came_to_nothing")]
    operations = [
        migrations.AddIndex(
            "delivery",
            models.Index(fields=["finished_at"], condition=Q(state="failed"), name="failed_deliveries_by_their_end"),
        ),
    ]
