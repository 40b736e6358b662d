import django.contrib.postgres.fields
from django.db import migrations, models

KEEP_BARCODES = """
UPDATE catalog_product SET barcodes = ARRAY[barcode] WHERE barcode <> '';
UPDATE catalog_listing SET barcodes = ARRAY[barcode] WHERE barcode <> '';
"""
KEEP_FIRST_BARCODE = """
UPDATE catalog_product SET barcode = barcodes[1] WHERE cardinality(barcodes) > 0;
UPDATE catalog_listing SET barcode = barcodes[1] WHERE cardinality(barcodes) > 0;
"""


class Migration(migrations.Migration):
    """One barcode becomes a list of them: copied before the old column goes, and back again on the way back."""

    dependencies = [("catalog", "0002_refer_within_one_organization")]
    operations = [
        migrations.AddField(
            model_name='listing',
            name='barcodes',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=255), blank=True, default=list),
        ),
        migrations.AddField(
            model_name='listing',
            name='brand',
            field=models.CharField(blank=True, max_length=255),
        ),
        migrations.AddField(
            model_name='listing',
            name='country_of_origin',
            field=models.CharField(blank=True, max_length=2),
        ),
        migrations.AddField(
            model_name='listing',
            name='height',
            field=models.DecimalField(blank=True, decimal_places=3, max_digits=12, null=True),
        ),
        migrations.AddField(
            model_name='listing',
            name='hs_code',
            field=models.CharField(blank=True, max_length=20),
        ),
        migrations.AddField(
            model_name='listing',
            name='length',
            field=models.DecimalField(blank=True, decimal_places=3, max_digits=12, null=True),
        ),
        migrations.AddField(
            model_name='listing',
            name='tags',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=255), blank=True, default=list),
        ),
        migrations.AddField(
            model_name='listing',
            name='type',
            field=models.CharField(blank=True, max_length=255),
        ),
        migrations.AddField(
            model_name='listing',
            name='weight',
            field=models.DecimalField(blank=True, decimal_places=3, max_digits=12, null=True),
        ),
        migrations.AddField(
            model_name='listing',
            name='width',
            field=models.DecimalField(blank=True, decimal_places=3, max_digits=12, null=True),
        ),
        migrations.AddField(
            model_name='product',
            name='barcodes',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=255), blank=True, default=list),
        ),
        migrations.AddField(
            model_name='product',
            name='brand',
            field=models.CharField(blank=True, max_length=255),
        ),
        migrations.AddField(
            model_name='product',
            name='country_of_origin',
            field=models.CharField(blank=True, max_length=2),
        ),
        migrations.AddField(
            model_name='product',
            name='height',
            field=models.DecimalField(blank=True, decimal_places=3, max_digits=12, null=True),
        ),
        migrations.AddField(
            model_name='product',
            name='hs_code',
            field=models.CharField(blank=True, max_length=20),
        ),
        migrations.AddField(
            model_name='product',
            name='length',
            field=models.DecimalField(blank=True, decimal_places=3, max_digits=12, null=True),
        ),
        migrations.AddField(
            model_name='product',
            name='tags',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=255), blank=True, default=list),
        ),
        migrations.AddField(
            model_name='product',
            name='type',
            field=models.CharField(blank=True, max_length=255),
        ),
        migrations.AddField(
            model_name='product',
            name='version',
            field=models.PositiveIntegerField(db_default=1, editable=False),
        ),
        migrations.AddField(
            model_name='product',
            name='weight',
            field=models.DecimalField(blank=True, decimal_places=3, max_digits=12, null=True),
        ),
        migrations.AddField(
            model_name='product',
            name='width',
            field=models.DecimalField(blank=True, decimal_places=3, max_digits=12, null=True),
        ),
        # The rows' deferred keys have to be checked before the table can change again.
        migrations.RunSQL("SET CONSTRAINTS ALL IMMEDIATE", "SET CONSTRAINTS ALL IMMEDIATE"),
        migrations.RunSQL(KEEP_BARCODES, KEEP_FIRST_BARCODE),
        migrations.RemoveField(
            model_name='listing',
            name='barcode',
        ),
        migrations.RemoveField(
            model_name='product',
            name='barcode',
        ),
    ]
