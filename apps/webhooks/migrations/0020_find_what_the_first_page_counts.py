from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("webhooks", "0012_sweep_queues_often")]
    operations = [
        migrations.AddIndex(
            "delivery",
            models.Index(
                fields=["id"],
                condition=Q(state="waiting", next_attempt_at__isnull=False),
                name="deliveries_waiting_by_age",
            ),
        ),
        migrations.AddIndex(
            "delivery",
            models.Index(
                fields=["finished_at"],
                include=["state"],
                condition=Q(finished_at__isnull=False),
                name="deliveries_by_their_end",
            ),
        ),
        migrations.AddIndex(
            "receipt",
            models.Index(fields=["received_at"], condition=Q(state="parked"), name="parked_receipts_by_age"),
        ),
        migrations.AddIndex(
            "receipt",
            models.Index(fields=["received_at"], condition=Q(state="rejected"), name="refused_receipts_by_age"),
        ),
    ]
