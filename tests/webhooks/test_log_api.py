"""Deliveries and events over the API: seen, found, and sent once more (behaviours 94 and 95)."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.audit.models import Entry
from apps.webhooks import log
from apps.webhooks.models import Delivery, Receipt
from tests.api.calling import call, said, wrong
from tests.factories import (
    make_custom_integration,
    make_delivery,
    make_endpoint,
    make_event,
    make_hook,
    make_integration,
    make_key,
    make_member,
    make_organization,
    make_receipt,
    make_try,
)

pytestmark = pytest.mark.django_db
State = Delivery.State


@pytest.fixture
def organization():
    return make_organization()


@pytest.fixture
def key(organization) -> str:
    """A person's: of all that their organization has."""
    return make_key(user=make_member(organization=organization))


def ask(method: str, path: str, token: str, body: Any = None) -> Any:
    answer = call(method, f"v1/{path}", body, token=token)
    assert answer.status_code == 200, answer.content
    return answer.json()


def make(organization: Any, *, sku: str = "HAT", **fields: Any) -> Delivery:
    hook = fields.pop("hook", None) or make_hook(
        endpoint=make_endpoint(organization=organization), event="product.created"
    )
    event = make_event(organization=organization, entity="product", data={"sku": sku})
    return make_delivery(hook=hook, event=event, **fields)


def ids(answer: dict[str, Any]) -> list[Any]:
    return [row["id"] for row in answer["data"]]


def body_of(delivery: Delivery, **changes: Any) -> dict[str, Any]:
    delivery.refresh_from_db()
    event = delivery.event
    return {
        "id": delivery.pk, "message_id": f"msg_{delivery.pk}", "event": "product.created", "event_id": event.pk,
        "entity": "product", "entity_id": event.entity_id, "sequence": 1, "hook_id": str(delivery.hook_id),
        "endpoint_id": str(delivery.endpoint_id), "state": delivery.state, "is_held": False, "tries": delivery.tries,
        "status": delivery.status, "error": delivery.error, "created_at": utc(delivery.created_at),
        "first_tried_at": utc(delivery.first_tried_at), "next_attempt_at": utc(delivery.next_attempt_at),
        "finished_at": utc(delivery.finished_at),
    } | changes  # fmt: skip


def utc(at: Any) -> str | None:
    return at and at.isoformat().replace("+00:00", "Z")


def test_a_delivery_says_what_became_of_it(organization, key):
    delivery = make(organization, state=State.FAILED, tries=10, status=503, error="status_503")
    assert ask("GET", "deliveries", key) == {
        "data": [body_of(delivery)], "prev": None, "next": None, "per_page": 25,
    }  # fmt: skip


def test_one_for_a_paused_address_is_held(organization, key):
    endpoint = make_endpoint(organization=organization, state="paused", reason="asked")
    delivery = make(organization, hook=make_hook(endpoint=endpoint, event="product.created"))
    assert ask("GET", "deliveries", key)["data"] == [body_of(delivery, is_held=True)]


def test_a_delivery_shows_each_try_and_no_secret(organization, key):
    endpoint = make_endpoint(organization=organization, headers={"X-Key": "do-not-show"})
    hook = make_hook(endpoint=endpoint, event="product.created")
    delivery = make(organization, hook=hook, sku="HÜTTE", state=State.FAILED)
    came = {"Retry-After": "30", "X-Access-Token": "of-theirs"}
    tried = make_try(delivery=delivery, status=503, headers=came, body="come later")
    make_try(delivery=delivery, status=None, error="timeout", milliseconds=15_000)
    found = ask("GET", f"deliveries/{delivery.pk}", key)
    sent = json.loads(found["body"])
    assert (sent["type"], sent["data"]) == ("product.created", {"sku": "HÜTTE"})
    assert '"HÜTTE"' in found["body"]  # letter by letter what was signed
    first, second = found.pop("attempts")
    headers = {name.lower(): value for name, value in first["request"].pop("headers").items()}
    assert first == {
        "started_at": utc(tried.started_at), "milliseconds": 20, "error": "",
        "request": {"url": endpoint.url, "body": found["body"]},
        "response": {
            "status": 503, "headers": {"Retry-After": "30", "X-Access-Token": "…"}, "body": "come later",
        },
    }  # fmt: skip
    assert (headers["webhook-id"], headers["webhook-signature"], headers["x-key"]) == (f"msg_{delivery.pk}", "…", "…")
    assert (second["error"], second["response"]) == ("timeout", {"status": None, "headers": {}, "body": ""})
    assert found == body_of(delivery, body=found["body"])


def test_a_delivery_with_many_tries_costs_as_much_as_one_with_one(organization, key):
    delivery = make(organization)
    make_try(delivery=delivery)
    with CaptureQueriesContext(connection) as one:
        ask("GET", f"deliveries/{delivery.pk}", key)
    for _ in range(5):
        make_try(delivery=delivery)
    with CaptureQueriesContext(connection) as many:
        ask("GET", f"deliveries/{delivery.pk}", key)
    assert len(many) == len(one)


def test_deliveries_are_found_by_what_is_asked(organization, key):
    old, new = make(organization, state=State.FAILED), make(organization)
    hour_ago = timezone.now() - timedelta(hours=1)
    Delivery.objects.filter(pk=old.pk).update(created_at=hour_ago - timedelta(hours=1))
    since = hour_ago.isoformat().replace("+00:00", "Z")
    asked = {
        "": [new.pk, old.pk],
        f"endpoint_id={old.endpoint_id}": [old.pk],
        f"hook_id={new.hook_id}": [new.pk],
        "event=product.created": [new.pk, old.pk],
        "event=order.created": [],
        "state=failed": [old.pk],
        "entity=product": [new.pk, old.pk],
        "entity=order": [],
        f"entity_id={old.event.entity_id}": [old.pk],
        f"entity=order&entity_id={old.event.entity_id}": [],
        f"since={since}": [new.pk],
        f"until={since}": [old.pk],
    }
    assert {query: ids(ask("GET", f"deliveries?{query}", key)) for query in asked} == asked


def test_an_entity_of_many_events_is_found_all_the_same(organization, key, monkeypatch):
    monkeypatch.setattr(log, "MOST_EVENTS", 1)
    hook = make_hook(endpoint=make_endpoint(organization=organization), event="product.created")
    news = [make_event(organization=organization, entity="product", entity_id="77", sequence=n) for n in (1, 2)]
    make(organization)
    made = [make_delivery(hook=hook, event=event).pk for event in news]
    assert ids(ask("GET", "deliveries?entity_id=77", key)) == made[::-1]


@pytest.mark.parametrize("query", ["state=gone", "hook_id=x", "since=yesterday", "entity_id=" + "x" * 37])
def test_what_cannot_be_asked_is_refused(key, query):
    assert call("GET", f"v1/deliveries?{query}", token=key).status_code == 422


def test_pages_follow_each_other_both_ways(organization, key):
    hook = make_hook(endpoint=make_endpoint(organization=organization), event="product.created")
    made = [make(organization, hook=hook).pk for _ in range(5)][::-1]
    first = ask("GET", "deliveries?per_page=2", key)
    second = ask("GET", first["next"].partition("/v1/")[2], key)
    back = ask("GET", second["prev"].partition("/v1/")[2], key)
    assert (ids(first), ids(second), ids(back)) == (made[:2], made[2:4], made[:2])


def test_a_list_costs_the_same_whatever_its_length(organization, key):
    make(organization)
    make_receipt(integration=make_integration(organization=organization))
    for path in ("deliveries", "events"):
        with CaptureQueriesContext(connection) as one:
            ask("GET", path, key)
        make(organization)
        make_receipt(integration=make_integration(organization=organization))
        with CaptureQueriesContext(connection) as more:
            ask("GET", path, key)
        assert len(more) == len(one)


# ---- Once more


def test_a_delivery_is_sent_once_more(organization, key):
    delivery = make(organization, state=State.DELIVERED, tries=1, status=200)
    told = ask("POST", f"deliveries/{delivery.pk}/replay", key)
    assert told == body_of(delivery, state="pending", tries=0, status=None)
    assert Entry.objects.get(action="delivery.replay").target_id == str(delivery.pk)


def test_one_that_has_still_to_arrive_is_not(organization, key):
    delivery = make(organization)
    assert said(call("POST", f"v1/deliveries/{delivery.pk}/replay", {}, token=key)) == (409, "conflict")


@pytest.mark.parametrize("pk", ["1", str(2**70)])
def test_one_that_is_not_there_is_not_found(key, pk):
    answers = [call("GET", f"v1/deliveries/{pk}", token=key), call("POST", f"v1/deliveries/{pk}/replay", {}, token=key)]
    assert [said(answer) for answer in answers] == [(404, "delivery_not_found")] * 2


def day_ago() -> str:
    return (timezone.now() - timedelta(days=1)).isoformat()


def test_many_are_counted_first_and_then_sent_once_more(organization, key):
    hook = make_hook(endpoint=make_endpoint(organization=organization), event="product.created")
    for state in (State.FAILED, State.FAILED, State.DELIVERED):
        make(organization, hook=hook, state=state)
    chosen = {"since": day_ago(), "state": "failed"}
    assert ask("POST", "deliveries/replay", key, chosen | {"dry_run": True}) == {"matching": 2, "replayed": 0}
    make(organization, hook=hook, state=State.FAILED)
    refused = call("POST", "v1/deliveries/replay", chosen | {"expected": 2}, token=key)
    assert (said(refused), refused.json()["detail"]) == (
        (409, "more_than_expected"), "3 match now. Look at them, and ask again.",
    )  # fmt: skip
    assert not Delivery.objects.filter(state=State.PENDING).exists()
    assert ask("POST", "deliveries/replay", key, chosen | {"expected": 3}) == {"matching": 3, "replayed": 3}
    assert Delivery.objects.filter(state=State.PENDING).count() == 3


@pytest.mark.parametrize(
    ("body", "attribute"),
    [
        ({}, "since"),
        ({"since": "2020-01-01T00:00:00Z", "dry_run": True}, "since"),
        ({"since": "2100-01-01T00:00:00Z", "dry_run": True}, "since"),
        ({"since": "now"}, "expected"),
        ({"since": "now", "state": "gone", "dry_run": True}, "state"),
        ({"since": "now", "other": 1}, "other"),
    ],
)
def test_many_are_not_sent_without_a_time_and_a_count(key, body, attribute):
    body = body | ({"since": day_ago()} if body.get("since") == "now" else {})
    assert attribute in wrong(call("POST", "v1/deliveries/replay", body, token=key))


def test_a_machine_sends_again_what_went_to_itself_alone(organization):
    custom = make_custom_integration(organization=organization)
    custom.org_wide_access = True
    custom.save()
    machine = make_key(integration=custom)
    own = make(
        organization,
        hook=make_hook(endpoint=make_endpoint(integration=custom), event="product.created"),
        state=State.FAILED,
    )
    other = make(organization, state=State.FAILED)
    assert ask("POST", f"deliveries/{own.pk}/replay", machine)["state"] == "pending"
    code = said(call("POST", f"v1/deliveries/{other.pk}/replay", {}, token=machine))[1]
    assert code in {"forbidden", "delivery_not_found"}
    chosen = {"since": day_ago(), "dry_run": True}
    assert ask("POST", "deliveries/replay", machine, chosen) == {"matching": 0, "replayed": 0}


# ---- Events


def test_events_are_what_came_in_beside_what_goes_out(organization, key):
    integration = make_integration(organization=organization)
    came = make_receipt(integration=integration, remote_id="theirs-1", event_type="orders.updated", state="failed")
    went = make(organization, state=State.DELIVERED)
    assert ask("GET", "events", key)["data"] == [
        {
            "id": f"out_{went.pk}", "direction": "out", "integration_id": None, "shop_id": None,
            "type": "product.created", "entity": "product", "ref": went.event.entity_id, "status": "completed",
            "error": "", "created_at": utc(went.created_at),
        },
        {
            "id": f"in_{came.pk}", "direction": "in", "integration_id": str(integration.pk), "shop_id": None,
            "type": "orders.updated", "entity": "order", "ref": "theirs-1", "status": "failed", "error": "",
            "created_at": utc(came.received_at),
        },
    ]  # fmt: skip


def test_events_are_found_by_what_is_asked(organization, key):
    integration = make_integration(organization=organization)
    came = make_receipt(integration=integration, remote_id="theirs-1", event_type="orders.updated", state="failed")
    endpoint = make_endpoint(integration=integration)
    went = make(organization, hook=make_hook(endpoint=endpoint, event="product.created"), sku="RED-HAT")
    into, out = f"in_{came.pk}", f"out_{went.pk}"
    asked = {
        f"integration_id={integration.pk}": [out, into],
        f"integration_id={make_integration(organization=organization).pk}": [],
        "direction=in": [into],
        "direction=out": [out],
        "status=failed": [into],
        "status=acknowledged": [out],
        "status=completed": [],
        "entity=order": [into],
        "entity=product": [out],
        "search=theirs-1": [into],
        f"search={into}": [into],
        f"search=msg_{went.pk}": [out],
        f"search={went.event.entity_id}": [out],
        "search=RED-HAT": [out],
        "search=nothing": [],
    }
    assert {query: ids(ask("GET", f"events?{query}", key)) for query in asked} == asked


def test_an_event_shows_what_it_stands_for(organization, key):
    receipt = make_receipt(
        integration=make_integration(organization=organization), headers={"x-signature": "s3cret"}, body=b'{"a": 1}'
    )
    went = make(organization)
    found = ask("GET", f"events/in_{receipt.pk}", key)
    assert (found["delivery"], found["receipt"]["body"], found["receipt"]["headers"]) == (
        None, '{"a": 1}', {"x-signature": "…"},
    )  # fmt: skip
    found = ask("GET", f"events/out_{went.pk}", key)
    assert (found["receipt"], found["delivery"]["message_id"]) == (None, f"msg_{went.pk}")


@pytest.mark.parametrize("name", ["x", "in_x", "out_x", "out_", "out_" + "9" * 30, "in_1"])
def test_an_event_that_is_none_is_not_found(key, name):
    assert said(call("GET", f"v1/events/{name}", token=key)) == (404, "not_found")


def test_an_event_is_run_again_whichever_way_it_went(organization, key):
    receipt = make_receipt(
        integration=make_integration(organization=organization), state="parked", error="unknown_shop"
    )
    went = make(organization, state=State.FAILED)
    assert ask("POST", f"events/in_{receipt.pk}/rerun", key)["status"] == "acknowledged"
    assert ask("POST", f"events/out_{went.pk}/rerun", key)["status"] == "acknowledged"
    assert (Receipt.objects.get().state, Delivery.objects.get().state) == ("received", "pending")
    for name in (f"in_{receipt.pk}", f"out_{went.pk}"):
        assert said(call("POST", f"v1/events/{name}/rerun", {}, token=key)) == (409, "conflict")


def test_an_integration_knows_of_its_own_alone(organization):
    custom = make_custom_integration(organization=organization)
    machine = make_key(integration=custom)
    other = make_receipt(integration=make_integration(organization=organization), state="parked")
    own = make_receipt(integration=custom)
    make(organization)
    assert ids(ask("GET", "events", machine)) == [f"in_{own.pk}"]
    assert ask("GET", "deliveries", machine)["data"] == []
    assert said(call("POST", f"v1/events/in_{other.pk}/rerun", {}, token=machine)) == (404, "not_found")
