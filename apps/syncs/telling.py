"""Who hears of connections, integrations and sync runs. Their events are complete: nothing is added to them."""

from apps.webhooks.audiences import heard_by

# A shop's own token knows of what is its shop's, an integration's key of what is its own.
OF_A_SHOP = """
SELECT event_id, (data ->> 'shop_id')::uuid, (data ->> 'integration_id')::uuid FROM happened
"""
CONNECTIONS = f"{OF_A_SHOP} WHERE entity = 'connection'"
RUNS = f"{OF_A_SHOP} WHERE entity = 'sync_run'"
INTEGRATIONS = "SELECT event_id, NULL::uuid, entity_id::uuid FROM happened WHERE entity = 'integration'"


def name_audiences() -> None:
    """Once, when the portal starts."""
    heard_by("connection", CONNECTIONS)
    heard_by("sync_run", RUNS)
    heard_by("integration", INTEGRATIONS)
