"""Taking an integration away: its stores are disconnected, its keys and tokens die; its row stays for the record."""

from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from apps.api.errors import Problem
from apps.audit.trail import Actor, record
from apps.integrations.models import ApiKey, Authorization, Credential, Integration, SecretSettings

from .models import Connection, Shop

State = Integration.State


@transaction.atomic
def delete(integration: Integration, *, actor: Actor) -> None:
    """Delete it, whole: all of this, or nothing. Deleting twice is deleting once.

    Nothing of its stores is read from now on; platforms are told like whenever a store is disconnected, and the
    permission is kept until they know. What came in stays. New permission for the same account brings the same
    integration back, unless it was disabled. Raises Problem conflict while a store of it is being connected.
    """
    locked = Integration.objects.select_for_update(no_key=True).get(pk=integration.pk)
    if locked.deleted_at:
        return
    _leave_stores(locked)
    ApiKey.objects.filter(integration=locked, revoked_at=None).update(revoked_at=Now())
    Authorization.objects.filter(integration=locked).revoke("integration deleted")
    Shop.objects.filter(integration=locked).close()
    SecretSettings.objects.filter(integration=locked).delete()
    before = {"name": locked.name, "state": locked.state}
    locked.deleted_at = timezone.now()
    if not Connection.objects.held_stores().filter(integration=locked).exists():
        _forget_permission(locked)
    locked.save()
    record(actor, "integration.delete", on=locked, before=before)


def _leave_stores(integration: Integration) -> None:
    """A partner's are disconnected; a platform of ours has to be told first, and cannot be undone from here."""
    rows = Connection.objects.filter(integration=integration)
    if any(connection.state == Connection.State.CONNECTING for connection in rows.select_for_update()):
        raise Problem("conflict", "A store of it is being connected right now. Try again in a minute.")
    rows.drafts().delete()
    if integration.partner_id:
        rows.held_stores().update(state=Connection.State.DISCONNECTED, lease_until=None, updated_at=Now())
    else:
        rows.leave(at=timezone.now())
        rows.filter(state=Connection.State.DISCONNECTING, disconnect_at__gt=Now()).update(disconnect_at=Now())


def _forget_permission(integration: Integration) -> None:
    Credential.objects.filter(integration=integration).delete()
    if integration.state != State.DISABLED:
        integration.state = State.NOT_CONFIGURED
