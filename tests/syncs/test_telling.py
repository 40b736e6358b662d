"""What becomes of connections, integrations and runs is an event, written with it; and who hears of it."""

from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models.functions import Now

from apps.integrations.models import Integration
from apps.shops.models import Connection
from apps.syncs.models import SyncRun
from apps.webhooks.audiences import AUDIENCES
from apps.webhooks.models import Event
from tests.concurrency import at_once
from tests.factories import make_connection, make_draft, make_integration, make_run

pytestmark = pytest.mark.django_db


def told(row: Any, *fields: str) -> list[tuple[Any, ...]]:
    """The events of a row, the oldest first."""
    return list(Event.objects.filter(entity_id=str(row.pk)).order_by("sequence").values_list("sequence", *fields))


def heard(event: Event) -> list[tuple[Any, ...]]:
    """The shop and the integration that may hear of it, as the fan-out asks."""
    happened = "(SELECT id AS event_id, entity, entity_id, data FROM webhooks_event WHERE id = %s)"
    with connection.cursor() as cursor:
        cursor.execute(f"WITH happened AS {happened} {AUDIENCES[event.entity]}", [event.pk])
        return [(shop, integration) for _, shop, integration in cursor.fetchall()]


def test_neither_a_draft_nor_an_attempt_to_connect_it_is_told_of():
    draft = make_draft(integration=make_integration())
    draft.name = "Springfield"
    draft.save()
    assert told(draft) == []
    for state in ("connecting", "draft"):
        Connection.objects.filter(pk=draft.pk).update(state=state)
    assert told(draft) == []


def test_an_event_of_a_connection_says_all_that_is_to_be_known_of_it():
    made = make_connection()
    Connection.objects.filter(pk=made.pk).update(state="paused", problem="unreachable")
    assert Event.objects.filter(entity="connection").order_by("sequence").last().data == {
        "id": str(made.pk),
        "state": "paused",
        "before": "active",
        "reason": "unreachable",
        "name": made.name,
        "connector": "otter",
        "integration_id": str(made.integration_id),
        "shop_id": str(made.shop_id),
        "ext_shop_id": made.ext_shop_id,
    }


def test_a_connection_made_at_once_is_told_of_and_one_that_is_saved_as_it_was_is_not():
    made = make_connection()
    made.save()
    Connection.objects.filter(pk=made.pk).update(heard_at=Now())
    assert told(made, "data__before", "data__state") == [(1, None, "active")]


def test_many_connections_changed_by_one_statement_are_told_of_one_by_one():
    integration = make_integration()
    made = [make_connection(integration=integration) for _ in range(3)]
    Connection.objects.all().leave(at=made[0].connected_at)
    assert [told(one, "data__state") for one in made] == [[(1, "active"), (2, "disconnecting")]] * 3


def test_an_event_of_an_integration_says_all_that_is_to_be_known_of_it():
    made = make_integration()
    made.lose_permission("The token was revoked.")
    assert told(made, "type", "data__state") == [
        (1, "integration.updated", "connected"),
        (2, "integration.updated", "needs_reconnect"),
    ]
    assert Event.objects.get(sequence=2).data == {
        "id": str(made.pk),
        "state": "needs_reconnect",
        "before": "connected",
        "reason": "The token was revoked.",
        "name": "Otter: Great Hats",
        "connector": "otter",
        "is_deleted": False,
    }


def test_an_integration_that_is_deleted_and_one_that_comes_back_are_told_of():
    made = make_integration()
    Integration.objects.filter(pk=made.pk).update(deleted_at=Now())
    Integration.objects.filter(pk=made.pk).update(deleted_at=Now(), name="Another name")
    Integration.objects.filter(pk=made.pk).update(deleted_at=None)
    assert told(made, "data__is_deleted") == [(1, False), (2, True), (3, False)]


@pytest.mark.parametrize("state", ["succeeded", "partial", "failed", "cancelled"])
def test_a_run_is_told_of_when_it_ends(state):
    run = make_run(kind="products", state="running")
    SyncRun.objects.filter(pk=run.pk).update(done=5)
    assert told(run) == []
    SyncRun.objects.filter(pk=run.pk).update(state=state, finished_at=Now())
    assert told(run, "type", "data__state") == [(1, "sync_run.finished", state)]


def test_an_event_of_a_run_says_all_that_is_to_be_known_of_it():
    run = make_run(kind="products", state="running", done=7, total=9, created_count=4, failed_count=2)
    SyncRun.objects.filter(pk=run.pk).update(state="failed", error="timeout", finished_at=run.created_at)
    moment = run.created_at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    assert Event.objects.get(entity="sync_run").data == {
        "id": str(run.pk),
        "sync": "products",
        "state": "failed",
        "before": "running",
        "error": "timeout",
        "done": 7,
        "total": 9,
        "created_count": 4,
        "updated_count": 0,
        "removed_count": 0,
        "failed_count": 2,
        "created_at": moment,
        "started_at": None,
        "finished_at": moment,
        "integration_id": str(run.integration_id),
        "connector": "otter",
        "shop_id": str(run.shop_id),
        "ext_shop_id": run.shop.ext_shop_id,
    }


@pytest.mark.parametrize(
    ("changes", "times"),
    [
        ({"state": "succeeded"}, 0),
        ({"state": "succeeded", "updated_count": 1}, 1),
        ({"state": "succeeded", "failed_count": 1}, 1),
        ({"state": "failed"}, 1),
    ],
)
def test_of_readings_of_orders_those_that_found_something_are_told_of(changes, times):
    run = make_run(kind="orders", state="running")
    SyncRun.objects.filter(pk=run.pk).update(**changes)
    assert len(told(run)) == times


def test_what_is_taken_back_was_not_told_of():
    made = make_connection()
    with transaction.atomic():
        Connection.objects.filter(pk=made.pk).update(state="paused")
        transaction.set_rollback(True)
    assert told(made, "data__state") == [(1, "active")]


@pytest.mark.django_db(transaction=True)
def test_changes_of_one_connection_at_once_are_numbered_without_a_gap():
    made = make_connection()

    def turn_about() -> None:
        for state in ["paused", "active"] * 5:
            Connection.objects.filter(pk=made.pk).exclude(state=state).update(state=state)

    assert at_once(6, turn_about) == [None] * 6
    events = told(made, "data__before", "data__state")
    assert [number for number, *_ in events] == list(range(1, len(events) + 1))
    assert all(before != state for _, before, state in events)
    assert [before for _, before, _ in events[1:]] == [state for _, _, state in events[:-1]]


def test_a_shop_hears_of_its_own_connection_and_runs_and_an_integration_of_its_own():
    made = make_connection()
    run = make_run(connection=made, state="running")
    SyncRun.objects.filter(pk=run.pk).update(state="succeeded")
    of_shop, of_run = (Event.objects.get(entity=entity) for entity in ("connection", "sync_run"))
    assert heard(of_shop) == heard(of_run) == [(made.shop_id, made.integration_id)]
    assert heard(Event.objects.get(entity="integration")) == [(None, made.integration_id)]
