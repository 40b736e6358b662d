from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("accounts", "0004_refer_within_one_organization")]

    operations = [
        migrations.AlterModelOptions(
            name="organization",
            options={
                "ordering": ["name", "id"],
                "permissions": [("look_as_owner", "Can look at the portal as its people see it")],
            },
        ),
    ]
