"""An integration's configuration as one document, to keep or to put into another integration. It holds no secret.

`export` and `apply` are each other's reverse: what was exported can be imported, and then nothing changes.
"""

from collections.abc import Container
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from apps.api.bodies import Flag, Strict, Text
from apps.api.errors import Problem
from apps.audit.trail import Actor, record

from . import customizing, definitions
from .configuring import fields_of
from .definitions import Directions, Grants, SettingsFields, category_of
from .fields import Field, check_values
from .models import Integration

FORMAT = 1
CUSTOM = "custom"  # instead of an id: any custom connector's configuration fits any other of its category


class Flags(Strict):
    orderSync = Flag(source="order_sync_enabled", required=False)
    productSync = Flag(source="product_sync_enabled", required=False)
    stockSync = Flag(source="stock_sync_enabled", required=False)


class DefinitionPart(Strict):
    """What of a custom connector's definition is not named beside it."""

    description = Text(max_length=2000, required=False, allow_blank=True)
    readme = Text(max_length=definitions.LONGEST_README, required=False, allow_blank=True, trim_whitespace=False)
    grants = Grants(required=False)
    settingsFields = SettingsFields(source="settings_fields", required=False)
    orgWideAccess = Flag(source="org_wide_access", required=False)


class Document(Strict):
    """What is left out stays as it is."""

    format = serializers.IntegerField(min_value=FORMAT, max_value=FORMAT)
    connector = Text(max_length=50)
    category = Text(max_length=20, allow_null=True)
    name = Text(max_length=200, required=False)
    flags = Flags(required=False)
    settings = serializers.DictField(required=False)
    grants = Grants(required=False)
    directions = Directions(required=False)
    definition = DefinitionPart(required=False)


@extend_schema_serializer(component_name="ConfigurationChange")
class Change(serializers.Serializer):
    """What an import changed."""

    attribute = serializers.CharField()
    before = serializers.JSONField()
    after = serializers.JSONField()


def export(integration: Integration) -> dict[str, Any]:
    """Its name, flags, settings, grants and, for a custom one, the definition of its connector (behaviour 44)."""
    document: dict[str, Any] = {
        "format": FORMAT,
        "connector": _connector(integration),
        "category": category_of(integration),
        "name": integration.name,
        "flags": dict(Flags(integration).data),
        "settings": _open_settings(integration),
        "grants": sorted(integration.grants),
    }
    return document | (_definition(integration) if _is_custom(integration) else {})


def _is_custom(integration: Integration) -> bool:
    return bool(integration.partner and integration.partner.is_custom)


def _connector(integration: Integration) -> str:
    return CUSTOM if _is_custom(integration) else integration.connector


def _open_settings(integration: Integration) -> dict[str, Any]:
    keys = [field["key"] for field in fields_of(integration) if field["type"] != "secret"]
    return {key: integration.settings[key] for key in keys if key in integration.settings}


def _definition(integration: Integration) -> dict[str, Any]:
    assert integration.partner
    facts = definitions.facts(integration.partner)
    part = {name: facts[name] for name in facts if name in DefinitionPart().fields}
    return {"directions": facts["directions"], "definition": part}


@transaction.atomic
def apply(
    integration: Integration, document: Any, *, actor: Actor, may_give: Container[str] | None = None
) -> list[dict[str, Any]]:
    """Import a document: all of it, or, when anything in it does not fit, nothing. Returns what changed.

    `may_give` limits which grants can be added. Of a definition, grants and access to the whole organization still
    wait to be applied. Raises ValidationError and Problem: validation_error, insufficient_scope, conflict.
    """
    found = Document(data=document)
    found.is_valid(raise_exception=True)
    given = dict(found.validated_data)
    locked = _locked(integration)
    before = export(locked)
    _check(locked, given, may_give=may_give)
    _write(locked, given, actor=actor)
    changes = _differences(before, export(_locked(integration)))
    old, new = ({change["attribute"]: change[side] for change in changes} for side in ("before", "after"))
    record(actor, "configuration.import", on=locked, before=old, after=new)
    return changes


def _locked(integration: Integration) -> Integration:
    rows = Integration.objects.select_related("partner").select_for_update(no_key=True, of=("self",))
    return rows.get(pk=integration.pk)


def _check(integration: Integration, given: dict[str, Any], *, may_give: Container[str] | None) -> None:
    """Whether it fits this integration."""
    wrong = [*_wrong_connector(integration, given), *_wrong_grants(integration, given)]
    if not wrong:
        wrong = _wrong_secrets(_fields(integration, given), given)
    if wrong:
        raise Problem("validation_error", "; ".join(": ".join(pair) for pair in wrong), details=wrong)
    check_values(_fields(integration, given), given.get("settings", {}))
    added = set(given.get("grants", ())) - set(integration.grants)
    if may_give is not None and (beyond := sorted(grant for grant in added if grant not in may_give)):
        raise Problem("insufficient_scope", _("Only who has them can give %(grants)s.") % {"grants": ", ".join(beyond)})


def _wrong_connector(integration: Integration, given: dict[str, Any]) -> list[tuple[str, str]]:
    """Another kind of connector's configuration means something else."""
    own = {"connector": _connector(integration), "category": category_of(integration)}
    wrong = [(name, _("Must be %(value)s.") % {"value": value}) for name, value in own.items() if given[name] != value]
    if not _is_custom(integration):
        wrong += [(name, _("Only a custom one has it.")) for name in ("directions", "definition") if name in given]
    return wrong


def _wrong_grants(integration: Integration, given: dict[str, Any]) -> list[tuple[str, str]]:
    is_registered = integration.partner is not None and not _is_custom(integration)
    if is_registered and given.get("grants", sorted(integration.grants)) != sorted(integration.grants):
        return [("grants", _("What a registered application may do is decided by consent."))]
    return []


def _fields(integration: Integration, given: dict[str, Any]) -> list[Field]:
    """The settings it will have: those the document brings along, else those it has."""
    return given.get("definition", {}).get("settings_fields", fields_of(integration))


def _wrong_secrets(fields: list[Field], given: dict[str, Any]) -> list[tuple[str, str]]:
    secret = {field["key"] for field in fields if field["type"] == "secret"}
    found = sorted(secret & set(given.get("settings", {})))
    return [(f"settings.{key}", _("A secret is not imported: set it where it is used.")) for key in found]


def _write(integration: Integration, given: dict[str, Any], *, actor: Actor) -> None:
    if integration.partner and integration.partner.is_custom:
        changes = given.get("definition", {}) | _named(given, "directions")
        customizing.redefine(integration.partner, version=integration.partner.version, changes=changes, actor=actor)
    merged = integration.settings | given.get("settings", {})
    integration.settings = {key: value for key, value in merged.items() if value is not None}
    for name, value in (given.get("flags", {}) | _named(given, "name", "grants")).items():
        setattr(integration, name, value)
    integration.save()


def _named(given: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: given[name] for name in names if name in given}


def _differences(before: dict[str, Any], after: dict[str, Any]) -> list[dict[str, Any]]:
    """Every attribute that is another one now, nested ones by their path."""
    old, new = _flat(before), _flat(after)
    names = sorted(old.keys() | new.keys())
    changed = [name for name in names if old.get(name) != new.get(name)]
    return [{"attribute": name, "before": old.get(name), "after": new.get(name)} for name in changed]


def _flat(document: dict[str, Any]) -> dict[str, Any]:
    """`flags`, `settings`, `directions` and `definition` name by name; other attributes as they are."""
    found: dict[str, Any] = {}
    for name, value in document.items():
        found |= {f"{name}.{key}": inner for key, inner in value.items()} if isinstance(value, dict) else {name: value}
    return found
