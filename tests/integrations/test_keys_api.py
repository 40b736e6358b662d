"""The keys of an integration over the API (Pipe17: contracts 2.3; behaviours 24, 27, 28, 31)."""

from datetime import timedelta
from unittest.mock import ANY
from uuid import uuid4

import pytest
from django.utils import timezone

from apps.accounts.models import Organization, Role, User
from apps.audit.models import Entry
from apps.integrations.models import ApiKey, Integration
from tests.api.calling import call, said, wrong
from tests.factories import (
    make_connector_key,
    make_custom_integration,
    make_integration,
    make_key,
    make_member,
    make_organization,
    make_partner_integration,
)

GONE = (401, "unauthorized")
FORBIDDEN = (403, "forbidden")
TOO_LITTLE = (403, "insufficient_scope")
WEEK = 7 * 24 * 60 * 60
GRANTS = ["integrations:read", "orders:read"]


@pytest.fixture
def hats(db) -> Organization:
    return make_organization()


@pytest.fixture
def admin(hats) -> User:
    return make_member(organization=hats, role=Role.ADMIN)


@pytest.fixture
def token(admin) -> str:
    return make_key(user=admin)


@pytest.fixture
def integration(hats) -> Integration:
    return make_custom_integration(organization=hats, grants=GRANTS)


def keys(integration: Integration) -> str:
    return f"v1/integrations/{integration.pk}/keys"


def create(integration: Integration, *, token: str, **body: object):
    return call("POST", keys(integration), {"name": "Tills"} | body, token=token)


def rotate(integration: Integration, key_id: object, *, token: str, **body: object):
    return call("POST", f"{keys(integration)}/{key_id}/rotate", body, token=token)


def works(key: str) -> bool:
    return call("GET", "v1/keys/self", token=key).status_code == 200


# ---- Making


def test_a_key_is_made_and_shown_this_once(integration, token):
    status, made = said(create(integration, token=token, grants=["orders:read"]))
    key = made.pop("key")
    assert (status, made) == (
        201,
        {
            "id": ANY,
            "kind": "integration",
            "name": "Tills",
            "prefix": key[:10],
            "integrationId": str(integration.pk),
            "connectorId": None,
            "allGrants": False,
            "grants": ["orders:read"],
            "state": "live",
            "calls": 0,
            "callsSinceRotation": None,
            "lastUsedAt": None,
            "createdAt": ANY,
            "rotatedAt": None,
            "replacedBy": None,
            "expiresAt": None,
            "revokedAt": None,
        },
    )
    assert works(key)
    assert call("GET", f"{keys(integration)}/{made['id']}", token=token).json() == made | {
        "calls": 1,
        "lastUsedAt": ANY,
    }
    assert key not in call("GET", keys(integration), token=token).text


def test_several_keys_do_what_each_is_for(integration, token):
    one, two = (create(integration, token=token, grants=[grant]).json()["key"] for grant in GRANTS)
    own = f"v1/integrations/{integration.pk}"
    assert [said(call("GET", own, token=key))[0] for key in (one, two)] == [200, 403]


def test_a_key_without_grants_of_its_own_follows_its_integration(integration, token):
    key = create(integration, token=token).json()["key"]
    own = f"v1/integrations/{integration.pk}"
    assert call("GET", own, token=key).status_code == 200
    Integration.objects.update(grants=["orders:read"])
    assert said(call("GET", own, token=key)) == TOO_LITTLE
    assert call("GET", "v1/keys/self", token=key).json()["grants"] == ["orders:read"]


def test_a_key_that_was_made_narrow_stays_narrow(integration, token):
    key = create(integration, token=token, grants=["orders:read"]).json()["key"]
    Integration.objects.update(grants=["orders:read"])
    Integration.objects.update(grants=[*GRANTS, "shops:read"])
    assert call("GET", "v1/keys/self", token=key).json()["grants"] == ["orders:read"]


@pytest.mark.parametrize(
    ("body", "attributes"),
    [
        ({"name": ""}, ["name"]),
        ({"name": None}, ["name"]),
        ({"grants": ["orders:write"]}, ["grants"]),
        ({"grants": ["everything"]}, ["grants[0]"]),
        ({"kind": "user"}, ["kind"]),
        ({"kind": "connector", "grants": ["orders:read"]}, ["grants"]),
        ({"scopes": []}, ["scopes"]),
    ],
)
def test_a_key_that_makes_no_sense_is_refused(integration, token, body, attributes):
    assert wrong(create(integration, token=token, **body)) == attributes
    assert ApiKey.objects.count() == 1


def test_nobody_makes_a_key_that_may_more_than_theirs(integration, admin):
    token = make_key(user=admin, grants=["integrations:write", "orders:read"])
    assert create(integration, token=token, grants=["orders:read"]).status_code == 201
    for body in ({}, {"grants": ["integrations:read"]}, {"kind": "connector"}):
        assert said(create(integration, token=token, **body)) == TOO_LITTLE


def test_only_people_make_and_terminate_keys(integration, token):
    key = make_key(integration=integration)
    Integration.objects.update(grants=[*GRANTS, "integrations:write"])
    own = call("GET", "v1/keys/self", token=key).json()["id"]
    assert said(create(integration, token=key)) == FORBIDDEN
    assert said(call("DELETE", f"{keys(integration)}/{own}", token=key)) == FORBIDDEN
    assert said(rotate(integration, own, token=key)) == FORBIDDEN


def test_a_registered_application_takes_no_keys(hats, token):
    application = make_partner_integration(organization=hats, grants=[])
    for kind in ("integration", "connector"):
        assert said(create(application, token=token, kind=kind)) == (409, "conflict")


def test_a_built_in_connectors_integration_takes_keys_but_has_no_definition_of_its_own(hats, token):
    built_in = make_integration(organization=hats, grants=GRANTS)
    assert create(built_in, token=token).status_code == 201
    assert said(create(built_in, token=token, kind="connector")) == (409, "conflict")


# ---- Listing


def test_keys_are_listed_with_their_use(integration, token, hats, django_assert_num_queries):
    make_key(integration=make_custom_integration(organization=hats))
    make_key(integration=integration, name="One")
    with django_assert_num_queries(4):
        assert [row["name"] for row in call("GET", keys(integration), token=token).json()["data"]] == ["One"]
    used = make_key(integration=integration, name="Used")
    make_connector_key(integration=integration, name="Definition")
    assert works(used)
    with django_assert_num_queries(4):
        rows = call("GET", keys(integration), token=token).json()["data"]
    assert [(row["name"], row["kind"], row["calls"], bool(row["lastUsedAt"])) for row in rows] == [
        ("Definition", "connector", 0, False),
        ("Used", "integration", 1, True),
        ("One", "integration", 0, False),
    ]


def test_an_integrations_key_sees_the_keys_of_its_own_integration(integration, hats):
    key = make_key(integration=integration)
    other = make_custom_integration(organization=hats)
    make_key(integration=other)
    assert len(call("GET", keys(integration), token=key).json()["data"]) == 1
    assert call("GET", keys(other), token=key).status_code == 404


def test_a_key_of_another_integration_is_not_found_here(integration, hats, token):
    other = make_custom_integration(organization=hats)
    made = create(other, token=token).json()
    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/rotate")):
        answer = call(method, f"{keys(integration)}/{made['id']}{path}", {} if path else None, token=token)
        assert said(answer) == (404, "not_found")
    assert works(made["key"])


# ---- Rotating


def test_a_key_rotated_without_overlap_is_dead_at_once(integration, token):
    old = create(integration, token=token).json()
    status, new = said(rotate(integration, old["id"], token=token))
    assert (status, works(old["key"]), works(new["key"])) == (201, False, True)
    assert (new["name"], new["grants"], new["allGrants"]) == ("Tills", GRANTS, True)
    shown = call("GET", f"{keys(integration)}/{old['id']}", token=token).json()
    assert (shown["state"], shown["replacedBy"], shown["revokedAt"]) == ("ended", new["id"], shown["rotatedAt"])


def test_during_the_overlap_both_work_and_the_old_ones_calls_are_counted(integration, token):
    old = create(integration, token=token).json()
    for _ in range(3):
        assert works(old["key"])
    new = rotate(integration, old["id"], token=token, overlapSeconds=3600).json()
    path = f"{keys(integration)}/{old['id']}"
    shown = call("GET", path, token=token).json()
    assert (shown["state"], shown["calls"], shown["callsSinceRotation"]) == ("ending", 3, 0)
    assert [works(old["key"]), works(old["key"]), works(new["key"])] == [True] * 3
    shown = call("GET", path, token=token).json()
    assert (shown["calls"], shown["callsSinceRotation"]) == (5, 2)
    ApiKey.objects.filter(pk=old["id"]).update(expires_at=timezone.now())
    assert [works(old["key"]), works(new["key"])] == [False, True]


@pytest.mark.parametrize("seconds", [1, 3600, WEEK])
def test_an_overlap_is_as_long_as_was_said(integration, token, seconds):
    old = create(integration, token=token).json()
    rotate(integration, old["id"], token=token, overlapSeconds=seconds)
    key = ApiKey.objects.get(pk=old["id"])
    assert key.expires_at - key.rotated_at == timedelta(seconds=seconds)


@pytest.mark.parametrize("seconds", [-1, WEEK + 1, "soon", 1.5, None, 10**30])
def test_an_overlap_beyond_a_week_is_refused(integration, token, seconds):
    old = create(integration, token=token).json()
    assert wrong(rotate(integration, old["id"], token=token, overlapSeconds=seconds)) == ["overlapSeconds"]
    assert (works(old["key"]), ApiKey.objects.filter(rotated_at=None).count()) == (True, 2)


def test_a_key_is_rotated_once(integration, token):
    old = create(integration, token=token).json()
    rotate(integration, old["id"], token=token, overlapSeconds=60)
    assert said(rotate(integration, old["id"], token=token)) == (409, "conflict")
    assert works(old["key"])


def test_nobody_gets_by_rotating_what_they_have_not(integration, admin, token):
    wide, connector = create(integration, token=token).json(), create(integration, token=token, kind="connector").json()
    narrow = make_key(user=admin, grants=["integrations:write", "orders:read"])
    for key in (wide, connector):
        assert said(rotate(integration, key["id"], token=narrow)) == TOO_LITTLE
        assert works(key["key"])


def test_a_key_rotates_itself(integration, token):
    for kind in ("integration", "connector"):
        old = create(integration, token=token, kind=kind).json()
        status, new = said(call("POST", "v1/keys/self/rotate", {"overlapSeconds": 60}, token=old["key"]))
        assert (status, new["kind"], works(old["key"]), works(new["key"])) == (201, kind, True, True)


def test_a_persons_key_does_not_rotate_itself(token):
    assert said(call("POST", "v1/keys/self/rotate", {}, token=token)) == FORBIDDEN


# ---- Terminating


def test_a_terminated_key_stops_at_once_and_no_other(integration, token):
    one, two = create(integration, token=token).json(), create(integration, token=token).json()
    for _ in range(2):
        assert call("DELETE", f"{keys(integration)}/{one['id']}", token=token).status_code == 204
    assert said(call("GET", "v1/keys/self", token=one["key"])) == GONE
    assert works(two["key"])
    assert Entry.objects.filter(action="key.terminate").count() == 1


def test_an_old_key_can_be_ended_before_its_overlap_is_over(integration, token):
    old = create(integration, token=token).json()
    rotate(integration, old["id"], token=token, overlapSeconds=WEEK)
    call("DELETE", f"{keys(integration)}/{old['id']}", token=token)
    assert not works(old["key"])


def test_everything_about_keys_is_written_down_under_the_integration(integration, token, admin):
    made = create(integration, token=token, grants=["orders:read"]).json()
    rotated = rotate(integration, made["id"], token=token, overlapSeconds=60).json()
    call("DELETE", f"{keys(integration)}/{rotated['id']}", token=token)
    entries = Entry.objects.of_integration(integration.pk).order_by("id")
    assert [(entry.action, entry.target_id, entry.user_id) for entry in entries] == [
        ("key.issue", made["id"], admin.pk),
        ("key.reveal", made["id"], admin.pk),
        ("key.rotate", made["id"], admin.pk),
        ("key.reveal", rotated["id"], admin.pk),
        ("key.terminate", rotated["id"], admin.pk),
    ]
    assert entries[2].after == {"overlap_seconds": 60, "replaced_by": f"Tills ({rotated['prefix']}…)"}
    assert not any(key["key"] in str(list(entries.values())) for key in (made, rotated))


# ---- From a key alone


def test_a_key_says_whose_it_is(integration, token):
    made = create(integration, token=token, kind="connector").json()
    found = call("GET", "v1/keys/self", token=made["key"]).json()
    assert (found["integrationId"], found["connectorId"]) == (None, str(integration.partner.pk))
    assert call("GET", "v1/keys/self", token=token).json()["kind"] == "user"
    assert said(call("GET", "v1/keys/self", token=f"xdi_{uuid4().hex}")) == GONE
