"""The 3PL's people see who uses which key, rotate and end them, and make them for a person (behaviours 27, 31, 97)."""

import re
from datetime import timedelta
from uuid import UUID

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import Role
from apps.audit.models import Entry
from apps.integrations.models import ApiKey, Integration
from tests.api.calling import call
from tests.conftest import signed_in
from tests.factories import make_connector_key, make_custom_integration, make_key, make_member, make_user

LIST = "/admin/integrations/apikey/"


@pytest.fixture
def integration(db) -> Integration:
    return make_custom_integration()


@pytest.fixture
def reader(db, settings) -> Client:
    settings.DEMO = True
    reader = make_user(is_staff=True)
    reader.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    return signed_in(reader)


def id_of(token: str) -> UUID:
    return ApiKey.objects.by_token(token).get().pk


def address(token: str, deed: str = "change") -> str:
    return reverse(f"admin:integrations_apikey_{deed}", args=[id_of(token)])


def works(token: str) -> bool:
    return call("GET", "v1/keys/self", token=token).status_code == 200


def secret(page: object) -> str:
    return re.findall(r'value="(xd[icu]_\w+)"', page.text)[0]


def names_in(page: object) -> list[str]:
    return sorted(row.name for row in page.context["cl"].result_list)


def test_keys_are_listed_by_state_with_their_use(staff_client, integration):
    now = timezone.now()
    used = make_key(integration=integration, name="Used")
    make_key(integration=integration, name="Ending", rotated_at=now, expires_at=now + timedelta(days=1))
    make_key(integration=integration, name="Over", rotated_at=now, expires_at=now - timedelta(seconds=1))
    make_key(integration=integration, name="Terminated", revoked_at=now)
    assert works(used)
    assert names_in(staff_client.get(LIST, {"state": "live"})) == ["Used"]
    assert names_in(staff_client.get(LIST, {"state": "ending"})) == ["Ending"]
    assert names_in(staff_client.get(LIST, {"state": "ended"})) == ["Over", "Terminated"]
    rows = {row.name: (row.calls, bool(row.last_used_at)) for row in staff_client.get(LIST).context["cl"].result_list}
    assert (rows["Used"], rows["Ending"]) == ((1, True), (0, False))


def test_a_key_is_rotated_with_a_chosen_overlap(staff_client, staff, integration):
    old = make_key(integration=integration)
    assert "Up to 7 days" in staff_client.get(address(old, "rotate")).text
    new = secret(staff_client.post(address(old, "rotate"), {"length": "36", "unit": "hours"}))
    assert (works(old), works(new)) == (True, True)
    row = ApiKey.objects.get(pk=id_of(old))
    assert row.expires_at - row.rotated_at == timedelta(hours=36)
    page = staff_client.get(address(old))
    assert re.search(r"Calls since it was replaced.*?\b1\b", re.sub(r"<[^>]+>|\s+", " ", page.text))
    assert [entry.user_id for entry in Entry.objects.of_integration(integration.pk)] == [staff.pk] * 2


def test_a_key_rotated_without_overlap_is_dead_at_once(staff_client, integration):
    old = make_connector_key(integration=integration)
    new = secret(staff_client.post(address(old, "rotate"), {"length": "0", "unit": "days"}))
    assert (works(old), works(new)) == (False, True)


@pytest.mark.parametrize(
    "given", [{"length": "8"}, {"length": "-1"}, {"length": "169", "unit": "hours"}, {"unit": "years"}]
)
def test_an_overlap_of_more_than_a_week_is_told(staff_client, integration, given):
    old = make_key(integration=integration)
    page = staff_client.post(address(old, "rotate"), {"length": "1", "unit": "days"} | given)
    assert (page.status_code, ApiKey.objects.count()) == (422, 1)


def test_a_key_is_terminated_after_asking(staff_client, staff, integration):
    token = make_key(integration=integration)
    assert "refused from now on" in staff_client.get(address(token, "terminate")).text
    assert works(token)
    staff_client.post(address(token, "terminate"))
    assert not works(token)
    assert Entry.objects.get(action="key.terminate").user_id == staff.pk
    page = staff_client.get(address(token))
    assert [word in page.text for word in (">Rotate<", ">Terminate<")] == [False, False]
    assert staff_client.post(address(token, "terminate")).status_code == 403


def test_a_key_is_made_for_a_person_and_ended(staff_client, staff):
    admin = make_member(role=Role.ADMIN, email="anna@hats.example")
    given = {"email": "Anna@hats.example", "name": "Script", "grants": ["shops:read"]}
    token = secret(staff_client.post(f"{LIST}add/", given))
    assert call("GET", "v1/shops", token=token).status_code == 200
    key = ApiKey.objects.get()
    assert (key.user, key.created_by, key.organization, key.grants) == (
        admin,
        staff,
        admin.organization,
        ["shops:read"],
    )
    assert staff_client.post(address(token, "rotate")).status_code == 403
    staff_client.post(address(token, "terminate"))
    assert not works(token)


def test_nobody_else_can_have_one(staff_client):
    make_member(role=Role.MEMBER, email="member@hats.example")
    for email in ("member@hats.example", "nobody@hats.example", "x"):
        page = staff_client.post(f"{LIST}add/", {"email": email, "name": "Script"})
        assert (page.status_code, ApiKey.objects.count()) == (422, 0)


def test_who_may_only_look_sees_and_cannot_act(reader, integration):
    token = make_key(integration=integration)
    page = reader.get(address(token))
    assert (page.status_code, ">Rotate<" in page.text) == (200, False)
    for place in (address(token, "rotate"), address(token, "terminate"), f"{LIST}add/"):
        assert {ask(place, {"length": "0", "unit": "days"}).status_code for ask in (reader.get, reader.post)} == {403}
    assert works(token)


def test_a_key_with_many_grants_does_not_fill_the_list(staff_client, integration):
    key = make_key(integration=integration, grants=["events:read", "hooks:read", "orders:read", "products:read"])
    page = staff_client.get(LIST).content.decode()
    assert "events:read, hooks:read, orders:read and 1 more" in page and "products:read" not in page
    assert "products:read" in staff_client.get(address(key)).content.decode()
