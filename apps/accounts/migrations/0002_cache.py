from django.core.management import call_command
from django.db import migrations


def create(apps, schema_editor):
    # The table of the shared cache (rate limits of signing in); its shape is Django's own.
    call_command("createcachetable", database=schema_editor.connection.alias)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]
    operations = [migrations.RunPython(create, migrations.RunPython.noop)]
