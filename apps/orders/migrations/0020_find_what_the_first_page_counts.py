from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("orders", "0040_say_since_when_a_sku_waits")]
    operations = [
        migrations.AddIndex(
            "order",
            models.Index(
                fields=["integration"],
                condition=~Q(state__in=["fulfilled", "cancelled", "not_ours"]),
                name="open_orders_of_an_integration",
            ),
        ),
        migrations.AddIndex(
            "order",
            models.Index(fields=["created_at"], condition=Q(state="waiting"), name="orders_that_need_somebody"),
        ),
        migrations.AddIndex(
            "hindrance",
            models.Index(fields=["code", "since"], name="hindrances_by_age"),
        ),
        migrations.AddIndex(
            "fulfillment",
            models.Index(fields=["created_at"], condition=~Q(owes="") & ~Q(error=""), name="fulfillments_not_taken"),
        ),
        migrations.AddIndex(
            "parcel",
            models.Index(fields=["shipped_at"], condition=Q(told_at=None) & ~Q(error=""), name="parcels_not_taken"),
        ),
    ]
