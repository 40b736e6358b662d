"""An integration's configuration as one document that holds no secret, and what differs between two of them."""

from typing import Any

from apps.api.bodies import Flag, Strict, Text

from . import definitions
from .definitions import Grants, SettingsFields, category_of
from .models import Integration
from .showing import fields_of, is_secret

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


# The names of the flags in a document, and of their fields in an integration.
FLAGS = {name: str(field.source) for name, field in Flags().fields.items()}


def export(integration: Integration) -> dict[str, Any]:
    """Its name, flags, settings, grants and, for a custom one, the definition of its connector (behaviour 44)."""
    document: dict[str, Any] = {
        "format": FORMAT,
        "connector": connector_of(integration),
        "category": category_of(integration),
        "name": integration.name,
        "flags": dict(Flags(integration).data),
        "settings": _open_settings(integration),
        "grants": sorted(integration.grants),
    }
    return document | (_definition(integration) if is_custom(integration) else {})


def is_custom(integration: Integration) -> bool:
    """Whether its connector is its organization's own."""
    return bool(integration.partner and integration.partner.is_custom)


def connector_of(integration: Integration) -> str:
    """What must be the same where the document goes."""
    return CUSTOM if is_custom(integration) else integration.connector


def _open_settings(integration: Integration) -> dict[str, Any]:
    keys = [field["key"] for field in fields_of(integration) if not is_secret(field)]
    return {key: integration.settings[key] for key in keys if key in integration.settings}


def _definition(integration: Integration) -> dict[str, Any]:
    assert integration.partner
    facts = definitions.facts(integration.partner)
    part = {name: facts[name] for name in facts if name in DefinitionPart().fields}
    return {"directions": facts["directions"], "definition": part}


def differences(before: dict[str, Any], after: dict[str, Any]) -> list[dict[str, Any]]:
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
