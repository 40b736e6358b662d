"""Custom connectors and their integrations over the API (Pipe17: contracts 2.1 to 2.4; behaviours 20 to 31, 42, 44)."""

from unittest.mock import ANY
from uuid import UUID, uuid4

import pytest

from apps.accounts.models import Organization, Role, User
from apps.api.grants import RECOMMENDED
from apps.api.models import Usage
from apps.audit.models import Entry
from apps.integrations.models import ApiKey, Integration, PartnerConnector, ReachableStore
from tests.api.calling import call, said, wrong
from tests.factories import (
    make_access_token,
    make_authorization,
    make_brand,
    make_connector_key,
    make_custom_integration,
    make_integration,
    make_key,
    make_member,
    make_organization,
    make_partner_integration,
    make_shop,
    make_store,
)

NOT_FOUND = (404, "not_found")
FORBIDDEN = (403, "forbidden")
WMS = {
    "name": "Great WMS",
    "category": "logistics",
    "directions": {"inventory": ["out", "in"], "orders": []},
    "description": "Our warehouse",
    "readme": "# How to",
    "settingsFields": [{"key": "site", "title": "Site", "type": "text"}],
}


@pytest.fixture
def hats(db) -> Organization:
    return make_organization(name="Great Hats")


@pytest.fixture
def admin(hats) -> User:
    return make_member(organization=hats, role=Role.ADMIN)


@pytest.fixture
def token(admin) -> str:
    """The key of a person who may everything."""
    return make_key(user=admin)


@pytest.fixture
def made(token) -> dict:
    """What adding a custom integration answered."""
    status, body = said(call("POST", "v1/connectors", WMS, token=token))
    assert status == 201
    return body


def connector(made: dict, *, token: str) -> dict:
    return call("GET", f"v1/connectors/{made['connector']['id']}", token=token).json()


def change(made: dict, *, token: str, **changes: object):
    return call("PUT", f"v1/connectors/{made['connector']['id']}", changes, token=token)


# ---- Adding one


def test_one_step_makes_a_private_connector_its_integration_and_two_keys(token, hats, admin):
    status, made = said(call("POST", "v1/connectors", WMS, token=token))
    grants = sorted({*RECOMMENDED["logistics"], "integrations:read"})
    integration, partner = Integration.objects.get(), PartnerConnector.objects.get()
    assert (status, partner.organization, integration.organization, partner.created_by) == (201, hats, hats, admin)
    assert made["connector"] == {
        "id": str(partner.pk),
        "kind": "custom",
        "name": "Great WMS",
        "category": "logistics",
        "description": "Our warehouse",
        "readme": "# How to",
        "directions": {"inventory": ["in", "out"]},
        "grants": grants,
        "settingsFields": [
            {
                "key": "site",
                "title": "Site",
                "data_type": None,
                "type": "text",
                "default": None,
                "required": False,
                "options": [],
            }
        ],
        "orgWideAccess": False,
        "version": 1,
        "createdAt": ANY,
        "updatedAt": ANY,
    }
    assert made["integration"] == {
        "id": str(integration.pk),
        "name": "Great WMS",
        "connectorId": str(partner.pk),
        "category": "logistics",
        "state": "connected",
        "stateReason": "",
        "grants": grants,
        "orgWideAccess": False,
        "appliedVersion": 1,
        "createdAt": ANY,
        "updatedAt": ANY,
    }
    keys = made["integrationKey"], made["connectorKey"]
    assert [(key["key"][:4], key["kind"], key["grants"]) for key in keys] == [
        ("xdi_", "integration", grants),
        ("xdc_", "connector", []),
    ]


def test_both_keys_work_at_once(made):
    integration_id = UUID(made["integration"]["id"])
    answer = call("GET", f"v1/integrations/{integration_id}", token=made["integrationKey"]["key"])
    assert said(answer) == (200, made["integration"])
    assert connector(made, token=made["connectorKey"]["key"]) == made["connector"]


@pytest.mark.parametrize("header", ["X-Pipe17-Key", "X-Api-Key"])
def test_the_key_goes_in_the_header_of_the_seeds_too(made, header):
    headers = {header: made["connectorKey"]["key"]}
    answer = call("GET", f"v1/connectors/{made['connector']['id']}", headers=headers)
    assert said(answer) == (200, made["connector"])


def test_without_a_category_nothing_is_granted(token):
    made = call("POST", "v1/connectors", {"name": "Mine"}, token=token).json()
    assert (made["integration"]["grants"], made["integrationKey"]["grants"]) == ([], [])


def test_grants_can_be_other_ones_than_those_suggested(token):
    body = {"name": "Mine", "category": "shop", "grants": ["orders:read", "hooks:read", "orders:read"]}
    made = call("POST", "v1/connectors", body, token=token).json()
    assert made["integration"]["grants"] == ["hooks:read", "orders:read"]


def test_nobody_gives_more_than_they_have(admin):
    token = make_key(user=admin, grants=["connectors:write", "orders:read"])
    for body in ({"grants": ["orders:read", "orders:write"]}, {"category": "shop"}):
        answer = call("POST", "v1/connectors", {"name": "Mine"} | body, token=token)
        assert said(answer) == (403, "insufficient_scope")
    assert call("POST", "v1/connectors", {"name": "Mine", "grants": ["orders:read"]}, token=token).status_code == 201
    assert PartnerConnector.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "attributes"),
    [
        ({}, ["name"]),
        ({"name": ""}, ["name"]),
        ({"name": "x" * 201}, ["name"]),
        ({"name": 7}, ["name"]),
        ({"name": "Mine", "category": "bank"}, ["category"]),
        ({"name": "Mine", "grants": ["orders:fly"]}, ["grants[0]"]),
        ({"name": "Mine", "grants": ["ping"]}, ["grants[0]"]),
        ({"name": "Mine", "grants": "orders:read"}, ["grants"]),
        ({"name": "Mine", "directions": {"moods": ["in"]}}, ["directions.moods"]),
        ({"name": "Mine", "directions": {"orders": ["up"]}}, ["directions.orders[0]"]),
        ({"name": "Mine", "directions": ["orders"]}, ["directions"]),
        ({"name": "Mine", "orgWideAccess": "yes"}, ["orgWideAccess"]),
        ({"name": "Mine", "version": 1}, ["version"]),
        ({"name": "Mine", "surprise": 1}, ["surprise"]),
        ({"name": "Mine", "settingsFields": {}}, ["settingsFields"]),
        ({"name": "Mine", "settingsFields": ["site"]}, ["settingsFields[0]"]),
        (
            {"name": "Mine", "settingsFields": [WMS["settingsFields"][0], {"key": "X", "title": "", "type": "text"}]},
            ["settingsFields[1].key", "settingsFields[1].title"],
        ),
    ],
)
def test_a_definition_that_makes_no_sense_is_refused_and_leaves_nothing(token, body, attributes):
    assert wrong(call("POST", "v1/connectors", body, token=token)) == attributes
    assert (PartnerConnector.objects.count(), Integration.objects.count(), ApiKey.objects.count()) == (0, 0, 1)


def test_it_is_made_once_however_often_the_call_is_sent(token):
    headers = {"Idempotency-Key": "once"}
    first, again = (call("POST", "v1/connectors", WMS, token=token, headers=headers) for _ in range(2))
    assert (first.json(), PartnerConnector.objects.count()) == (again.json(), 1)


# ---- Who sees it


def test_it_is_invisible_to_every_other_organization(made, token):
    stranger = make_key(user=make_member())
    own_id, integration_id = made["connector"]["id"], made["integration"]["id"]
    assert call("GET", "v1/connectors", token=stranger).json()["data"] == []
    for path in (
        f"v1/connectors/{own_id}",
        f"v1/integrations/{integration_id}",
        f"v1/integrations/{integration_id}/keys",
    ):
        assert said(call("GET", path, token=stranger)) == NOT_FOUND
    assert said(change(made, token=stranger, version=1, name="Theirs")) == NOT_FOUND
    assert said(call("DELETE", f"v1/connectors/{own_id}", token=stranger)) == NOT_FOUND
    assert connector(made, token=token)["name"] == "Great WMS"


def test_connectors_are_listed_a_page_at_a_time(token, hats, django_assert_num_queries):
    for name in ("B", "C", "A"):
        PartnerConnector.objects.filter(integrations=make_custom_integration(organization=hats)).update(name=name)
    make_custom_integration()
    with django_assert_num_queries(3):
        body = call("GET", "v1/connectors?per_page=2", token=token).json()
    assert [row["name"] for row in body["data"]] == ["A", "B"]
    assert (body["prev"], body["per_page"]) == (None, 2)
    rest = call("GET", body["next"].split("/api/")[1], token=token).json()
    assert ([row["name"] for row in rest["data"]], rest["next"]) == (["C"], None)


def test_an_integrations_key_sees_its_own_integration_only(made, hats):
    key = made["integrationKey"]["key"]
    other = make_custom_integration(organization=hats)
    assert call("GET", f"v1/integrations/{made['integration']['id']}", token=key).status_code == 200
    for path in ("", "/configuration", "/keys"):
        assert said(call("GET", f"v1/integrations/{other.pk}{path}", token=key)) == NOT_FOUND


def test_an_integrations_key_sees_its_own_shops_and_an_organizations_wide_one_all(hats):
    narrow, wide = (make_custom_integration(organization=hats, org_wide_access=flag) for flag in (False, True))
    make_shop(integration=narrow, ext_shop_id="own")
    make_shop(integration=make_integration(organization=hats), ext_shop_id="of another")
    make_shop(ext_shop_id="of a stranger")
    seen = {}
    for name, integration in {"narrow": narrow, "wide": wide}.items():
        rows = call("GET", "v1/shops?per_page=9", token=make_key(integration=integration)).json()["data"]
        seen[name] = sorted(row["ext_shop_id"] for row in rows)
    assert seen == {"narrow": ["own"], "wide": ["of another", "own"]}


def test_a_key_sees_no_more_stores_than_its_integration_reaches(hats):
    brand = make_brand(organization=hats)
    reached, other = make_store(brand=brand), make_store(brand=brand)
    integration = make_custom_integration(organization=hats, reaches_all_stores=False)
    ReachableStore.objects.create(organization=hats, integration=integration, store=reached)
    address, key = f"organization/v1/organization/brands/{brand.pk}/stores", make_key(integration=integration)
    rows = call("GET", f"{address}?limit=9", token=key).json()["items"]
    assert [row["id"] for row in rows] == [str(reached.pk)]
    assert said(call("GET", f"{address}/{other.pk}", token=key)) == NOT_FOUND


def test_an_applications_token_sees_its_own_connector_and_integration(hats):
    integration = make_partner_integration(organization=hats)
    token = make_access_token(authorization=make_authorization(integration=integration))
    make_custom_integration(organization=hats)
    listed = call("GET", "v1/connectors", token=token).json()["data"]
    assert [row["id"] for row in listed] == [str(integration.partner.pk)]
    assert call("GET", f"v1/integrations/{integration.pk}", token=token).json()["name"] == integration.name
    mine = f"v1/connectors/{integration.partner.pk}"
    assert said(call("PUT", mine, {"version": 1, "name": "Me"}, token=token)) == FORBIDDEN
    assert said(call("POST", "v1/connectors", {"name": "Mine"}, token=token)) == FORBIDDEN


# ---- Its definition


def test_a_change_is_based_on_a_version(made, token):
    answer = change(made, token=token, version=1, name="Better WMS", description="")
    assert (answer.json()["name"], answer.json()["version"], answer.json()["readme"]) == ("Better WMS", 2, "# How to")
    assert said(change(made, token=token, version=1, name="Late")) == (409, "stale_version")
    assert connector(made, token=token)["name"] == "Better WMS"
    entry = Entry.objects.get(action="connector.change")
    assert (entry.before, entry.after) == (
        {"name": "Great WMS", "description": "Our warehouse"},
        {"name": "Better WMS", "description": ""},
    )
    assert str(entry.integration_id) == made["integration"]["id"]


@pytest.mark.parametrize("changes", [{"name": "x"}, {"version": None}, {"version": "1"}, {"version": 0}])
def test_a_change_without_a_version_is_refused(made, token, changes):
    expected = [] if changes.get("version") == "1" else ["version"]
    answer = change(made, token=token, **changes)
    assert answer.status_code == 200 if not expected else wrong(answer) == expected


def test_a_change_of_nothing_leaves_the_version(made, token):
    assert change(made, token=token, version=1, name="Great WMS").json()["version"] == 1


def test_a_definition_that_asks_for_more_gives_nothing_by_itself(made, token):
    connector_key, key = made["connectorKey"]["key"], made["integrationKey"]["key"]
    wider = [*made["connector"]["grants"], "orders:read"]
    answer = change(made, token=connector_key, version=1, grants=wider, orgWideAccess=True)
    assert (answer.json()["grants"], answer.json()["orgWideAccess"]) == (sorted(wider), True)
    integration = call("GET", f"v1/integrations/{made['integration']['id']}", token=key).json()
    assert (integration["grants"], integration["orgWideAccess"]) == (made["connector"]["grants"], False)
    other = make_shop(integration=make_integration(organization=Organization.objects.get()))
    Integration.objects.filter(pk=made["integration"]["id"]).update(grants=["shops:read"])
    assert call("GET", f"v1/shops/{other.pk}", token=key).status_code == 404


def test_the_connectors_key_changes_the_definition_and_reads_no_data(made, hats):
    key = made["connectorKey"]["key"]
    assert change(made, token=key, version=1, readme="Mine").json()["readme"] == "Mine"
    own = f"v1/integrations/{made['integration']['id']}"
    for path in ("v1/shops", own, f"{own}/keys", f"{own}/configuration", "organization/v1/organization"):
        assert said(call("GET", path, token=key)) == FORBIDDEN
    other = make_custom_integration(organization=hats)
    assert said(call("GET", f"v1/connectors/{other.partner.pk}", token=key)) == NOT_FOUND
    listed = call("GET", "v1/connectors", token=key).json()["data"]
    assert [row["id"] for row in listed] == [made["connector"]["id"]]
    assert said(call("DELETE", f"v1/connectors/{made['connector']['id']}", token=key)) == FORBIDDEN


def test_the_integrations_key_cannot_touch_the_definition(hats):
    integration = make_custom_integration(organization=hats)
    key, path = make_key(integration=integration), f"v1/connectors/{integration.partner.pk}"
    assert said(call("GET", path, token=key)) == FORBIDDEN
    assert said(call("PUT", path, {"version": 1, "name": "Mine"}, token=key)) == FORBIDDEN


def test_what_is_refused_leaves_an_entry_under_the_integration(made):
    narrow, connector_key = made["integrationKey"]["key"], made["connectorKey"]["key"]
    call("GET", "organization/v1/organization", token=narrow)
    call("GET", "v1/shops", token=connector_key)
    refused = Entry.objects.filter(outcome="refused").order_by("id")
    assert [(entry.action, entry.reason, str(entry.integration_id)) for entry in refused] == [
        ("GET /api/organization/v1/organization", "insufficient_scope", made["integration"]["id"]),
        ("GET /api/v1/shops", "forbidden", made["integration"]["id"]),
    ]


def test_what_is_deleted_is_gone_with_its_keys(made, token):
    assert call("DELETE", f"v1/connectors/{made['connector']['id']}", token=token).status_code == 204
    for issued in (made["integrationKey"], made["connectorKey"]):
        assert said(call("GET", "v1/keys/self", token=issued["key"])) == (401, "unauthorized")
    assert said(call("GET", f"v1/connectors/{made['connector']['id']}", token=token)) == NOT_FOUND
    assert Integration.objects.get().is_disabled
    assert said(call("DELETE", f"v1/connectors/{made['connector']['id']}", token=token)) == NOT_FOUND


# ---- A person's key


def test_a_persons_key_sees_all_of_the_organization_and_is_logged_under_them(made, token, admin, hats):
    make_shop(integration=make_integration(organization=hats), ext_shop_id="1")
    make_shop(integration=Integration.objects.get(pk=made["integration"]["id"]), ext_shop_id="2")
    make_shop(ext_shop_id="3")
    rows = call("GET", "v1/shops?per_page=9", token=token).json()["data"]
    assert sorted(row["ext_shop_id"] for row in rows) == ["1", "2"]
    entry = Entry.objects.get(action="connector.create")
    assert (entry.user_id, entry.actor) == (admin.pk, f"{admin}, by the key {ApiKey.objects.get(user=admin)}")


@pytest.mark.parametrize("role", [Role.MEMBER, Role.VIEWER])
def test_a_persons_key_ends_with_their_right(token, admin, role):
    admin.membership.role = role
    admin.membership.save()
    assert said(call("GET", "v1/connectors", token=token)) == (401, "unauthorized")


# ---- Off and on


def test_a_disabled_integration_is_refused_until_it_is_enabled_again(made, token):
    own = f"v1/integrations/{made['integration']['id']}"
    Integration.objects.update(settings={"site": "North"})
    answer = call("POST", f"{own}/disable", token=token)
    assert (answer.status_code, answer.json()["state"]) == (200, "disabled")
    for key in (made["integrationKey"]["key"], made["connectorKey"]["key"]):
        assert said(call("GET", "v1/keys/self", token=key)) == (403, "integration_disabled")
    assert call("POST", f"{own}/enable", token=token).json()["state"] == "connected"
    for key in (made["integrationKey"]["key"], made["connectorKey"]["key"]):
        assert call("GET", "v1/keys/self", token=key).status_code == 200
    assert Integration.objects.get().settings == {"site": "North"}


def test_an_integration_does_not_switch_itself(made):
    own = f"v1/integrations/{made['integration']['id']}"
    for word in ("enable", "disable"):
        assert said(call("POST", f"{own}/{word}", token=made["integrationKey"]["key"])) == FORBIDDEN


def test_the_integration_of_a_deleted_connector_is_not_connected_by_enabling_it(made, token):
    call("DELETE", f"v1/connectors/{made['connector']['id']}", token=token)
    own = f"v1/integrations/{made['integration']['id']}"
    assert call("POST", f"{own}/enable", token=token).json()["state"] == "not_configured"
    assert said(call("GET", "v1/keys/self", token=made["integrationKey"]["key"])) == (401, "unauthorized")


def test_the_integration_of_a_connector_that_was_removed_can_still_be_read(token, hats):
    integration = make_integration(organization=hats, connector="gone")
    found = call("GET", f"v1/integrations/{integration.pk}", token=token).json()
    assert (found["connectorId"], found["category"]) == ("gone", None)


# ---- Its configuration


def test_a_configuration_is_exported_and_imported(made, token):
    own = f"v1/integrations/{made['integration']['id']}/configuration"
    exported = call("GET", own, token=made["integrationKey"]["key"]).json()
    assert exported == {
        "format": 1,
        "connector": "custom",
        "category": "logistics",
        "name": "Great WMS",
        "flags": {"orderSync": True, "productSync": True, "stockSync": True},
        "settings": {},
        "grants": made["integration"]["grants"],
        "directions": {"inventory": ["in", "out"]},
        "definition": {
            "description": "Our warehouse",
            "readme": "# How to",
            "grants": made["connector"]["grants"],
            "settingsFields": made["connector"]["settingsFields"],
            "orgWideAccess": False,
        },
    }
    assert str(Entry.objects.get(action="configuration.export").integration_id) == made["integration"]["id"]
    assert call("PUT", own, exported, token=token).json() == {"changes": [], "configuration": exported}
    answer = call("PUT", own, exported | {"name": "Better WMS", "settings": {"site": "North"}}, token=token)
    assert answer.json()["changes"] == [
        {"attribute": "name", "before": "Great WMS", "after": "Better WMS"},
        {"attribute": "settings.site", "before": None, "after": "North"},
    ]


def test_an_import_gives_no_grant_that_the_key_has_not(made, admin):
    token = make_key(user=admin, grants=["integrations:write", "integrations:read"])
    own = f"v1/integrations/{made['integration']['id']}/configuration"
    wanted = {"format": 1, "connector": "custom", "category": "logistics", "grants": ["orders:write"]}
    assert said(call("PUT", own, wanted, token=token)) == (403, "insufficient_scope")
    assert said(call("PUT", own, wanted, token=made["integrationKey"]["key"])) == FORBIDDEN
    assert Integration.objects.get().grants == made["integration"]["grants"]


def test_an_integration_that_is_not_there_is_not_found(token):
    own = f"v1/integrations/{uuid4()}"
    gets = ("", "/keys", f"/keys/{uuid4()}", "/configuration")
    assert {said(call("GET", own + path, token=token)) for path in gets} == {NOT_FOUND}
    posts = ("/enable", "/disable", "/keys", f"/keys/{uuid4()}/rotate")
    assert {said(call("POST", own + path, {"name": "x"}, token=token)) for path in posts} == {NOT_FOUND}
    assert said(call("PUT", f"{own}/configuration", {}, token=token)) == NOT_FOUND
    assert said(call("DELETE", f"{own}/keys/{uuid4()}", token=token)) == NOT_FOUND


def test_no_key_is_stored_or_written_down_in_clear(made):
    secrets = [made[name]["key"] for name in ("integrationKey", "connectorKey")]
    rows = [*ApiKey.objects.values_list(), *Entry.objects.values_list(), *Usage.objects.values_list()]
    assert [secret for secret in secrets if any(secret in str(row) for row in rows)] == []


def test_connector_keys_of_two_connectors_are_apart(hats):
    one, two = make_custom_integration(organization=hats), make_custom_integration(organization=hats)
    key = make_connector_key(integration=one)
    assert call("GET", f"v1/connectors/{one.partner.pk}", token=key).status_code == 200
    assert said(call("GET", f"v1/connectors/{two.partner.pk}", token=key)) == NOT_FOUND
