from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("catalog", "0013_refer_to_own_listings_and_reporters")]
    operations = [
        migrations.AddIndex(
            "publication",
            models.Index(fields=["shop", "error"], condition=~Q(error=""), name="publications_not_taken"),
        ),
    ]
