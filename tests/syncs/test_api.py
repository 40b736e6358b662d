"""Syncs of an integration, their runs, and its actions, over the API (behaviours 38 to 41)."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from apps.audit.models import Entry
from apps.integrations.models import Integration
from apps.shops.models import Connection
from apps.syncs.models import SyncRun
from tests.api.calling import call, said, wrong
from tests.conftest import OTTER
from tests.factories import (
    make_access_token,
    make_application_token,
    make_authorization,
    make_connection,
    make_custom_integration,
    make_failure,
    make_integration,
    make_key,
    make_organization,
    make_partner_integration,
    make_run,
)
from tests.integrations.connectors.otter import ORGANIZATION, recorded

from .platform import work_on

pytestmark = pytest.mark.django_db
State = SyncRun.State


@pytest.fixture
def key(owner) -> str:
    """A key of the owner's, which sees the whole organization."""
    return make_key(user=owner)


@pytest.fixture
def integration(owner) -> Integration:
    return make_integration(organization=owner.organization)


def path_of(integration: Integration, *parts: object) -> str:
    ids = ["v1/organizations", integration.organization_id, "integrations", integration.pk]
    return "/".join(map(str, [*ids, *parts]))


def body_of(run: SyncRun, **changes) -> dict:
    return {
        "id": str(run.pk),
        "integration_id": str(run.integration_id),
        "shop_id": str(run.shop_id),
        "sync": "products",
        "state": "queued",
        "done": 0,
        "total": None,
        "created_count": 0,
        "updated_count": 0,
        "removed_count": 0,
        "failed_count": 0,
        "error": "",
        "created_at": run.created_at.isoformat().replace("+00:00", "Z"),
        "started_at": None,
        "finished_at": None,
    } | changes


def test_a_sync_of_products_is_answered_at_once_and_done_in_the_background(integration, key, owner):
    make_connection(integration=integration)
    answer = call("POST", path_of(integration, "sync/products"), token=key)
    run = SyncRun.objects.get()
    assert said(answer) == (202, {"runs": [body_of(run)]})
    assert answer.headers["Location"] == f"http://testserver/api/{path_of(integration, 'runs', run.pk)}"
    assert (run.state, run.asked_by) == (State.QUEUED, owner)
    assert list(SyncRun.objects.due()) == [run]


@pytest.mark.parametrize("count", [1, 3])
def test_every_store_is_synced_in_as_many_queries_for_one_as_for_many(
    integration, key, django_assert_num_queries, count
):
    for _ in range(count):
        make_connection(integration=integration)
    make_connection(integration=integration, state=Connection.State.PAUSED)
    make_connection(organization=integration.organization)
    with django_assert_num_queries(13):
        answer = call("POST", path_of(integration, "sync/products"), token=key)
    assert [run["integration_id"] for run in answer.json()["runs"]] == [str(integration.pk)] * count
    assert SyncRun.objects.count() == count


def test_the_runs_of_several_stores_are_found_in_the_list(integration, key):
    for _ in range(2):
        make_connection(integration=integration)
    answer = call("POST", path_of(integration, "sync/products"), token=key)
    assert answer.headers["Location"] == f"http://testserver/api/{path_of(integration, 'runs')}"
    assert call("GET", path_of(integration, "runs"), token=key).json()["data"] == answer.json()["runs"]


def test_asking_again_is_asking_once_and_waits_for_no_backoff(integration, key):
    run = make_run(connection=make_connection(integration=integration))
    SyncRun.objects.update(next_attempt_at=timezone.now() + timedelta(hours=1), cancel_requested=True)
    answer = call("POST", path_of(integration, "sync/products"), token=key)
    assert said(answer) == (202, {"runs": [body_of(run)]})
    run.refresh_from_db()
    assert (run.cancel_requested, list(SyncRun.objects.due())) == (False, [run])


def test_the_same_call_sent_again_gets_the_same_answer(integration, key):
    make_connection(integration=integration)
    headers = {"Idempotency-Key": "once"}
    first = call("POST", path_of(integration, "sync/products"), token=key, headers=headers)
    SyncRun.objects.update(state=State.SUCCEEDED)
    again = call("POST", path_of(integration, "sync/products"), token=key, headers=headers)
    assert (said(again), again.headers["Location"]) == (said(first), first.headers["Location"])
    assert SyncRun.objects.count() == 1


@pytest.mark.parametrize(
    ("category", "what", "reason"),
    [
        ("payment", "product-stocks", "category payment has no product stocks"),
        ("payment", "products", "category payment has no products"),
        ("payment", "orders", "category payment has no orders"),
        ("shop", "shipping-services", "cannot sync shipping services"),
        ("payment", "shipping-services", "category payment has no shipping services"),
        ("logistics", "products", "cannot sync products"),
        ("shipping", "product-stocks", "category shipping has no product stocks"),
        ("shop", "products", "cannot sync products"),  # its category could, a connector that calls us cannot
        ("logistics", "shipping-services", "cannot sync shipping services"),
    ],
)
def test_a_sync_that_category_or_connector_cannot_do_is_refused(owner, key, category, what, reason):
    made = make_custom_integration(organization=owner.organization, category=category)
    make_connection(integration=made)
    answer = call("POST", path_of(made, "sync", what), token=key)
    assert said(answer) == (422, "sync_not_supported")
    assert reason in answer.json()["detail"]
    assert not SyncRun.objects.exists()


@pytest.mark.parametrize("what", ["orders", "shipping-services"])
def test_a_platform_is_not_asked_for_what_its_connector_does_not_do(integration, key, what):
    make_connection(integration=integration)
    assert said(call("POST", path_of(integration, "sync", what), token=key)) == (422, "sync_not_supported")


def test_a_sync_nobody_knows_is_no_address(integration, key):
    assert said(call("POST", path_of(integration, "sync/everything"), token=key)) == (404, "not_found")


@pytest.mark.parametrize("state", ["not_configured", "needs_reconnect", "disabled"])
def test_an_integration_that_is_not_connected_is_not_synced(integration, key, state):
    make_connection(integration=integration)
    Integration.objects.update(state=state)
    answer = call("POST", path_of(integration, "sync/products"), token=key)
    assert said(answer) == (409, "integration_not_connected")
    assert not SyncRun.objects.exists()


def test_without_a_connected_store_there_is_nothing_to_sync(integration, key):
    path = path_of(integration, "sync/products")
    assert said(call("POST", path, token=key)) == (409, "integration_not_connected")
    make_connection(integration=integration, state=Connection.State.PAUSED)
    assert said(call("POST", path, token=key)) == (409, "conflict")


def test_a_sync_that_is_switched_off_is_not_done(integration, key):
    make_connection(integration=integration)
    call("PUT", path_of(integration), {"product_sync_enabled": False}, token=key)
    assert said(call("POST", path_of(integration, "sync/products"), token=key)) == (409, "conflict")
    assert not SyncRun.objects.exists()


def test_a_run_is_read_with_what_failed_in_it(integration, key):
    at = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)
    fields = {"state": State.PARTIAL, "started_at": at, "finished_at": at, "done": 7, "total": 7, "failed_count": 1}
    run = make_run(connection=make_connection(integration=integration), **fields)
    make_failure(run=run, ref="HAT-1", code="no_name", detail="for admins only")
    changes = {"state": "partial", "done": 7, "total": 7, "failed_count": 1}
    times = dict.fromkeys(("started_at", "finished_at"), "2026-05-04T03:02:01Z")
    failures = [{"ref": "HAT-1", "code": "no_name"}]
    expected = body_of(run, **changes, **times) | {"failures": failures}
    assert said(call("GET", path_of(integration, "runs", run.pk), token=key)) == (200, expected)


@pytest.mark.parametrize("count", [1, 3])
def test_runs_are_listed_newest_first_in_as_many_queries_for_one_as_for_many(
    integration, key, django_assert_num_queries, count
):
    runs = [make_run(connection=make_connection(integration=integration)) for _ in range(count)]
    make_run(connection=make_connection(organization=integration.organization))
    with django_assert_num_queries(4):  # who calls, the rate limit, the integration, its runs
        answer = call("GET", path_of(integration, "runs"), token=key)
    data = [body_of(run) for run in reversed(runs)]
    assert said(answer) == (200, {"data": data, "prev": None, "next": None, "per_page": 25})


def test_runs_of_others_are_not_there(integration, key, owner):
    run, foreign = make_run(connection=make_connection(organization=owner.organization)), make_run()
    for other in (run, foreign):
        assert said(call("GET", path_of(integration, "runs", other.pk), token=key)) == (404, "not_found")
    assert said(call("GET", path_of(foreign.integration, "runs"), token=key)) == (404, "not_found")
    assert said(call("GET", path_of(foreign.integration, "runs", foreign.pk), token=key)) == (404, "not_found")


def test_after_a_sync_the_last_known_change_is_when_it_began_to_read(run, key):
    ended = work_on(run)
    integration = Integration.objects.get()
    assert ended.state == State.SUCCEEDED
    assert integration.product_sync_updated_at == ended.started_at
    owners = make_key(integration=make_custom_integration(organization=run.organization, org_wide_access=True))
    shown = call("GET", path_of(integration), token=owners).json()["product_sync_updated_at"]
    assert shown == ended.started_at.isoformat().replace("+00:00", "Z")


def test_a_sync_that_finds_no_change_leaves_the_last_one_known(run):
    first = work_on(run)
    assert work_on(make_run(connection=Connection.objects.get())).state == State.SUCCEEDED
    assert Integration.objects.get().product_sync_updated_at == first.started_at


def test_a_sync_that_finds_a_product_gone_is_a_change(run, platform):
    work_on(run)
    platform.pages.pop()
    again = work_on(make_run(connection=Connection.objects.get()))
    again = work_on(again) if not again.is_finished else again
    assert (again.state, again.removed_count) == (State.SUCCEEDED, 1)
    assert Integration.objects.get().product_sync_updated_at == again.started_at


def test_a_sync_that_failed_changes_nothing(run, platform):
    platform.wrong["1"] = [(400, {}, "no")]
    assert work_on(run).state == State.FAILED
    assert Integration.objects.get().product_sync_updated_at is None


PLATFORMS = ["test-connection", "sync-now", "pause", "resume", "reconnect-link"]
ALL = ["export-configuration", "disable", "enable"]


def codes(integration: Integration, key: str) -> list[str]:
    return [action["code"] for action in call("GET", path_of(integration, "actions"), token=key).json()["data"]]


def test_an_integration_offers_what_its_connector_can(integration, key, owner):
    partners = make_partner_integration(organization=owner.organization)
    custom = make_custom_integration(organization=owner.organization)
    gone = make_integration(organization=owner.organization, connector="gone")
    assert codes(integration, key) == [*PLATFORMS, *ALL]
    assert codes(partners, key) == ["test-connection", "reconnect-link", *ALL]
    assert codes(custom, key) == ["test-connection", *ALL]
    assert codes(gone, key) == ["disable", "enable"]


def test_an_action_says_what_it_does_and_asks_for(integration, key, django_assert_num_queries):
    with django_assert_num_queries(4):  # who calls, the rate limit, the integration, how it stands
        found = call("GET", path_of(integration, "actions"), token=key).json()["data"]
    assert found[2] == {
        "code": "pause",
        "name": "Pause",
        "description": "Nothing is read from its stores until they are resumed.",
        "fields": [],
    }
    reason = {"key": "reason", "title": "Why, for whoever asks", "data_type": None, "type": "text"}
    assert found[6]["fields"] == [reason | {"default": None, "required": False, "options": []}]


def perform(integration: Integration, code: str, key: str, **fields):
    body = {"fields": fields} if fields else None
    return call("POST", path_of(integration, "actions", code), body, token=key)


@pytest.mark.parametrize("code", ["explode", "Pause", "sync-now", "%C3%A9"])
def test_an_action_that_is_not_offered_is_refused(owner, key, code):
    made = make_custom_integration(organization=owner.organization)
    assert said(perform(made, code, key)) == (422, "unknown_action")


def test_an_action_takes_its_own_fields_only(integration, key):
    path = path_of(integration, "actions/disable")
    assert wrong(call("POST", path, {"fields": {"reason": 7}}, token=key)) == ["fields.reason"]
    assert wrong(call("POST", path, {"fields": {"force": True}}, token=key)) == ["fields.force"]
    assert wrong(call("POST", path, {"fields": []}, token=key)) == ["fields"]
    assert wrong(call("POST", path, {"reason": "why"}, token=key)) == ["reason"]
    integration.refresh_from_db()
    assert not integration.is_disabled


def test_testing_a_connection_asks_the_platform(otter, integration, key):
    make_application_token()
    otter.get(OTTER + ORGANIZATION, json=recorded("organization"))
    outcome = {
        "ok": True,
        "detail": "Otter answers, for the account Great Hats.",
        "result": {"account": "Great Hats"},
    }
    assert said(perform(integration, "test-connection", key)) == (200, outcome)
    entry = Entry.objects.get()
    assert (entry.action, entry.target_id, entry.after) == (
        "integration.test-connection", str(integration.pk), {"ok": True},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("status", "error", "detail"),
    [
        (401, "unauthorized", "Otter no longer lets us in. Log in there again to go on."),
        (500, "server_error", "Otter has a problem of its own."),
        (400, "rejected", "Otter refused the call."),
    ],
)
def test_a_connection_that_does_not_work_says_why(otter, integration, key, status, error, detail):
    make_application_token()
    otter.get(OTTER + ORGANIZATION, status=status, json={"message": "internal words"})
    outcome = {"ok": False, "detail": detail, "result": {"error": error}}
    assert said(perform(integration, "test-connection", key)) == (200, outcome)
    integration.refresh_from_db()
    assert integration.needs_reconnect == (status == 401)


def test_a_platform_is_not_asked_again_and_again(otter, integration, key):
    make_application_token()
    otter.get(OTTER + ORGANIZATION, json=recorded("organization"))
    answers = [perform(integration, "test-connection", key) for _ in range(7)]
    assert [answer.status_code for answer in answers] == [*[200] * 6, 429]
    assert (int(answers[-1].headers["Retry-After"]) <= 10, len(otter.calls)) == (True, 6)


@pytest.mark.parametrize(
    ("state", "error"), [("disabled", "integration_disabled"), ("not_configured", "integration_not_connected")]
)
def test_a_connection_that_is_none_is_not_tested(otter, integration, key, state, error):
    Integration.objects.update(state=state)
    outcome = perform(integration, "test-connection", key).json()
    assert (outcome["ok"], outcome["result"], len(otter.calls)) == (False, {"error": error}, 0)


def test_of_a_partner_it_says_when_it_last_called(owner, key):
    made = make_custom_integration(organization=owner.organization)
    silent = {"ok": False, "detail": "It has not called us yet.", "result": {"last_call_at": None}}
    assert said(perform(made, "test-connection", key)) == (200, silent)
    call("GET", path_of(made), token=make_key(integration=made))
    outcome = perform(made, "test-connection", key).json()
    assert outcome["ok"]
    age = timezone.now() - datetime.fromisoformat(outcome["result"]["last_call_at"])
    assert timedelta(0) < age < timedelta(minutes=1)


def test_tokens_are_calls_of_a_partner_too(owner, key):
    made = make_partner_integration(organization=owner.organization)
    call("GET", path_of(made), token=make_access_token(authorization=make_authorization(integration=made, user=owner)))
    assert perform(made, "test-connection", key).json()["ok"]


def test_sync_now_asks_for_every_sync_it_can_do(integration, key):
    make_connection(integration=integration)
    outcome = perform(integration, "sync-now", key).json()
    runs = {run.kind: str(run.pk) for run in SyncRun.objects.all()}
    asked = [runs["products"], runs["product-stocks"]]
    assert outcome == {"ok": True, "detail": "Syncs asked for: 2.", "result": {"runs": asked}}


def test_sync_now_leaves_out_what_is_switched_off(integration, key):
    make_connection(integration=integration)
    Integration.objects.update(stock_sync_enabled=False)
    assert perform(integration, "sync-now", key).json()["detail"] == "Syncs asked for: 1."
    Integration.objects.update(product_sync_enabled=False)
    assert said(perform(integration, "sync-now", key)) == (409, "conflict")


def test_sync_now_says_when_it_cannot(integration, key):
    assert said(perform(integration, "sync-now", key)) == (409, "integration_not_connected")


def test_stores_are_paused_and_resumed(integration, key, owner):
    mine = [make_connection(integration=integration) for _ in range(2)]
    other = make_connection(organization=owner.organization)
    paused = {"ok": True, "detail": "Stores paused: 2.", "result": {"stores": 2}}
    assert said(perform(integration, "pause", key)) == (200, paused)
    assert not Connection.objects.live().exclude(pk=other.pk).exists()
    resumed = {"ok": True, "detail": "Stores resumed: 2.", "result": {"stores": 2}}
    assert said(perform(integration, "resume", key)) == (200, resumed)
    assert Connection.objects.live().count() == 3
    assert {run.shop_id for run in SyncRun.objects.due()} == {connection.shop_id for connection in mine}
    assert [entry.action for entry in Entry.objects.all()] == ["integration.resume", "integration.pause"]


def test_resuming_reads_nothing_when_the_sync_is_off(integration, key):
    make_connection(integration=integration, state=Connection.State.PAUSED)
    Integration.objects.update(product_sync_enabled=False)
    assert perform(integration, "resume", key).json()["result"] == {"stores": 1}
    assert not SyncRun.objects.exists()


def test_the_links_to_reconnect_are_the_owners_pages(integration, key, owner_client, settings):
    settings.PUBLIC_URL = "https://portal.example"
    connection = make_connection(integration=integration, name="Hats")
    links = perform(integration, "reconnect-link", key).json()["result"]["links"]
    url = f"https://portal.example/stores/{connection.pk}/log-in/"
    assert links == [{"connection_id": str(connection.pk), "name": "Hats", "url": url}]
    assert owner_client.get(url.removeprefix("https://portal.example")).status_code == 200


def test_without_a_store_the_link_begins_the_wizard(integration, key, settings):
    settings.PUBLIC_URL = "https://portal.example"
    links = perform(integration, "reconnect-link", key).json()["result"]["links"]
    assert links == [{"connection_id": None, "name": integration.name, "url": "https://portal.example/connect/"}]


def test_a_registered_application_is_let_in_at_the_authorization_server(owner, key, settings):
    settings.PUBLIC_URL = "https://portal.example"
    made = make_partner_integration(organization=owner.organization, grants=["orders:read", "shops:read"])
    (link,) = perform(made, "reconnect-link", key).json()["result"]["links"]
    client = made.partner.application.client_id
    assert link["url"] == (
        f"https://portal.example/oauth/authorize?response_type=code&client_id={client}"
        "&redirect_uri=https%3A%2F%2Fpartner.example%2Fcallback&scope=orders%3Aread+shops%3Aread"
    )


def test_the_configuration_is_exported(owner, key):
    made = make_custom_integration(organization=owner.organization)
    found = perform(made, "export-configuration", key).json()
    assert (found["ok"], found["result"]["configuration"]["name"]) == (True, made.name)


def test_an_integration_is_disabled_and_enabled_again(integration, key, owner):
    disabled = {"ok": True, "detail": "It is disabled.", "result": {"state": "disabled"}}
    assert said(perform(integration, "disable", key, reason="On holiday")) == (200, disabled)
    integration.refresh_from_db()
    assert (integration.is_disabled, integration.state_reason) == (True, "On holiday")
    enabled = {"ok": True, "detail": "It is enabled again.", "result": {"state": "connected"}}
    assert said(perform(integration, "enable", key)) == (200, enabled)
    done = Entry.objects.values_list("action", "user_id", "reason")
    assert list(done) == [("integration.enable", owner.pk, ""), ("integration.disable", owner.pk, "On holiday")]


def test_enabling_what_is_not_disabled_does_nothing(integration, key):
    answer = {"ok": True, "detail": "It was not disabled.", "result": {"state": "connected"}}
    assert said(perform(integration, "enable", key)) == (200, answer)


@pytest.mark.parametrize("code", ["disable", "enable"])
def test_no_program_switches_integrations(owner, code):
    made = make_custom_integration(organization=owner.organization, org_wide_access=True)
    assert said(perform(made, code, make_key(integration=made))) == (403, "forbidden")
    assert Entry.objects.get().outcome == Entry.Outcome.REFUSED


def test_an_action_sent_again_is_done_once(integration, key):
    headers = {"Idempotency-Key": "once"}
    make_connection(integration=integration)
    first = call("POST", path_of(integration, "actions/pause"), token=key, headers=headers)
    again = call("POST", path_of(integration, "actions/pause"), token=key, headers=headers)
    assert said(first) == said(again)
    assert (first.json()["result"], again.headers["Idempotency-Replayed"]) == ({"stores": 1}, "true")


def test_actions_of_others_are_not_there(integration, key):
    foreign = make_integration(organization=make_organization())
    assert said(call("GET", path_of(foreign, "actions"), token=key)) == (404, "not_found")
    assert said(perform(foreign, "disable", key)) == (404, "not_found")
    assert said(call("POST", path_of(foreign, "sync/products"), token=key)) == (404, "not_found")
    integration.pk = uuid4()
    assert said(perform(integration, "disable", key)) == (404, "not_found")
    foreign.refresh_from_db()
    assert not foreign.is_disabled


@pytest.mark.parametrize(
    ("state", "shown"),
    [
        ("not_configured", "not_configured"),
        ("connected", "connected"),
        ("needs_reconnect", "error"),
        ("disabled", "disabled"),
    ],
)
def test_its_state_is_shown_beside_its_actions(integration, key, state, shown):
    Integration.objects.update(state=state, state_reason="because" if state == "needs_reconnect" else "")
    found = call("GET", path_of(integration, "actions"), token=key).json()
    assert (found["state"], found["state_reason"]) == (shown, "because" if shown == "error" else "")
