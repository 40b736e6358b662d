"""Custom connectors: private to one organization, made in one step with their integration and its keys (Pipe17)."""

from dataclasses import dataclass, replace
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.accounts.models import Organization, User
from apps.api.errors import Problem
from apps.audit.trail import Actor, record

from . import keying, switching
from .definitions import facts, suggested_grants
from .keying import Issued
from .models import ApiKey, Integration, PartnerConnector, Revision
from .revising import revised


@dataclass(frozen=True, slots=True)
class Customized:
    """All that one step made. The two keys can be shown this once."""

    connector: PartnerConnector
    integration: Integration
    integration_key: Issued
    connector_key: Issued


@transaction.atomic
def customize(organization: Organization, *, definition: dict[str, Any], by: User | None, actor: Actor) -> Customized:
    """Make a private connector, its one integration, a key for each (behaviour 22). All of it, or nothing.

    `definition` is what `definitions.Definition` has checked. Grants left out are those suggested for the category.
    """
    grants = definition.get("grants", suggested_grants(definition.get("category", "")))
    connector = _define(organization, definition | {"grants": grants}, by=by)
    integration = Integration.objects.create(
        organization=organization,
        partner=connector,
        connector=str(connector.pk),
        name=connector.name,
        state=Integration.State.CONNECTED,
        grants=connector.grants,
        org_wide_access=connector.org_wide_access,
        applied_version=connector.version,
        created_by=by,
    )
    actor = replace(actor, integration_id=integration.pk)
    with revised(integration, actor=actor, origin=Revision.Origin.MADE):
        record(actor, "connector.create", on=connector, after=facts(connector))
    return Customized(
        connector,
        integration,
        integration_key=keying.issue(integration, name=_("First key"), by=by, actor=actor),
        connector_key=keying.issue(connector, name=_("First key to the definition"), by=by, actor=actor),
    )


def _define(organization: Organization, definition: dict[str, Any], *, by: User | None) -> PartnerConnector:
    kind = PartnerConnector.Kind.CUSTOM
    connector = PartnerConnector(kind=kind, organization=organization, created_by=by, **definition)
    connector.secrets = {}
    connector.save()
    return connector


def integration_of(connector: PartnerConnector) -> Integration:
    """The one integration of a custom connector."""
    return Integration.objects.select_related("partner").get(partner=connector, organization=connector.organization_id)


@transaction.atomic
def redefine(connector: PartnerConnector, *, version: int, changes: dict[str, Any], actor: Actor) -> PartnerConnector:
    """Change the definition that was read as `version`. Returns it with its new version.

    Its integration gains nothing by that: new grants and access to the whole organization wait for an admin of the
    3PL (`apply_definition`). Raises Problem: stale_version, conflict (it was deleted).
    """
    with revised(integration_of(connector), actor=actor, origin=Revision.Origin.DEFINITION):
        return _redefine(_locked(connector), version=version, changes=changes, actor=actor)


def _redefine(found: PartnerConnector, *, version: int, changes: dict[str, Any], actor: Actor) -> PartnerConnector:
    if found.version != version:
        raise Problem("stale_version", _("It is at version %(version)s now.") % {"version": found.version})
    before = facts(found)
    for name, value in changes.items():
        setattr(found, name, value)
    after = facts(found)
    changed = [name for name in after if after[name] != before[name]]
    if changed:
        found.version += 1
        found.save()
        old, new = ({name: side[name] for name in changed} for side in (before, after))
        record(_under(found, actor), "connector.change", on=found, before=old, after=new)
    return found


def _locked(connector: PartnerConnector) -> PartnerConnector:
    found = PartnerConnector.objects.select_for_update(no_key=True).get(pk=connector.pk)
    if not found.is_active:
        raise Problem("conflict", _("The connector was deleted."))
    return found


def _under(connector: PartnerConnector, actor: Actor) -> Actor:
    """What is done to the connector is entered under its integration, too."""
    return replace(actor, integration_id=integration_of(connector).pk)


def waits_to_be_applied(integration: Integration) -> bool:
    """Whether its definition asks for other rights than it has been given."""
    connector = integration.partner
    if connector is None or not connector.is_custom:
        return False
    has = (sorted(integration.grants), integration.org_wide_access)
    return has != (sorted(connector.grants), connector.org_wide_access)


@transaction.atomic
def apply_definition(integration: Integration, *, actor: Actor) -> Integration:
    """Give the integration the rights its definition asks for, and with them the keys that have `all_grants`.

    Raises Problem conflict when it is not a custom one, or its connector was deleted.
    """
    if integration.partner is None or not integration.partner.is_custom:
        raise Problem("conflict", _("Only a custom integration has a definition to apply."))
    with revised(integration, actor=actor, origin=Revision.Origin.APPLIED):
        connector = _locked(integration.partner)
        found = Integration.objects.select_for_update(no_key=True).get(pk=integration.pk)
        before = _rights(found)
        found.grants, found.org_wide_access = connector.grants, connector.org_wide_access
        found.applied_version = connector.version
        found.save()
        record(actor, "connector.apply", on=found, before=before, after=_rights(found))
    return found


def _rights(integration: Integration) -> dict[str, Any]:
    names = ("grants", "org_wide_access", "applied_version")
    return {name: getattr(integration, name) for name in names}


@transaction.atomic
def discard(connector: PartnerConnector, *, actor: Actor) -> None:
    """Delete a custom connector: its keys end, its integration is disabled, and its rows stay as the record."""
    found = _locked(connector)
    integration = integration_of(found)
    actor = replace(actor, integration_id=integration.pk)
    for key in ApiKey.objects.live().of_integration(integration):
        keying.terminate(key, actor=actor)
    switching.disable(integration, actor=actor, reason=_("Its connector was deleted."))
    found.deactivated_at = timezone.now()
    found.save(update_fields=["deactivated_at", "updated_at"])
    record(actor, "connector.delete", on=found, before=facts(found))
