from django.db import migrations, models
from django.db.models import deletion
from django.db.models.functions import Now

# A test empties all tables after itself, and nobody else ever does: its connections say so.
FORWARDS = """
CREATE FUNCTION audit_is_never_emptied() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('crossdock.may_empty_the_trail', true) IS DISTINCT FROM 'on' THEN
        RAISE EXCEPTION 'The audit trail is append-only.' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON audit_entry EXECUTE FUNCTION audit_is_never_emptied();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON audit_seal EXECUTE FUNCTION audit_is_never_emptied();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON audit_sealed EXECUTE FUNCTION audit_is_never_emptied();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON audit_seal
    FOR EACH ROW EXECUTE FUNCTION audit_entry_is_append_only();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON audit_sealed
    FOR EACH ROW EXECUTE FUNCTION audit_entry_is_append_only();
"""
BACKWARDS = """
DROP TRIGGER append_only ON audit_seal;
DROP TRIGGER append_only ON audit_sealed;
DROP FUNCTION audit_is_never_emptied() CASCADE;
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0002_append_only")]
    operations = [
        migrations.CreateModel(
            name="Seal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(db_default=Now())),
                ("count", models.PositiveIntegerField()),
                ("upto", models.BigIntegerField()),
                ("digest", models.CharField(max_length=64)),
            ],
            options={
                "ordering": ["-id"],
                "verbose_name": "seal of the audit trail",
                "verbose_name_plural": "seals of the audit trail",
            },
        ),
        migrations.CreateModel(
            name="Sealed",
            fields=[
                (
                    "entry",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=deletion.DO_NOTHING,
                        related_name="mark",
                        primary_key=True,
                        serialize=False,
                        to="audit.entry",
                    ),
                ),
                ("seal", models.ForeignKey(on_delete=deletion.PROTECT, to="audit.seal")),
            ],
            options={"verbose_name": "sealed entry"},
        ),
        migrations.RunSQL(FORWARDS, BACKWARDS),
    ]
