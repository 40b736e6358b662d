"""Switching an integration off, and on again (behaviour 42).

While it is disabled its keys and tokens are refused (`apps.shops.principals`), its syncs are held (`SyncRun.allowed`)
and nobody can give it permission anew. Its settings, keys, shops and connections stay as they are.
"""

from django.db import transaction

from apps.audit.trail import Actor, record

from .models import Credential, Integration

State = Integration.State


@transaction.atomic
def disable(integration: Integration, *, actor: Actor, reason: str = "") -> None:
    """Switch it off. `reason` is for whoever asks why; with another one, disabling again changes that only."""
    locked = _locked(integration)
    before = _facts(locked)
    if locked.state != State.DISABLED:
        locked.state_before, locked.state = locked.state, State.DISABLED
    locked.state_reason = reason
    _keep(locked, integration)
    record(actor, "integration.disable", on=locked, before=before, after=_facts(locked), reason=reason)


@transaction.atomic
def enable(integration: Integration, *, actor: Actor) -> bool:
    """Switch it on: as it was before, unless it has lost its permission meanwhile. False when it was on already."""
    locked = _locked(integration)
    if locked.state != State.DISABLED:
        return False
    before = _facts(locked)
    locked.state, locked.state_before, locked.state_reason = _former(locked), "", ""
    _keep(locked, integration)
    record(actor, "integration.enable", on=locked, before=before, after=_facts(locked))
    return True


def _locked(integration: Integration) -> Integration:
    return (
        Integration.objects.select_related("partner")
        .select_for_update(of=("self",), no_key=True)
        .get(pk=integration.pk)
    )


def _former(integration: Integration) -> str:
    """What enabling goes back to."""
    has_permission = _has_permission(integration)
    return integration.state_before or State.NOT_CONFIGURED if has_permission else State.NOT_CONFIGURED


def _has_permission(integration: Integration) -> bool:
    """Whether there still is what it worked with: an owner's consent, or what a platform gave us."""
    partner = integration.partner
    if partner is None:
        return Credential.objects.filter(integration=integration).exists()
    return partner.is_active and (partner.is_custom or integration.authorizations.live().exists())


def _keep(locked: Integration, integration: Integration) -> None:
    """Written, and seen by whoever asked for it."""
    locked.save(update_fields=["state", "state_before", "state_reason", "updated_at"])
    for name in ("state", "state_before", "state_reason", "updated_at"):
        setattr(integration, name, getattr(locked, name))


def _facts(integration: Integration) -> dict[str, str]:
    return {"state": integration.state, "state_reason": integration.state_reason}
