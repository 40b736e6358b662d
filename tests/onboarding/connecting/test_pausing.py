import pytest

from apps.onboarding import connecting
from apps.shops.models import Connection
from apps.syncs.models import SyncRun
from tests.factories import make_actor, make_connection, make_run

State = Connection.State


def test_a_paused_store_is_not_read(db):
    connection = make_connection()
    run = make_run(connection=connection)
    assert connecting.pause(connection, by=make_actor())
    assert Connection.objects.get().state == State.PAUSED
    assert SyncRun.objects.claim(run.pk) is None
    assert list(SyncRun.objects.held()) == [run]


def test_a_resumed_store_is_read_at_once(db):
    connection = make_connection(state=State.PAUSED)
    assert connecting.resume(connection, by=make_actor())
    assert Connection.objects.get().state == State.ACTIVE
    assert SyncRun.objects.due().count() == 1


@pytest.mark.parametrize("state", [state for state in State if state != State.ACTIVE])
def test_only_a_connected_store_can_be_paused(db, state):
    connection = make_connection(state=state)
    assert not connecting.pause(connection, by=make_actor())
    assert Connection.objects.get().state == state


@pytest.mark.parametrize("state", [state for state in State if state != State.PAUSED])
def test_only_a_paused_store_can_be_resumed(db, state):
    connection = make_connection(state=state)
    assert not connecting.resume(connection, by=make_actor())
    assert (Connection.objects.get().state, SyncRun.objects.count()) == (state, 0)
