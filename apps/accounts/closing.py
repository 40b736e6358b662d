"""Closing an organization, and opening it again. Nothing is deleted: what may work for it asks whether it is active."""

from dataclasses import replace

from django.db import transaction

from apps.audit.trail import Actor, record

from .models import Organization


def deactivate(organization: Organization, *, by: Actor) -> bool:
    """From now on nobody sees its data, its tokens and keys are refused, and its syncs wait. False when it was so."""
    return _set(organization, is_active=False, action="organization.deactivate", by=by)


def activate(organization: Organization, *, by: Actor) -> bool:
    """As it was before: what was not revoked is good again, and its syncs go on. False when it was so."""
    return _set(organization, is_active=True, action="organization.activate", by=by)


@transaction.atomic
def _set(organization: Organization, *, is_active: bool, action: str, by: Actor) -> bool:
    others = Organization.objects.filter(pk=organization.pk, is_active=not is_active)
    if not others.update(is_active=is_active):
        return False
    organization.is_active = is_active
    actor = replace(by, organization_id=organization.pk)
    record(actor, action, on=organization, before={"is_active": not is_active}, after={"is_active": is_active})
    return True
