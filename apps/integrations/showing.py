"""An integration's settings as they are: its connector's typed fields, each with its value."""

from collections.abc import Mapping
from typing import Any

from .connectors import UnknownConnector
from .fields import Field
from .models import Integration, SecretSettings


def fields_of(integration: Integration) -> list[Field]:
    """The fields of its connector; none when the operator has removed it."""
    try:
        return list(integration.kind.settings_fields)
    except UnknownConnector:
        return []


def shown(integration: Integration) -> list[Field]:
    """Its fields, each with its `value` and whether one `is_set`. A secret's value is None, always (behaviour 37)."""
    fields = fields_of(integration)
    secrets = secrets_of(integration, fields)
    return [field | _shown_value(field, integration.settings, secrets) for field in fields]


def _shown_value(field: Field, settings: Mapping[str, Any], secrets: Mapping[str, Any]) -> dict[str, Any]:
    if is_secret(field):
        return {"value": None, "is_set": field["key"] in secrets}
    return {"value": settings.get(field["key"], field["default"]), "is_set": field["key"] in settings}


def secrets_of(integration: Integration, fields: list[Field]) -> dict[str, Any]:
    """The values of its secret fields by key. To be compared and kept, and never to be shown."""
    row = SecretSettings.objects.filter(integration=integration).first() if any(map(is_secret, fields)) else None
    return row.secrets if row else {}


def is_secret(field: Field) -> bool:
    return bool(field["type"] == "secret")
