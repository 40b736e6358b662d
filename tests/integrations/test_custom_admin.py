"""The 3PL's people make custom integrations, in two steps that need no JavaScript (behaviours 20 to 22, 91, 97)."""

import re
from html import unescape

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from apps.accounts.models import Organization, User
from apps.audit.models import Entry
from apps.integrations.definitions import suggested_grants
from apps.integrations.models import ApiKey, Integration, PartnerConnector
from tests.api.calling import call
from tests.conftest import signed_in
from tests.factories import make_custom_integration, make_organization, make_partner, make_user

ADD = "/admin/integrations/partnerconnector/add/"


@pytest.fixture
def hats(db) -> Organization:
    return make_organization(name="Great Hats")


@pytest.fixture
def reader(db, settings) -> Client:
    """The browser of somebody of the 3PL who may look at everything and change nothing."""
    settings.DEMO = True
    reader = make_user(is_staff=True)
    reader.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    return signed_in(reader)


def step_two(hats: Organization, category: str = "logistics") -> str:
    return f"{ADD}?organization={hats.pk}&category={category}"


def ticked(page: object) -> set[str]:
    return set(re.findall(r'name="(?:grants|directions)" value="([^"]+)" checked', page.text))


def secrets(page: object) -> list[str]:
    return re.findall(r'value="(xd[icu]_\w+)"', page.text)


def page_of(integration: Integration, deed: str = "change") -> str:
    if deed == "change":
        return reverse("admin:integrations_partnerconnector_change", args=[integration.partner.pk])
    return reverse(f"admin:integrations_partnerconnector_{deed}", args=[integration.partner.pk])


# ---- Adding one


def test_the_first_step_asks_for_whom_and_of_what_type(staff_client, hats):
    page = staff_client.get(ADD)
    assert (page.status_code, hats.name in page.text, "Logistics" in page.text) == (200, True, True)
    assert staff_client.get(f"{ADD}?organization=x&category=bank").status_code == 200


@pytest.mark.parametrize("category", ["shop", "logistics", "shipping", "payment", "erp", ""])
def test_the_type_suggests_grants_that_can_be_changed(staff_client, hats, category):
    page = staff_client.get(step_two(hats, category))
    grants = {name for name in ticked(page) if not name.endswith((":in", ":out"))}
    assert grants == set(suggested_grants(category))


@pytest.mark.parametrize(
    ("category", "flows"),
    [
        ("payment", {"orders:out"}),
        ("shipping", {"fulfillments:out", "shipments:in", "shipments:out"}),
        ("", set()),
    ],
)
def test_the_type_suggests_what_flows_as_well(staff_client, hats, category, flows):
    page = staff_client.get(step_two(hats, category))
    assert {name for name in ticked(page) if name.endswith((":in", ":out"))} == flows


def test_saving_makes_all_of_it_and_shows_both_keys_once(staff_client, staff, hats):
    given = {
        "name": "Great WMS",
        "description": "Our warehouse",
        "readme": "# How to",
        "settings_fields-0-title": "Site of the house",
        "settings_fields-0-type": "text",
        "grants": ["shipments:read", "integrations:read"],
        "directions": ["shipments:out", "inventory:in", "inventory:out"],
    }
    page = staff_client.post(step_two(hats), given)
    connector, integration = PartnerConnector.objects.get(), Integration.objects.get()
    assert (connector.organization, connector.category, connector.created_by) == (hats, "logistics", staff)
    assert connector.directions == {"inventory": ["in", "out"], "shipments": ["out"]}
    assert connector.readme == "# How to"
    assert [field["key"] for field in connector.settings_fields] == ["site_of_the_house"]
    assert integration.grants == ["integrations:read", "shipments:read"]
    integration_key, connector_key = secrets(page)
    assert page.text.count("data-copies=") == 2
    assert "no-store" in page.headers["Cache-Control"]
    assert call("GET", f"v1/integrations/{integration.pk}", token=integration_key).status_code == 200
    assert call("GET", f"v1/connectors/{connector.pk}", token=connector_key).status_code == 200
    for address in (page_of(integration), reverse("admin:integrations_integration_change", args=[integration.pk])):
        assert secrets(staff_client.get(address)) == []
    by = Entry.objects.of_integration(integration.pk).values_list("user_id", "organization_id")
    assert set(by) == {(staff.pk, hats.pk)}


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"name": ""}, "This field is required."),
        ({"grants": ["orders:fly"]}, "orders:fly is not one of the available choices."),
        ({"directions": ["orders:up"]}, "orders:up is not one of the available choices."),
        ({"settings_fields-0-title": "!"}, "Row 1, Short name: Must begin with a small letter"),
        ({"settings_fields-7-title": "A", "settings_fields-7-type": "x"}, "Row 1, Kind: Must be one of"),
        ({"settings_fields-0-title": "A", "settings_fields-0-type": "select"}, "Row 1, Choices: Must be a list of 1"),
    ],
)
def test_what_makes_no_sense_is_told_and_nothing_is_made(staff_client, hats, given, says):
    page = staff_client.post(step_two(hats), {"name": "Great WMS", "grants": ["orders:read"]} | given)
    assert (page.status_code, says in unescape(page.text), PartnerConnector.objects.count()) == (422, True, 0)


def test_what_was_ticked_stays_ticked_when_something_else_is_wrong(staff_client, hats):
    page = staff_client.post(step_two(hats), {"name": "", "grants": ["orders:read"], "directions": ["orders:in"]})
    assert ticked(page) == {"orders:read", "orders:in"}


# ---- Looking


def test_a_registered_connector_shows_its_application_and_who_uses_it(staff_client):
    partner = make_partner(name="Great Partner", email="dev@great.example")
    page = staff_client.get(reverse("admin:integrations_partnerconnector_change", args=[partner.pk]))
    shown = (partner.application.client_id, "https://partner.example/callback", "dev@great.example")
    assert [text in page.text for text in shown] == [True] * 3
    assert ("Change the definition" in page.text, partner.application.client_secret in page.text) == (False, False)


def test_a_custom_connector_shows_its_definition_and_its_integration(staff_client, hats):
    integration = make_custom_integration(organization=hats, name="Great WMS")
    PartnerConnector.objects.update(directions={"orders": ["out"]}, readme="# How to")
    page = staff_client.get(page_of(integration))
    shown = ("Orders: out", "# How to", "Great WMS", "Change the definition")
    assert [text in page.text for text in shown] == [True] * 4


# ---- Changing


def test_a_definition_is_changed_and_waits_to_be_applied(staff_client, staff, hats):
    integration = make_custom_integration(organization=hats, grants=["orders:read"])
    page = staff_client.get(page_of(integration, "change_definition"))
    assert 'name="version" value="1"' in page.text
    given = {"name": "New", "grants": ["hooks:read"], "org_wide_access": "on", "version": "1"}
    answer = staff_client.post(page_of(integration, "change_definition"), given, follow=True)
    assert "wait until you apply them" in answer.text
    connector = PartnerConnector.objects.get()
    assert (connector.name, connector.grants, connector.org_wide_access, connector.version) == (
        "New",
        ["hooks:read"],
        True,
        2,
    )
    assert Integration.objects.get().grants == ["orders:read"]
    assert Entry.objects.get(action="connector.change").user_id == staff.pk


def test_a_definition_that_somebody_changed_meanwhile_is_not_overwritten(staff_client, hats):
    integration = make_custom_integration(organization=hats)
    PartnerConnector.objects.update(version=2)
    page = staff_client.post(page_of(integration, "change_definition"), {"name": "Late", "version": "1"})
    assert (page.status_code, "It is at version 2 now." in page.text) == (422, True)
    assert PartnerConnector.objects.get().name != "Late"


def test_a_connector_is_deleted_after_asking(staff_client, hats):
    integration = make_custom_integration(organization=hats)
    assert staff_client.get(page_of(integration, "discard")).status_code == 200
    assert PartnerConnector.objects.get().is_active
    staff_client.post(page_of(integration, "discard"))
    assert (PartnerConnector.objects.get().is_active, Integration.objects.get().state) == (False, "disabled")
    assert staff_client.post(page_of(integration, "discard")).status_code == 403


# ---- Who may


def test_who_may_only_look_sees_and_cannot_act(reader, hats):
    integration = make_custom_integration(organization=hats)
    page = reader.get(page_of(integration))
    assert (page.status_code, "Change the definition" in page.text) == (200, False)
    refused = [ADD, step_two(hats), page_of(integration, "change_definition"), page_of(integration, "discard")]
    found = {ask(address, {"name": "x"}).status_code for address in refused for ask in (reader.get, reader.post)}
    assert (found, PartnerConnector.objects.count(), ApiKey.objects.count()) == ({403}, 1, 0)


def test_who_may_not_even_look_finds_nothing(hats, settings):
    settings.DEMO = True
    integration = make_custom_integration(organization=hats)
    nobody: User = make_user(is_staff=True)
    assert signed_in(nobody).get(page_of(integration)).status_code == 403
    assert signed_in(nobody).post(step_two(hats), {"name": "x"}).status_code == 403
