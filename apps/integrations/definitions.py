"""The definition of a custom connector, as it comes in: through the API, the admin's page, an imported configuration.

Names are those of Pipe17's documents where they have one (`orgWideAccess`, `version`: contracts 2.3).
"""

from collections.abc import Sequence
from typing import Any

from rest_framework import serializers

from apps.api.bodies import Flag, Strict, Text
from apps.api.grants import CONSENTED, RECOMMENDED

from .connectors import UnknownConnector
from .connectors.base import Category
from .fields import Field, InvalidFields, check_definition
from .models import Integration, PartnerConnector

# What can flow into Crossdock and out of it (Pipe17's In/Out grid; which entities it shows is not published).
FLOWS = ("orders", "shipments", "fulfillments", "products", "inventory", "locations")
WAYS = ("in", "out")
LONGEST_README = 100_000  # characters
ITSELF = "integrations:read"  # with it, connection code reads the settings it has to honour (contracts 2.2)


def category_of(integration: Integration) -> str | None:
    """Its connector's category; None when the operator has removed that."""
    try:
        return str(integration.kind.category)
    except UnknownConnector:
        return None


def suggested_grants(category: str) -> list[str]:
    """What a connector of this category usually needs; nothing when none was chosen (behaviour 21)."""
    return sorted({*RECOMMENDED[category], ITSELF}) if category else []


def suggested_flows(category: str) -> list[str]:
    """What then flows, as `entity:way`: it writes what comes in here, and reads what goes out."""
    ways = {"write": "in", "read": "out"}
    granted = (grant.split(":") for grant in suggested_grants(category))
    return [f"{entity}:{ways[verb]}" for entity, verb in granted if entity in FLOWS]


class Ways(serializers.ListField):
    """In, out or both, once each."""

    child = serializers.ChoiceField(choices=WAYS)

    def to_internal_value(self, data: Any) -> list[str]:
        return sorted(set(super().to_internal_value(data)))


class Directions(Strict):
    """`{entity: ["in", "out"]}`."""

    def get_fields(self) -> dict[str, Any]:
        return {entity: Ways(required=False) for entity in FLOWS}

    def to_internal_value(self, data: Any) -> dict[str, list[str]]:
        return {entity: ways for entity, ways in super().to_internal_value(data).items() if ways}

    def to_representation(self, instance: dict[str, list[str]]) -> dict[str, list[str]]:
        return instance


class Grants(serializers.ListField):
    """Each once, in the order of the alphabet."""

    child = serializers.ChoiceField(choices=sorted(CONSENTED))

    def to_internal_value(self, data: Any) -> list[str]:
        return sorted(set(super().to_internal_value(data)))


class SettingsFields(serializers.ListField):
    """Typed fields (`fields.py`); what is left out of one is filled in. Wrong ones are named by their place."""

    child = serializers.DictField()

    def to_internal_value(self, data: Any) -> list[Field]:
        try:
            return check_definition(data, attribute="")
        except InvalidFields as found:
            raise serializers.ValidationError(_by_place(found.details)) from found


def _by_place(wrong: Sequence[tuple[str, str]]) -> Any:
    """`[1].type: message` as the framework nests it: `{1: {"type": ["message"]}}`."""
    if any(not attribute for attribute, _ in wrong):
        return [message for _, message in wrong]
    places: dict[int, dict[str, list[str]]] = {}
    for attribute, message in wrong:
        place, _, name = attribute.removeprefix("[").partition("]")
        places.setdefault(int(place), {}).setdefault(name.removeprefix(".") or "non_field_errors", []).append(message)
    return places


class Definition(Strict):
    """What a custom connector is. Only its name is required; grants left out are those suggested for its category."""

    name = Text(max_length=200)
    category = serializers.ChoiceField(choices=Category.choices, required=False)
    description = Text(max_length=2000, required=False, allow_blank=True)
    readme = Text(max_length=LONGEST_README, required=False, allow_blank=True, trim_whitespace=False)
    directions = Directions(required=False)
    grants = Grants(required=False)
    settingsFields = SettingsFields(source="settings_fields", required=False)
    orgWideAccess = Flag(source="org_wide_access", required=False)


class Change(Definition):
    """What is left out stays as it is. `version` is the one this change is based on (behaviour 29)."""

    version = serializers.IntegerField(min_value=1, max_value=2**31 - 1)
    name = Text(max_length=200, required=False)


FIELDS = {name: field.source or name for name, field in Definition().fields.items()}  # to those of PartnerConnector


def facts(connector: PartnerConnector) -> dict[str, Any]:
    """The definition as it goes out, and as the trail remembers it."""
    return {name: getattr(connector, attribute) for name, attribute in FIELDS.items()}
