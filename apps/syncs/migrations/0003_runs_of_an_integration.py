from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("syncs", "0002_refer_within_one_organization"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="syncrun",
            index=models.Index(fields=["integration", "-created_at", "-id"], name="runs_of_an_integration"),
        ),
    ]
