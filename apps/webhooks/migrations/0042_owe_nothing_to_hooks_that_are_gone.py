from django.db import migrations

CHECK = """
CREATE OR REPLACE FUNCTION webhooks_delivery_is_of_its_organization() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM made
        LEFT JOIN webhooks_hook hook ON hook.id = made.hook_id
        LEFT JOIN webhooks_event event ON event.id = made.event_id
        WHERE hook.organization_id IS DISTINCT FROM made.organization_id
           OR event.organization_id IS DISTINCT FROM made.organization_id
           OR hook.endpoint_id IS DISTINCT FROM made.endpoint_id
           {more}
    ) THEN
        RAISE EXCEPTION '{said}' USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END $$;
"""
# Between the look at the hooks and the writing of what they are owed, one may be taken away as well as moved. Whoever
# does either holds the endpoint's lock, and so does whoever writes by the time this looks.
OF_HOOKS_THAT_ARE = CHECK.format(
    more="OR (hook.deleted_at IS NOT NULL AND made.state IN ('pending', 'waiting', 'behind'))",
    said="The hook or the event is of another organization, or the hook has moved or gone.",
)
OF_ANY_HOOK = CHECK.format(more="", said="The hook or the event is of another organization.")


class Migration(migrations.Migration):
    dependencies = [("webhooks", "0041_find_what_was_given_up_lately")]
    operations = [migrations.RunSQL(OF_HOOKS_THAT_ARE, OF_ANY_HOOK)]
