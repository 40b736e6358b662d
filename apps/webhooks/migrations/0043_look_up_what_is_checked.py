from django.db import migrations

CHECK = """
CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM made {wrong}) THEN
        RAISE EXCEPTION '{said}' USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END $$;
ALTER FUNCTION {name}() {setting};
"""
# A function keeps the plan of what it asks: joins that were planned while tables were empty read all of them, from the
# start for each new row, until the database has looked at their sizes anew. Here each row is looked up, whatever the
# sizes; to plan at each use as well would take as long as the check.
SAID = {
    "delivery": "The hook or the event is of another organization, or the hook has moved or gone.",
    "attempt": "The delivery is of another organization.",
    "outgoing": "The event is of another organization.",
}
LOOKED_UP = {
    "delivery": """
        WHERE (SELECT event.organization_id FROM webhooks_event event WHERE event.id = made.event_id)
              IS DISTINCT FROM made.organization_id
           OR (SELECT hook.organization_id = made.organization_id AND hook.endpoint_id = made.endpoint_id
                      AND (hook.deleted_at IS NULL OR made.state NOT IN ('pending', 'waiting', 'behind'))
               FROM webhooks_hook hook WHERE hook.id = made.hook_id) IS NOT TRUE
    """,
    "attempt": """
        WHERE (SELECT delivery.organization_id FROM webhooks_delivery delivery WHERE delivery.id = made.delivery_id)
              IS DISTINCT FROM made.organization_id
    """,
    "outgoing": """
        WHERE (SELECT event.organization_id FROM webhooks_event event WHERE event.id = made.event_id)
              IS DISTINCT FROM made.organization_id
    """,
}
JOINED = {
    "delivery": """
        LEFT JOIN webhooks_hook hook ON hook.id = made.hook_id
        LEFT JOIN webhooks_event event ON event.id = made.event_id
        WHERE hook.organization_id IS DISTINCT FROM made.organization_id
           OR event.organization_id IS DISTINCT FROM made.organization_id
           OR hook.endpoint_id IS DISTINCT FROM made.endpoint_id
           OR (hook.deleted_at IS NOT NULL AND made.state IN ('pending', 'waiting', 'behind'))
    """,
    "attempt": """
        LEFT JOIN webhooks_delivery delivery ON delivery.id = made.delivery_id
        WHERE delivery.organization_id IS DISTINCT FROM made.organization_id
    """,
    "outgoing": """
        LEFT JOIN webhooks_event event ON event.id = made.event_id
        WHERE event.organization_id IS DISTINCT FROM made.organization_id
    """,
}


def check(of: str, wrong: str, setting: str) -> str:
    name = f"webhooks_{of}_is_of_its_organization"
    return CHECK.format(name=name, wrong=wrong, said=SAID[of], setting=setting)


class Migration(migrations.Migration):
    dependencies = [("webhooks", "0042_owe_nothing_to_hooks_that_are_gone")]
    operations = [
        migrations.RunSQL(
            check(of, LOOKED_UP[of], "SET enable_seqscan = off"), check(of, JOINED[of], "RESET enable_seqscan")
        )
        for of in SAID
    ]
