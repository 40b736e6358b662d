from datetime import timedelta

import pytest
from django.utils import timezone

from apps.integrations.models import Integration
from apps.onboarding import status
from apps.shops.models import Connection
from apps.syncs.models import SyncRun
from tests.factories import make_connection, make_draft, make_integration, make_run

State = Connection.State


def shown(connection, run=None):
    found = status.of(connection, run)
    return found.label, found.text, found.needs_you


@pytest.mark.parametrize(
    ("state", "label", "text"),
    [
        (State.CONNECTING, "Connecting", "We are connecting this store right now."),
        (State.ACTIVE, "Connected", ""),
        (State.PAUSED, "Paused", "Nothing is read until you resume."),
        (State.DISCONNECTING, "Disconnecting", "Nothing is read any more."),
        (State.DISCONNECTED, "Disconnected", "This store is not connected any more."),
    ],
)
def test_each_state_has_its_words(db, state, label, text):
    assert shown(make_connection(state=state)) == (label, text, False)


def test_a_draft_waits_for_its_owner(db):
    assert shown(make_draft()) == ("Not finished", "You have not finished connecting this store.", True)


def test_a_connection_that_hangs_says_why(db):
    hanging = make_connection(state=State.CONNECTING, problem="silent_halfway")
    told = "Otter fell silent halfway. We ask it what holds, and finish by ourselves."
    assert shown(hanging) == ("Connecting", told, False)


@pytest.mark.parametrize("state", [State.CONNECTING, State.ACTIVE, State.PAUSED])
@pytest.mark.parametrize("permission", ["needs_reconnect", "not_configured", "disabled"])
def test_without_permission_the_owner_has_to_log_in_again(db, state, permission):
    connection = make_connection(integration=make_integration(state=permission), state=state)
    assert shown(connection) == ("Needs you", "Log in at Otter again.", True)


@pytest.mark.parametrize("state", [State.DISCONNECTING, State.DISCONNECTED])
def test_without_permission_what_is_being_disconnected_needs_nobody(db, state):
    integration = make_integration(state=Integration.State.NEEDS_RECONNECT)
    assert not status.of(make_connection(integration=integration, state=state), None).needs_you


@pytest.mark.parametrize(
    ("run", "label", "needs_you"),
    [
        ({"state": "queued"}, "Importing", False),
        ({"state": "running"}, "Importing", False),
        ({"state": "queued", "error": "timeout"}, "Waiting", False),
        ({"state": "failed", "error": "server_error"}, "Stopped", False),
        ({"state": "failed", "error": "too_much_gone"}, "Needs you", True),
        ({"state": "succeeded"}, "Connected", False),
        ({"state": "partial"}, "Connected", False),
        ({"state": "cancelled"}, "Connected", False),
    ],
)
def test_a_connected_store_is_as_its_newest_import(db, run, label, needs_you):
    connection = make_connection()
    found = status.of(connection, make_run(connection=connection, **run))
    assert (found.label, found.needs_you) == (label, needs_you)


def test_what_went_wrong_is_told_in_a_sentence(db):
    connection = make_connection()
    run = make_run(connection=connection, state="failed", error="timeout")
    assert status.of(connection, run).text == "Otter took too long to answer."


def test_each_connection_comes_with_its_newest_run(db):
    first, second = make_connection(), make_connection()
    old = make_run(connection=first, state=SyncRun.State.SUCCEEDED)
    SyncRun.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=1))
    newest = make_run(connection=first)
    rows = status.rows(Connection.objects.all())
    assert {row.connection: row.run for row in rows} == {first: newest, second: None}


def test_what_waits_for_the_owner_is_picked_out(db):
    make_connection()
    waiting = make_draft()
    assert [row.connection for row in status.waiting_for_owner(status.rows(Connection.objects.all()))] == [waiting]
