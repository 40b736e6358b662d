"""What people of the 3PL do with an integration is written down under their name (behaviours 42, 44, 97)."""

import json
import re

import pytest
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from apps.audit.models import Entry
from apps.integrations import exporting
from apps.integrations.models import ApiKey, Integration, PartnerConnector
from tests.api.calling import call
from tests.conftest import signed_in
from tests.factories import (
    make_connector_key,
    make_custom_integration,
    make_integration,
    make_key,
    make_partner_integration,
    make_user,
)

DEEDS = ("new_key", "disable", "export_configuration", "import_configuration", "apply_definition")


@pytest.fixture
def integration(db) -> Integration:
    return make_custom_integration(name="Great WMS", grants=["orders:read", "shops:read"])


def address(integration: Integration, deed: str = "change") -> str:
    return reverse(f"admin:integrations_integration_{deed}", args=[integration.pk])


def actions(page: object) -> set[str]:
    """Which of our deeds its page offers."""
    found = re.findall(r'href="/admin/integrations/integration/[^/]+/(\w+)/"', page.text)
    return set(found) & {*DEEDS, "enable"}


def upload(document: object) -> dict[str, SimpleUploadedFile]:
    text = document if isinstance(document, str) else json.dumps(document)
    return {"file": SimpleUploadedFile("configuration.json", text.encode(), "application/json")}


def test_its_page_shows_its_keys_and_what_was_done(staff_client, integration):
    make_key(integration=integration, name="Of the tills")
    make_connector_key(integration=integration, name="Of the definition")
    make_key(name="Of another")
    staff_client.post(address(integration, "disable"))
    page = staff_client.get(address(integration))
    shown = ("Of the tills", "Of the definition", "Of another", "integration.disable")
    assert [text in page.text for text in shown] == [True, True, False, True]


def test_a_key_is_made_that_follows_or_is_narrow(staff_client, integration):
    for given in ({"all_grants": "on"}, {"grants": ["shops:read"]}):
        page = staff_client.post(address(integration, "new_key"), {"name": "Tills"} | given)
        token = re.findall(r'value="(xdi_\w+)"', page.text)[0]
        assert call("GET", "v1/shops", token=token).status_code == 200
    assert sorted(ApiKey.objects.values_list("all_grants", "grants")) == [(False, ["shops:read"]), (True, [])]
    page = staff_client.post(address(integration, "new_key"), {"name": "Tills", "grants": ["orders:write"]})
    assert (page.status_code, "orders:write" in page.text, ApiKey.objects.count()) == (422, True, 2)


def test_it_is_disabled_and_enabled_again(staff_client, staff, integration):
    token = make_key(integration=integration)
    page = staff_client.get(address(integration))
    assert actions(page) >= {"disable"}
    assert "enable" not in actions(page)
    staff_client.post(address(integration, "disable"), {"reason": "They asked us to."})
    assert call("GET", "v1/shops", token=token).json()["code"] == "integration_disabled"
    page = staff_client.get(address(integration))
    assert ("enable" in actions(page), "disable" in actions(page), "They asked us to." in page.text) == (
        True,
        False,
        True,
    )
    staff_client.post(address(integration, "enable"))
    assert call("GET", "v1/shops", token=token).status_code == 200
    done = Entry.objects.filter(action__startswith="integration.").order_by("id")
    assert [(entry.action, entry.user_id, entry.integration_id) for entry in done] == [
        ("integration.disable", staff.pk, integration.pk),
        ("integration.enable", staff.pk, integration.pk),
    ]


def test_its_configuration_is_downloaded(staff_client, staff, integration):
    answer = staff_client.get(address(integration, "export_configuration"))
    assert answer.headers["Content-Disposition"] == 'attachment; filename="great-wms.json"'
    assert answer.json() == exporting.export(Integration.objects.select_related("partner").get())
    entry = Entry.objects.get(action="configuration.export")
    assert (entry.user_id, entry.integration_id) == (staff.pk, integration.pk)


def test_a_configuration_is_imported_whole_or_not_at_all(staff_client, staff, integration):
    exported = staff_client.get(address(integration, "export_configuration")).json()
    answer = staff_client.post(address(integration, "import_configuration"), upload(exported), follow=True)
    assert "Nothing changed." in answer.text
    changed = upload(exported | {"name": "Better WMS", "grants": ["orders:read"]})
    answer = staff_client.post(address(integration, "import_configuration"), changed, follow=True)
    assert "2 things changed: grants, name" in answer.text
    assert Entry.objects.get(action="configuration.import", after__name="Better WMS").user_id == staff.pk


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ("{", "Not valid JSON"),
        ("", "empty"),
        ({"format": 1, "connector": "custom", "category": "shop", "name": "Bad"}, "category: Must be logistics."),
        ({"format": 1, "connector": "custom", "category": "logistics", "name": "Bad", "mood": 1}, "mood: Unknown"),
    ],
)
def test_what_is_wrong_with_a_configuration_is_told(staff_client, integration, document, says):
    page = staff_client.post(address(integration, "import_configuration"), upload(document))
    assert (page.status_code, says in page.text) == (422, True)
    assert Integration.objects.get().name == "Great WMS"


def test_a_definition_is_applied_after_saying_what_that_changes(staff_client, staff, integration):
    PartnerConnector.objects.update(grants=["orders:read", "hooks:read"], org_wide_access=True, version=3)
    page = staff_client.get(address(integration, "apply_definition"))
    says = ("New rights: hooks:read.", "Rights it loses: shops:read.", "will see all of the organization")
    assert [text in page.text for text in says] == [True] * 3
    staff_client.post(address(integration, "apply_definition"))
    found = Integration.objects.get()
    assert (found.grants, found.org_wide_access, found.applied_version) == (["orders:read", "hooks:read"], True, 3)
    assert Entry.objects.get(action="connector.apply").user_id == staff.pk
    assert "already" in staff_client.get(address(integration, "apply_definition")).text


def test_others_than_custom_integrations_are_not_offered_what_is_not_theirs(staff_client):
    built_in, registered = make_integration(), make_partner_integration()
    assert actions(staff_client.get(address(built_in))) == set(DEEDS) - {"apply_definition"}
    assert actions(staff_client.get(address(registered))) == set(DEEDS) - {"apply_definition", "new_key"}
    assert staff_client.post(address(registered, "new_key"), {"name": "x"}).status_code == 403


def test_who_may_only_look_sees_and_cannot_act(settings, integration):
    settings.DEMO = True
    reader = make_user(is_staff=True)
    reader.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    browser: Client = signed_in(reader)
    page = browser.get(address(integration))
    assert (page.status_code, actions(page)) == (200, set())
    for deed in (*DEEDS, "enable"):
        found = {ask(address(integration, deed)).status_code for ask in (browser.get, browser.post)}
        assert (deed, found) == (deed, {403})
    assert Entry.objects.count() == 0
