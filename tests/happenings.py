"""Events, for tests of what happens to goods."""

from apps.accounts.models import TenantQuerySet
from apps.webhooks.models import Event


def of_goods() -> TenantQuerySet:
    """What happened to products, stock and orders; not that a store was connected for it, or read."""
    return Event.objects.exclude(entity__in=["connection", "integration", "sync_run"])
