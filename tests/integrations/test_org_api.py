"""The integrations of an organization over the API (pack.cloud: contracts 4.1, behaviours 32 to 37)."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from apps.audit.models import Entry
from apps.integrations.fields import check_definition
from apps.integrations.models import Integration
from tests.api.calling import call, said, wrong
from tests.factories import (
    make_access_token,
    make_authorization,
    make_custom_integration,
    make_integration,
    make_key,
    make_organization,
    make_partner,
    make_partner_integration,
)

pytestmark = pytest.mark.django_db
FIELDS = check_definition(
    [
        {"key": "days", "title": "Days", "type": "text", "data_type": "days", "default": "3"},
        {"key": "api_secret", "title": "Secret", "type": "secret"},
        {
            "key": "speed",
            "title": "Speed",
            "type": "select",
            "options": [{"title": "Fast", "value": "fast"}, {"title": "Slow", "value": "slow"}],
        },
    ]
)


@pytest.fixture
def key(owner) -> str:
    """A key of the owner's, which sees the whole organization."""
    return make_key(user=owner)


def path_of(organization, *parts: object) -> str:
    return "/".join(["v1/organizations", str(organization.pk), "integrations", *map(str, parts)])


def with_fields(organization, fields=FIELDS, **changes) -> Integration:
    """A custom integration whose connector has these settings fields."""
    made = make_custom_integration(organization=organization, **changes)
    made.partner.settings_fields = fields
    made.partner.save()
    return made


def body_of(integration: Integration, **changes) -> dict:
    integration.refresh_from_db()
    return {
        "id": str(integration.pk),
        "category": "shop",
        "name": integration.name,
        "order_sync_enabled": True,
        "order_sync_updated_at": None,
        "product_sync_enabled": True,
        "product_sync_updated_at": None,
        "stock_sync_enabled": True,
        "order_hold_seconds": 600,
        "created_at": integration.created_at.isoformat().replace("+00:00", "Z"),
        "updated_at": integration.updated_at.isoformat().replace("+00:00", "Z"),
    } | changes


def test_an_integration_of_a_platform_is_created(otter, owner, key):
    answer = call("POST", path_of(owner.organization), {"name": "My Shop", "connector_id": "otter"}, token=key)
    made = Integration.objects.get()
    assert said(answer) == (201, body_of(made, name="My Shop"))
    assert answer.headers["Location"] == f"http://testserver/api/{path_of(owner.organization, made.pk)}"
    assert (made.organization, made.connector, made.created_by) == (owner.organization, "otter", owner)
    assert (made.state, made.account_ref, made.settings) == (Integration.State.NOT_CONFIGURED, "", {})
    entry = Entry.objects.get(action="integration.create")
    assert (entry.target_id, entry.after) == (str(made.pk), {"name": "My Shop", "connector": "otter"})


@pytest.mark.parametrize("missing", ["name", "connector_id"])
def test_a_name_and_a_connector_are_required(otter, owner, key, missing):
    body = {"name": "My Shop", "connector_id": "otter"}
    del body[missing]
    assert wrong(call("POST", path_of(owner.organization), body, token=key)) == [missing]
    assert not Integration.objects.exists()


@pytest.mark.parametrize(
    ("changes", "attribute"),
    [
        ({"name": ""}, "name"),
        ({"name": "two\nlines"}, "name"),
        ({"name": "n" * 201}, "name"),
        ({"name": 7}, "name"),
        ({"connector_id": None}, "connector_id"),
        ({"settings": []}, "settings"),
        ({"settings": {"address": "https://evil.example"}}, "settings.address"),
        ({"category": "shop"}, "category"),
    ],
)
def test_bad_input_is_refused_by_name(otter, owner, key, changes, attribute):
    body = {"name": "My Shop", "connector_id": "otter"} | changes
    assert wrong(call("POST", path_of(owner.organization), body, token=key)) == [attribute]
    assert not Integration.objects.exists()


def test_an_unknown_connector_is_refused(otter, owner, key):
    registered, foreign = make_partner(), make_custom_integration()
    gone = make_custom_integration(organization=owner.organization).partner
    gone.integrations.all().delete()
    gone.deactivated_at = datetime(2026, 1, 1, tzinfo=UTC)
    gone.save()
    for unknown in ("nothing", "vendure", str(uuid4()), str(registered.pk), str(foreign.partner.pk), str(gone.pk)):
        body = {"name": "My Shop", "connector_id": unknown}
        assert said(call("POST", path_of(owner.organization), body, token=key)) == (422, "unknown_connector"), unknown


def test_a_registered_application_is_not_added_but_let_in(owner, key):
    body = {"name": "My Shop", "connector_id": str(make_partner().pk)}
    answer = call("POST", path_of(owner.organization), body, token=key)
    assert (answer.status_code, "lets it in" in answer.json()["detail"]) == (422, True)


def test_a_custom_connector_has_one_integration(owner, key):
    made = make_custom_integration(organization=owner.organization)
    body = {"name": "Again", "connector_id": made.connector}
    assert said(call("POST", path_of(owner.organization), body, token=key)) == (409, "conflict")


def test_a_custom_connectors_deleted_integration_comes_back_under_the_new_name(owner, key):
    made = with_fields(owner.organization, category="logistics")
    Integration.objects.update(settings={"days": "9"}, grants=["orders:read"])
    assert said(call("DELETE", path_of(owner.organization, made.pk), token=key)) == (204, None)
    body = {"name": "Again", "connector_id": made.connector, "settings": {"speed": "fast"}}
    answer = call("POST", path_of(owner.organization), body, token=key)
    assert said(answer) == (201, body_of(made, name="Again", category="shipping"))
    made.refresh_from_db()
    assert (made.state, made.settings, made.grants) == (Integration.State.CONNECTED, {"speed": "fast"}, ["orders:read"])


def test_what_the_3pl_disabled_does_not_come_back_enabled(owner, key):
    made = make_custom_integration(organization=owner.organization)
    Integration.objects.update(state=Integration.State.DISABLED)
    call("DELETE", path_of(owner.organization, made.pk), token=key)
    body = {"name": "Again", "connector_id": made.connector}
    assert call("POST", path_of(owner.organization), body, token=key).status_code == 201
    made.refresh_from_db()
    assert made.is_disabled


def test_settings_come_along_and_are_checked(owner, key):
    made = with_fields(owner.organization)
    call("DELETE", path_of(owner.organization, made.pk), token=key)
    body = {"name": "Again", "connector_id": made.connector, "settings": {"speed": "warp"}}
    assert wrong(call("POST", path_of(owner.organization), body, token=key)) == ["settings.speed"]
    assert said(call("GET", path_of(owner.organization, made.pk), token=key)) == (404, "not_found")


def test_required_settings_are_needed_from_the_start(owner, key):
    made = with_fields(owner.organization, check_definition([{**FIELDS[1], "required": True}]))
    call("DELETE", path_of(owner.organization, made.pk), token=key)
    body = {"name": "Again", "connector_id": made.connector}
    assert wrong(call("POST", path_of(owner.organization), body, token=key)) == ["settings.api_secret"]


def test_only_who_sees_the_whole_organization_adds_integrations(otter, owner):
    organization = owner.organization
    narrow = make_key(integration=make_custom_integration(organization=organization))
    wide = make_key(integration=make_custom_integration(organization=organization, org_wide_access=True))
    consented = make_access_token(
        authorization=make_authorization(integration=make_partner_integration(organization=organization), user=owner)
    )
    body = {"name": "My Shop", "connector_id": "otter"}
    for token in (narrow, consented):
        assert said(call("POST", path_of(organization), body, token=token)) == (403, "forbidden")
    assert call("POST", path_of(organization), body, token=wide).status_code == 201


@pytest.mark.parametrize(
    ("category", "shown"),
    [("shop", "shop"), ("erp", "shop"), ("logistics", "shipping"), ("shipping", "shipping"), ("payment", "payment")],
)
def test_there_are_three_categories(owner, key, category, shown):
    made = make_custom_integration(organization=owner.organization, category=category)
    answer = call("GET", path_of(owner.organization, made.pk), token=key)
    assert said(answer) == (200, body_of(made, category=shown))


def test_one_whose_connector_the_operator_removed_can_still_be_read(owner, key):
    made = make_integration(organization=owner.organization, connector="gone")
    assert said(call("GET", path_of(owner.organization, made.pk), token=key)) == (200, body_of(made))


def test_times_are_in_utc_wherever_the_portal_is(owner, key, settings):
    settings.TIME_ZONE = "Asia/Tokyo"
    changed_at = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)
    made = make_integration(organization=owner.organization, product_sync_updated_at=changed_at)
    found = call("GET", path_of(owner.organization, made.pk), token=key).json()
    assert found == body_of(made, product_sync_updated_at="2026-05-04T03:02:01Z")


@pytest.mark.parametrize("count", [1, 3])
def test_integrations_are_listed_newest_first_in_as_many_queries_for_one_as_for_many(
    owner, key, django_assert_num_queries, count
):
    made = [make_custom_integration(organization=owner.organization) for _ in range(count)]
    with django_assert_num_queries(3):  # who calls, the rate limit, the list
        answer = call("GET", path_of(owner.organization), token=key)
    data = [body_of(one, category="shipping") for one in reversed(made)]
    assert said(answer) == (200, {"data": data, "prev": None, "next": None, "per_page": 25})


def test_the_list_has_pages(owner, key):
    made = [make_integration(organization=owner.organization) for _ in range(3)]
    first = call("GET", f"{path_of(owner.organization)}?per_page=2", token=key).json()
    second = call("GET", first["next"].removeprefix("http://testserver/api/"), token=key).json()
    assert [row["id"] for row in first["data"] + second["data"]] == [str(one.pk) for one in reversed(made)]
    assert (first["prev"], second["next"]) == (None, None)


def test_an_integration_key_sees_its_own_integration_only(owner):
    mine = make_custom_integration(organization=owner.organization)
    other = make_custom_integration(organization=owner.organization)
    token = make_key(integration=mine)
    assert [row["id"] for row in call("GET", path_of(owner.organization), token=token).json()["data"]] == [str(mine.pk)]
    for method, body in (("GET", None), ("PUT", {"name": "Mine"}), ("DELETE", None)):
        assert said(call(method, path_of(owner.organization, other.pk), body, token=token)) == (404, "not_found")


def test_another_organizations_integrations_are_not_there(owner, key):
    foreign = make_integration(organization=make_organization())
    for organization in (foreign.organization, owner.organization):
        for method, body in (("GET", None), ("PUT", {"name": "Mine"}), ("DELETE", None)):
            answer = call(method, path_of(organization, foreign.pk), body, token=key)
            assert said(answer) == (404, "not_found")
    assert said(call("GET", path_of(foreign.organization), token=key)) == (404, "not_found")
    assert said(call("POST", path_of(foreign.organization), {}, token=key)) == (404, "not_found")
    foreign.refresh_from_db()
    assert (foreign.name, foreign.deleted_at) == ("Otter: Great Hats", None)


def test_a_name_and_the_syncs_are_updated(owner, key):
    made = make_integration(organization=owner.organization)
    flags = {"order_sync_enabled": False, "product_sync_enabled": False, "stock_sync_enabled": False}
    answer = call("PUT", path_of(owner.organization, made.pk), {"name": "New"} | flags, token=key)
    assert said(answer) == (200, body_of(made, name="New", **flags))
    assert answer.json()["updated_at"] > answer.json()["created_at"]
    entry = Entry.objects.get()
    assert (entry.action, entry.user_id, entry.integration_id) == ("integration.change", owner.pk, made.pk)
    assert entry.before == {"name": "Otter: Great Hats"} | dict.fromkeys(flags, True)
    assert entry.after == {"name": "New"} | flags


@pytest.mark.parametrize("seconds", [0, 604_800])
def test_new_orders_are_held_as_long_as_it_is_said(owner, key, seconds):
    made = make_integration(organization=owner.organization)
    answer = call("PUT", path_of(owner.organization, made.pk), {"order_hold_seconds": seconds}, token=key)
    assert said(answer) == (200, body_of(made, order_hold_seconds=seconds))
    entry = Entry.objects.get(action="integration.change")
    assert (entry.before, entry.after) == ({"order_hold_seconds": 600}, {"order_hold_seconds": seconds})


def test_what_is_left_out_of_an_update_stays(owner, key):
    made = make_integration(organization=owner.organization)
    before = body_of(made)
    assert said(call("PUT", path_of(owner.organization, made.pk), {}, token=key)) == (200, before)


def test_what_was_read_can_be_sent_back_whole(owner, key):
    changed_at = datetime(2026, 5, 4, 3, 2, 1, 987654, tzinfo=UTC)
    made = make_custom_integration(organization=owner.organization, category="erp", product_sync_updated_at=changed_at)
    read = call("GET", path_of(owner.organization, made.pk), token=key).json()
    answer = call("PUT", path_of(owner.organization, made.pk), read | {"name": "New"}, token=key)
    assert (answer.status_code, answer.json()["name"]) == (200, "New")


@pytest.mark.parametrize(
    ("changes", "attribute"),
    [
        ({"id": str(uuid4())}, "id"),
        ({"category": "payment"}, "category"),
        ({"product_sync_updated_at": "2026-01-01T00:00:00Z"}, "product_sync_updated_at"),
        ({"order_sync_updated_at": "yesterday"}, "order_sync_updated_at"),
        ({"created_at": "2026-01-01T00:00:00Z"}, "created_at"),
        ({"updated_at": None}, "updated_at"),
        ({"stock_sync_enabled": "no"}, "stock_sync_enabled"),
        ({"order_hold_seconds": -1}, "order_hold_seconds"),
        ({"order_hold_seconds": 604_801}, "order_hold_seconds"),
        ({"order_hold_seconds": "60"}, "order_hold_seconds"),
        ({"order_hold_seconds": True}, "order_hold_seconds"),
        ({"order_hold_seconds": 1.5}, "order_hold_seconds"),
        ({"order_hold_seconds": None}, "order_hold_seconds"),
        ({"name": None}, "name"),
        ({"state": "connected"}, "state"),
        ({"connector_id": "otter"}, "connector_id"),
        ({"grants": []}, "grants"),
    ],
)
def test_what_cannot_be_changed_is_refused_by_name(owner, key, changes, attribute):
    made = make_integration(organization=owner.organization)
    before = body_of(made)
    body = {"name": "New"} | changes
    assert wrong(call("PUT", path_of(owner.organization, made.pk), body, token=key)) == [attribute]
    assert body_of(made) == before


def test_an_update_may_bring_settings(owner, key):
    made = with_fields(owner.organization)
    path = path_of(owner.organization, made.pk)
    assert call("PUT", path, {"settings": {"days": "5"}}, token=key).status_code == 200
    made.refresh_from_db()
    assert made.settings == {"days": "5"}
    assert wrong(call("PUT", path, {"name": "New", "settings": {"days": 5}}, token=key)) == ["settings.days"]
    made.refresh_from_db()
    assert made.name != "New"


def test_settings_come_as_typed_fields_and_secrets_never(owner, key, django_assert_num_queries):
    made = with_fields(owner.organization)
    path = path_of(owner.organization, made.pk, "settings")
    written = call("PUT", path, {"api_secret": "hush-hush", "speed": "slow"}, token=key)
    with django_assert_num_queries(4):  # who calls, the rate limit, the integration, its secrets
        read = call("GET", path, token=key)
    data = [
        FIELDS[0] | {"value": "3", "is_set": False},
        FIELDS[1] | {"value": None, "is_set": True},
        FIELDS[2] | {"value": "slow", "is_set": True},
    ]
    assert said(read) == said(written) == (200, {"data": data})
    assert "hush" not in str(list(Entry.objects.values()))
    made.refresh_from_db()
    assert (made.settings, made.secret_settings.secrets) == ({"speed": "slow"}, {"api_secret": "hush-hush"})


@pytest.mark.parametrize(
    ("body", "attribute"),
    [
        ({"days": 3}, "days"),
        ({"speed": "warp"}, "speed"),
        ({"api_secret": ""}, "api_secret"),
        ({"unknown": "x"}, "unknown"),
        ([], "body"),
        ("days", "body"),
    ],
)
def test_a_value_its_type_does_not_allow_is_refused_by_key(owner, key, body, attribute):
    made = with_fields(owner.organization)
    path = path_of(owner.organization, made.pk, "settings")
    assert wrong(call("PUT", path, body, token=key)) == [attribute]
    made.refresh_from_db()
    assert made.settings == {}


def test_the_address_an_owner_signed_in_at_cannot_be_moved(owner, key):
    made = make_integration(organization=owner.organization, settings={"address": "https://shop.example"})
    path = path_of(owner.organization, made.pk, "settings")
    assert said(call("GET", path, token=key)) == (200, {"data": []})
    assert wrong(call("PUT", path, {"address": "https://evil.example"}, token=key)) == ["address"]
    made.refresh_from_db()
    assert made.address == "https://shop.example"


def test_another_organizations_settings_are_not_there(key):
    foreign = with_fields(make_organization())
    path = path_of(foreign.organization, foreign.pk, "settings")
    assert said(call("GET", path, token=key)) == (404, "not_found")
    assert said(call("PUT", path, {"days": "1"}, token=key)) == (404, "not_found")


def test_a_key_needs_the_grants(owner):
    made = make_custom_integration(organization=owner.organization)
    reader = make_key(user=owner, grants=["integrations:read"])
    writer = make_key(user=owner, grants=["integrations:write"])
    for parts in ((), (made.pk,), (made.pk, "settings"), (made.pk, "actions"), (made.pk, "runs")):
        assert said(call("GET", path_of(owner.organization, *parts), token=writer)) == (403, "insufficient_scope")
    writes = [("POST", ()), ("PUT", (made.pk,)), ("DELETE", (made.pk,)), ("PUT", (made.pk, "settings"))]
    writes += [("POST", (made.pk, "actions", "pause")), ("POST", (made.pk, "sync", "products"))]
    for method, parts in writes:
        answer = call(method, path_of(owner.organization, *parts), {}, token=reader)
        assert said(answer) == (403, "insufficient_scope")


# ---- History of settings


@pytest.mark.parametrize("changes", [1, 3])
def test_each_change_of_the_settings_is_listed_newest_first(changes, db):
    key = make_key()
    made = Integration.objects.get()
    address = f"v1/organizations/{made.organization_id}/integrations/{made.pk}"
    for number in range(changes):
        assert call("PUT", address, {"name": f"WMS {number}"}, token=key).status_code == 200
    page = call("GET", f"{address}/revisions", token=key).json()
    assert [(row["number"], row["origin"]) for row in page["data"]] == [
        *((number, "change") for number in range(changes + 1, 1, -1)),
        (1, "found"),
    ]
    assert page["data"][0]["changes"][0]["after"] == f"WMS {changes - 1}"
    assert "actor" not in page["data"][0]
    other = make_integration()
    assert (
        call("GET", f"v1/organizations/{made.organization_id}/integrations/{other.pk}/revisions", token=key).json()[
            "code"
        ]
        == "not_found"
    )
