from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("catalog", "0040_find_what_platforms_do_not_take")]
    operations = [
        migrations.AlterModelOptions(
            "skumapping",
            {"ordering": ["-number"], "verbose_name": "SKU mapping", "verbose_name_plural": "SKU mappings"},
        ),
        migrations.AlterModelOptions(
            "skupair", {"ordering": ["first"], "verbose_name": "SKU pair", "verbose_name_plural": "SKU pairs"}
        ),
    ]
