from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("desk", "0001_initial")]
    operations = [
        migrations.AlterField("dismissal", "key", models.CharField(max_length=1000, unique=True)),
        migrations.AddField("dismissal", "title", models.CharField(blank=True, default="", max_length=500)),
        migrations.AlterField("dismissal", "title", models.CharField(blank=True, max_length=500)),
    ]
