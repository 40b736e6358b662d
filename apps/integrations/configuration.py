"""Putting an exported configuration into an integration: the reverse of `exporting.export`.

What was exported can be imported, and then nothing changes.
"""

from collections.abc import Container
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from apps.api.bodies import Strict, Text
from apps.api.errors import Problem
from apps.audit.trail import Actor, record

from . import customizing
from .definitions import Directions, Grants, category_of
from .exporting import FORMAT, DefinitionPart, Flags, connector_of, differences, export, is_custom
from .fields import Field, check_values
from .models import Integration, Revision
from .revising import revised
from .showing import fields_of


def one_line(text: str) -> None:
    """People read it, also when they are asked to agree: no character may hide, or turn the text around."""
    if not text.isprintable():
        raise serializers.ValidationError("Use only characters that can be seen.")


class Document(Strict):
    """What is left out stays as it is."""

    format = serializers.IntegerField(min_value=FORMAT, max_value=FORMAT)
    connector = Text(max_length=50)
    category = Text(max_length=20, allow_null=True)
    name = Text(max_length=200, validators=[one_line], required=False)
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
    with revised(integration, actor=actor, origin=Revision.Origin.IMPORT):
        locked = _locked(integration)
        before = export(locked)
        _check(locked, given, may_give=may_give)
        _write(locked, given, actor=actor)
    changes = differences(before, export(_locked(integration)))
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
    own = {"connector": connector_of(integration), "category": category_of(integration)}
    wrong = [(name, _("Must be %(value)s.") % {"value": value}) for name, value in own.items() if given[name] != value]
    if not is_custom(integration):
        wrong += [(name, _("Only a custom one has it.")) for name in ("directions", "definition") if name in given]
    return wrong


def _wrong_grants(integration: Integration, given: dict[str, Any]) -> list[tuple[str, str]]:
    is_registered = integration.partner is not None and not is_custom(integration)
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
