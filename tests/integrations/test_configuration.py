"""A configuration goes out without secrets, and comes in whole or not at all (behaviour 44)."""

from typing import Any

import pytest
from rest_framework.serializers import ValidationError

from apps.api.errors import Problem, problem_of
from apps.audit.models import Entry
from apps.audit.trail import Actor
from apps.integrations import configuration, configuring, exporting
from apps.integrations.models import Integration, PartnerConnector, SecretSettings
from tests.factories import make_custom_integration, make_integration, make_partner_integration

SOMEBODY = Actor("somebody")
SITE = {"key": "site", "title": "Site", "type": "text"}
SECRET = {"key": "password", "title": "Password", "type": "secret", "required": True}
WHOLE = {"data_type": None, "default": None, "required": False, "options": []}
CUSTOM = {"format": 1, "connector": "custom", "category": "logistics"}


@pytest.fixture
def integration(db) -> Integration:
    made = make_custom_integration(grants=["orders:read"])
    fields = [WHOLE | SITE, WHOLE | SECRET]
    PartnerConnector.objects.update(settings_fields=fields, directions={"orders": ["out"]}, grants=["orders:read"])
    made = Integration.objects.select_related("partner").get()
    configuring.write(made, {"site": "North", "password": "hunter2"}, actor=SOMEBODY)
    return made


def apply(integration: Integration, document: Any, **limits: Any) -> list[dict[str, Any]]:
    return configuration.apply(integration, document, actor=SOMEBODY, **limits)


def wrong(integration: Integration, document: Any) -> list[str]:
    """The attributes that are refused; and then nothing was changed."""
    before = everything()
    with pytest.raises((Problem, ValidationError)) as found:
        apply(integration, document)
    assert everything() == before
    problem = problem_of(found.value)
    assert problem.code == "validation_error"
    return [attribute for attribute, _ in problem.details]


def everything() -> list[list[tuple[Any, ...]]]:
    models = (Integration, PartnerConnector, SecretSettings, Entry)
    return [list(model.objects.order_by("pk").values_list()) for model in models]


def test_no_secret_goes_out(integration):
    exported = exporting.export(integration)
    assert exported["settings"] == {"site": "North"}
    assert "hunter2" not in str(exported)


def test_a_value_from_before_its_field_became_a_secret_does_not_go_out(integration):
    PartnerConnector.objects.update(settings_fields=[WHOLE | SITE | {"type": "secret"}])
    assert exporting.export(Integration.objects.select_related("partner").get())["settings"] == {}


def test_what_went_out_comes_in_and_changes_nothing(integration):
    exported = exporting.export(integration)
    assert apply(integration, exported) == []
    assert exporting.export(Integration.objects.select_related("partner").get()) == exported
    assert SecretSettings.objects.get().secrets == {"password": "hunter2"}
    assert PartnerConnector.objects.get().version == 1


def test_it_fits_another_integration_of_the_same_kind(integration):
    exported = exporting.export(integration) | {"name": "Copy"}
    other = make_custom_integration(grants=["hooks:read"])
    other = Integration.objects.select_related("partner").get(pk=other.pk)
    changed = {change["attribute"] for change in apply(other, exported)}
    assert changed == {
        "name",
        "grants",
        "settings.site",
        "directions.orders",
        "definition.grants",
        "definition.settingsFields",
    }
    other = Integration.objects.select_related("partner").get(pk=other.pk)
    assert exporting.export(other) == exported
    assert (other.partner.version, other.partner.name.startswith("Custom")) == (2, True)


def test_a_part_changes_only_that(integration):
    changes = apply(integration, CUSTOM | {"flags": {"stockSync": False}, "settings": {"site": None}})
    assert changes == [
        {"attribute": "flags.stockSync", "before": True, "after": False},
        {"attribute": "settings.site", "before": "North", "after": None},
    ]
    entry = Entry.objects.get(action="configuration.import")
    assert (entry.before, entry.after) == (
        {"flags.stockSync": True, "settings.site": "North"},
        {"flags.stockSync": False, "settings.site": None},
    )


def test_access_to_the_whole_organization_comes_with_the_definition_only(integration):
    apply(integration, CUSTOM | {"definition": {"orgWideAccess": True, "grants": ["hooks:read"]}})
    found = Integration.objects.select_related("partner").get()
    assert (found.partner.org_wide_access, found.partner.version) == (True, 2)
    assert (found.org_wide_access, found.grants) == (False, ["orders:read"])


@pytest.mark.parametrize(
    ("part", "attributes"),
    [
        ({"format": 2}, ["format"]),
        ({"surprise": 1}, ["surprise"]),
        ({"state": "connected"}, ["state"]),
        ({"flags": {"moodSync": True}}, ["flags.moodSync"]),
        ({"flags": {"orderSync": 1}}, ["flags.orderSync"]),
        ({"connector": "elsewhere"}, ["connector"]),
        ({"category": "shop"}, ["category"]),
        ({"name": ""}, ["name"]),
        ({"name": "Great\nHats"}, ["name"]),
        ({"grants": ["orders:fly"]}, ["grants[0]"]),
        ({"directions": {"orders": ["sideways"]}}, ["directions.orders[0]"]),
        ({"definition": {"version": 7}}, ["definition.version"]),
        ({"definition": {"settingsFields": [{"key": "x"}]}}, None),
        ({"settings": {"password": "new"}}, ["settings.password"]),
        ({"settings": {"password": None}}, ["settings.password"]),
        ({"settings": {"color": "red"}}, ["settings.color"]),
        ({"settings": {"site": 7}}, ["settings.site"]),
        ({"name": "New", "settings": {"site": 7}, "grants": []}, ["settings.site"]),
        ({"definition": {"settingsFields": []}, "settings": {"site": "South"}}, ["settings.site"]),
    ],
)
def test_what_does_not_fit_changes_nothing(integration, part, attributes):
    found = wrong(integration, CUSTOM | part)
    assert found == (attributes or ["definition.settingsFields[0].title", "definition.settingsFields[0].type"])


def test_what_is_no_document_is_refused(integration):
    assert wrong(integration, {}) == ["format", "connector", "category"]
    for document in ([], "x", None, 7):
        with pytest.raises((Problem, ValidationError)):
            apply(integration, document)


def test_grants_are_given_only_by_who_may(integration):
    with pytest.raises(Problem, match="insufficient_scope"):
        apply(integration, CUSTOM | {"grants": ["orders:read", "orders:write"]}, may_give={"orders:read"})
    apply(integration, CUSTOM | {"grants": ["orders:write"]}, may_give={"orders:write"})
    assert Integration.objects.get().grants == ["orders:write"]


def test_a_built_in_connectors_configuration_has_no_definition(db):
    integration = make_integration(settings={"address": "https://hats.example"})
    exported = exporting.export(integration)
    assert exported == {
        "format": 1,
        "connector": "otter",
        "category": "shop",
        "name": integration.name,
        "flags": {"orderSync": True, "productSync": True, "stockSync": True},
        "settings": {},
        "grants": [],
    }
    assert apply(integration, exported | {"name": "Hats"}) == [
        {"attribute": "name", "before": integration.name, "after": "Hats"}
    ]
    assert Integration.objects.get().settings == {"address": "https://hats.example"}
    assert wrong(integration, exported | {"definition": {}, "directions": {}}) == ["directions", "definition"]


def test_what_a_registered_application_may_do_is_decided_by_consent(db):
    integration = make_partner_integration(grants=["orders:read"])
    exported = exporting.export(integration)
    assert exported["connector"] == str(integration.partner.pk)
    assert apply(integration, exported) == []
    assert wrong(integration, exported | {"grants": ["orders:read", "orders:write"]}) == ["grants"]


def test_a_connector_that_the_operator_removed_still_has_a_configuration(db):
    integration = make_integration(connector="gone")
    exported = exporting.export(integration)
    assert (exported["connector"], exported["category"]) == ("gone", None)
    assert apply(integration, exported) == []
