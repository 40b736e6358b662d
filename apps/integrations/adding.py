"""Putting a connector to work in an organization, before anybody gave it permission (pack.cloud: contracts 4.1)."""

from typing import Any
from uuid import UUID

from django.db import transaction

from apps.accounts.models import Organization, User
from apps.api.errors import Problem
from apps.audit.trail import Actor, record

from .configuring import write
from .connectors import offered
from .models import Integration, PartnerConnector, Revision
from .revising import revised

NO_SUCH = "There is no such connector for this organization."
BY_CONSENT = "A registered application comes by its own way: an owner or admin lets it in when it asks."


@transaction.atomic
def add(
    connector_id: str, *, organization: Organization, name: str, settings: Any, actor: Actor, by: User | None
) -> Integration:
    """A new integration of a platform that is offered here (`connector_id` is its slug), not configured yet.

    Or the one integration of the organization's own connector, when it was deleted. Raises Problem: unknown_connector,
    conflict (it has its integration), and InvalidFields.
    """
    if any(connector_id == connector.slug for connector in offered()):
        made = Integration(organization=organization, connector=connector_id, name=name, created_by=by)
    else:
        made = _of_custom(_custom_connector(connector_id, organization), name=name, by=by)
    made.save()
    with revised(made, actor=actor, origin=Revision.Origin.MADE):
        record(actor, "integration.create", on=made, after={"name": name, "connector": made.connector})
        write(made, settings, actor=actor)
    return made


def _custom_connector(connector_id: str, organization: Organization) -> PartnerConnector:
    """Locked, so that of two callers at once the second sees the integration of the first."""
    active = PartnerConnector.objects.active()
    found = active.filter(pk=_as_uuid(connector_id)).select_for_update(no_key=True).first()
    if found and not found.is_custom:
        raise Problem("unknown_connector", BY_CONSENT)
    if found is None or found.organization_id != organization.pk:
        raise Problem("unknown_connector", NO_SUCH)
    return found


def _as_uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Problem("unknown_connector", NO_SUCH) from None


def _of_custom(connector: PartnerConnector, *, name: str, by: User | None) -> Integration:
    """Its one integration: a new one, or the one that was deleted."""
    found = Integration.objects.filter(partner=connector).first()
    if found and found.deleted_at is None:
        raise Problem("conflict", "A custom connector has exactly one integration, and this one has its own already.")
    assert connector.organization_id
    made = found or Integration(
        organization_id=connector.organization_id,
        partner=connector,
        connector=str(connector.pk),
        grants=connector.grants,
        created_by=by,
    )
    made.name, made.settings, made.deleted_at = name, {}, None
    if not made.is_disabled:
        made.state = Integration.State.CONNECTED
    return made
