"""An integration's settings, written by its connector's typed fields. Shown they are by `showing`.

Values are in `Integration.settings` by key, those of secret fields sealed in `SecretSettings`. What else is in
`Integration.settings` (the address an owner signed in at) is no field, and cannot be reached from here.
"""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from apps.audit.trail import Actor, record

from .fields import check_required, check_values
from .models import Integration, SecretSettings
from .revising import revised
from .showing import fields_of, is_secret, secrets_of


@transaction.atomic
def write(integration: Integration, values: Any, *, actor: Actor, attribute: str = "settings") -> None:
    """Set these values, by key; null takes one away, and those not named stay.

    Raises InvalidFields, naming `attribute.key`.
    """
    checked = check_values(fields_of(integration), values, attribute=attribute)
    with revised(integration, actor=actor):
        _write(integration, checked, actor=actor, attribute=attribute)


def _write(integration: Integration, checked: dict[str, Any], *, actor: Actor, attribute: str) -> None:
    fields = fields_of(integration)
    locked = Integration.objects.select_for_update(no_key=True).get(pk=integration.pk)
    secret_keys = {field["key"] for field in fields if is_secret(field)}
    written = sorted(secret_keys & set(checked))
    secrets = secrets_of(locked, fields)
    new_settings = _merged(locked.settings, {key: checked[key] for key in checked if key not in secret_keys})
    new_secrets = _merged(secrets, {key: checked[key] for key in checked if key in secret_keys})
    check_required(fields, {*new_settings, *new_secrets}, attribute=attribute)
    before = _difference(locked.settings, new_settings) | {key: _hidden(key, secrets) for key in written}
    after = _difference(new_settings, locked.settings) | {key: _hidden(key, new_secrets, "changed") for key in written}
    _keep(locked, new_settings, new_secrets if written else None)
    integration.settings, integration.updated_at = locked.settings, locked.updated_at
    record(actor, "settings.change", on=locked, before=before, after=after)


def _keep(integration: Integration, settings: dict[str, Any], secrets: dict[str, Any] | None) -> None:
    integration.settings = settings
    integration.save(update_fields=["settings", "updated_at"])
    if secrets is None:
        return
    known = SecretSettings.objects.filter(integration=integration).first()
    row = known or SecretSettings(integration=integration, organization_id=integration.organization_id)
    row.secrets = secrets
    row.save()


def _merged(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in {**old, **new}.items() if key not in new or value is not None}


def _difference(these: Mapping[str, Any], others: Mapping[str, Any]) -> dict[str, Any]:
    """What these have and the others have not, or otherwise."""
    return {key: value for key, value in these.items() if key not in others or others[key] != value}


def _hidden(key: str, secrets: Mapping[str, Any], word: str = "set") -> str:
    """A secret, as the trail may know it."""
    return word if key in secrets else "not set"
