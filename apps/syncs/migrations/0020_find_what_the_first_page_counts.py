from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("syncs", "0030_read_orders_since")]
    operations = [
        migrations.AddIndex(
            "syncrun",
            models.Index(fields=["shop", "kind", "-created_at", "-id"], name="runs_of_a_kind"),
        ),
        migrations.AddIndex(
            "syncrun",
            models.Index(
                fields=["shop", "kind", "-created_at", "-id"], condition=Q(state="failed"), name="failed_runs_of_a_kind"
            ),
        ),
        migrations.AddIndex(
            "syncrun",
            models.Index(
                fields=["finished_at"],
                include=["state"],
                condition=Q(finished_at__isnull=False),
                name="runs_by_their_end",
            ),
        ),
    ]
