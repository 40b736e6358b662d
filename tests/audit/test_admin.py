"""The 3PL's people read the trail: by organization, integration, action and outcome; nobody writes in it."""

import re
from html import unescape
from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from apps.audit.models import Entry
from apps.audit.trail import Actor, record
from tests.conftest import signed_in
from tests.factories import make_integration, make_organization, make_user

TRAIL = "/admin/audit/entry/"


def actions_in(page: object) -> list[str]:
    return [row.action for row in page.context["cl"].result_list]


def words(page: object) -> str:
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.text)))


@pytest.fixture
def entries(db) -> list[Entry]:
    hats, shoes = (make_integration(organization=make_organization(name=name)) for name in ("Hats", "Shoes"))
    anna = Actor("anna@foo-3pl.example")
    return [
        record(anna, "key.issue", on=hats, before={"name": "<b>old</b>"}, after={"name": "new"}),
        record(anna, "key.rotate", on=shoes),
        record(Actor("Key WMS", integration_id=hats.pk), "GET /api/v1/shops", refused=True, reason="forbidden"),
    ]


def test_the_newest_entry_comes_first_with_links_to_what_it_is_about(staff_client, entries):
    page = staff_client.get(TRAIL)
    assert actions_in(page) == ["GET /api/v1/shops", "key.rotate", "key.issue"]
    assert [name in page.text for name in (">Hats<", ">Shoes<", "Refused")] == [True] * 3


def test_it_is_filtered(staff_client, entries):
    hats = entries[0]
    found = {
        "organization": actions_in(staff_client.get(TRAIL, {"organization_id": str(hats.organization_id)})),
        "integration": actions_in(staff_client.get(TRAIL, {"integration_id": str(hats.integration_id)})),
        "action": actions_in(staff_client.get(TRAIL, {"action": "key."})),
        "outcome": actions_in(staff_client.get(TRAIL, {"outcome__exact": "refused"})),
        "who": actions_in(staff_client.get(TRAIL, {"q": "anna"})),
        "an id of nobody": actions_in(staff_client.get(TRAIL, {"organization_id": str(uuid4())})),
        "no id": actions_in(staff_client.get(TRAIL, {"integration_id": "x"})),
    }
    assert found == {
        "organization": ["key.issue"],
        "integration": ["GET /api/v1/shops", "key.issue"],
        "action": ["key.rotate", "key.issue"],
        "outcome": ["GET /api/v1/shops"],
        "who": ["key.rotate", "key.issue"],
        "an id of nobody": [],
        "no id": [],
    }


def test_an_entry_shows_what_changed_as_text(staff_client, entries):
    page = staff_client.get(reverse("admin:audit_entry_change", args=[entries[0].pk]))
    assert [text in words(page) for text in ('"name": "<b>old</b>"', '"name": "new"', "key.issue")] == [True] * 3
    assert "<b>old" not in page.text


def test_an_entry_outlives_what_it_is_about(staff_client, entries):
    record(Actor("anna", organization_id=uuid4(), integration_id=uuid4()), "connector.delete")
    assert staff_client.get(TRAIL).status_code == 200
    page = staff_client.get(reverse("admin:audit_entry_change", args=[Entry.objects.first().pk]))
    assert (page.status_code, str(Entry.objects.first().integration_id) in page.text) == (200, True)


def test_nobody_changes_it(staff_client, entries):
    page = reverse("admin:audit_entry_change", args=[entries[0].pk])
    assert staff_client.post(page, {"actor": "nobody"}).status_code == 403
    assert staff_client.post(reverse("admin:audit_entry_delete", args=[entries[0].pk])).status_code == 403
    assert staff_client.get(f"{TRAIL}add/").status_code == 403


def test_only_who_may_look_sees_it(settings, entries):
    settings.DEMO = True
    colleague = make_user(is_staff=True)
    assert signed_in(colleague).get(TRAIL).status_code == 403
    colleague.user_permissions.add(Permission.objects.get(codename="view_entry", content_type__app_label="audit"))
    assert signed_in(colleague).get(TRAIL).status_code == 200
