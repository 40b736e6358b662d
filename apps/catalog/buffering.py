"""How many pieces of each product a platform is not told of, as a reserve (behaviour 67)."""

from django.db import transaction

from apps.audit.trail import Actor, record
from apps.integrations.models import Integration
from apps.integrations.revising import revised

from .owing import owe_integration

MOST = 1_000_000  # pieces


@transaction.atomic
def keep_back(integration: Integration, pieces: int, *, actor: Actor) -> bool:
    """Its platform is told so many pieces fewer from now on. False when that is so already."""
    locked = Integration.objects.select_for_update(no_key=True).get(pk=integration.pk)
    if locked.stock_buffer == pieces:
        return False
    before = locked.stock_buffer
    with revised(integration, actor=actor):
        locked.stock_buffer = pieces
        locked.save(update_fields=["stock_buffer", "updated_at"])
    record(actor, "integration.change", on=locked, before={"stock_buffer": before}, after={"stock_buffer": pieces})
    owe_integration(locked)
    return True
