from datetime import timedelta

import pytest
from django.utils import timezone

from apps.integrations.connectors.base import Rejected, Unreachable
from apps.integrations.models import Credential, Integration
from apps.onboarding import connecting, schedule
from apps.shops.models import Connection, Shop
from apps.syncs.models import SyncRun
from tests.factories import make_actor, make_connection, make_draft, make_run

from ..platform import fail, let_lease_run_out

State = Connection.State


def again(connection):
    return Connection.objects.get(pk=connection.pk)


@pytest.fixture
def connected(draft, owner):
    connecting.connect(draft, by=make_actor(owner))
    return again(draft)


def leave(connection):
    """Disconnect, and let the time to think again pass."""
    assert connecting.disconnect(connection, by=make_actor())
    Connection.objects.filter(pk=connection.pk).update(disconnect_at=timezone.now() - timedelta(seconds=1))


def test_disconnecting_stops_everything_at_once_and_tells_nobody_yet(connected, platform, settings):
    settings.UNDO_DISCONNECT_SECONDS = 900
    platform.forget_calls()
    assert connecting.disconnect(connected, by=make_actor())
    left = again(connected)
    assert left.state == State.DISCONNECTING
    assert timedelta(seconds=890) < left.disconnect_at - timezone.now() <= timedelta(seconds=900)
    assert not SyncRun.objects.due().exists()
    schedule.finish_disconnecting()
    assert (again(connected).state, platform.calls()) == (State.DISCONNECTING, [])


def test_a_disconnect_can_be_undone_and_the_store_is_read_again(connected):
    SyncRun.objects.update(state=SyncRun.State.SUCCEEDED)
    connecting.disconnect(connected, by=make_actor())
    assert connecting.is_undoable(again(connected))
    assert connecting.undo_disconnect(again(connected), by=make_actor())
    assert (again(connected).state, again(connected).disconnect_at) == (State.ACTIVE, None)
    assert SyncRun.objects.unfinished().count() == 1


def test_a_paused_store_is_paused_again_after_an_undo(connected):
    connecting.pause(connected, by=make_actor())
    SyncRun.objects.update(state=SyncRun.State.SUCCEEDED)
    connecting.disconnect(again(connected), by=make_actor())
    assert connecting.undo_disconnect(again(connected), by=make_actor())
    assert again(connected).state == State.PAUSED
    assert not SyncRun.objects.unfinished().exists()


def test_an_undo_after_the_time_is_over_does_nothing(connected):
    leave(connected)
    assert not connecting.is_undoable(again(connected))
    assert not connecting.undo_disconnect(again(connected), by=make_actor())
    assert again(connected).state == State.DISCONNECTING


def test_an_undo_while_the_platform_is_being_told_does_nothing(connected):
    connecting.disconnect(connected, by=make_actor())
    Connection.objects.update(lease_until=timezone.now() + timedelta(seconds=30))
    assert not connecting.is_undoable(again(connected))
    assert not connecting.undo_disconnect(again(connected), by=make_actor())


def test_when_the_time_is_over_the_platform_is_told_and_the_shop_closed(connected, platform):
    leave(connected)
    schedule.finish_disconnecting()
    assert platform.held() == {}
    assert again(connected).state == State.DISCONNECTED
    assert not Shop.objects.get().is_active
    assert SyncRun.objects.get().state == SyncRun.State.CANCELLED


def test_the_store_keeps_its_shop_and_its_history(connected):
    leave(connected)
    schedule.finish_disconnecting()
    assert (again(connected).shop, SyncRun.objects.count()) == (Shop.objects.get(), 1)


def test_a_platform_that_is_down_is_told_when_it_is_back(connected, platform):
    leave(connected)
    platform.sandbox.fault("server_error")
    schedule.finish_disconnecting()
    assert again(connected).state == State.DISCONNECTING
    let_lease_run_out(connected)
    schedule.finish_disconnecting()
    assert (again(connected).state, platform.held()) == (State.DISCONNECTED, {})


def test_a_platform_that_refuses_does_not_keep_a_store_connected(connected, monkeypatch):
    leave(connected)
    fail(monkeypatch, "disconnect", Rejected("no", code="forbidden", status=403), when="before")
    schedule.finish_disconnecting()
    assert again(connected).state == State.DISCONNECTED


def test_a_permission_that_was_taken_back_does_not_keep_a_store_connected(connected, platform):
    leave(connected)
    platform.sandbox.fault("expire_token")
    schedule.finish_disconnecting()
    assert again(connected).state == State.DISCONNECTED


def test_what_was_disconnected_at_the_platform_already_is_closed_here(connected, platform):
    platform.release(connected.store)
    leave(connected)
    schedule.finish_disconnecting()
    assert again(connected).state == State.DISCONNECTED


def test_the_permission_is_forgotten_with_the_last_store(connected):
    leave(connected)
    schedule.finish_disconnecting()
    assert not Credential.objects.exists()
    assert Integration.objects.get().state == Integration.State.NOT_CONFIGURED


@pytest.mark.parametrize("other", ["a connected store", "a draft"])
def test_the_permission_is_kept_while_something_else_needs_it(connected, other):
    make = make_connection if other == "a connected store" else make_draft
    make(integration=connected.integration)
    leave(connected)
    schedule.finish_disconnecting()
    assert Credential.objects.count() == 1
    assert Integration.objects.get().state == Integration.State.CONNECTED


def test_only_the_imports_of_this_store_end(connected):
    elsewhere = make_run(connection=make_connection(integration=connected.integration))
    leave(connected)
    schedule.finish_disconnecting()
    elsewhere.refresh_from_db()
    assert elsewhere.state == SyncRun.State.QUEUED


@pytest.mark.parametrize("state", [State.DRAFT, State.CONNECTING, State.DISCONNECTING, State.DISCONNECTED])
def test_what_is_not_connected_cannot_be_disconnected(connected, state):
    Connection.objects.update(state=state)
    assert not connecting.disconnect(connected, by=make_actor())
    assert (again(connected).state, again(connected).disconnect_at) == (state, None)


def test_a_store_whose_disconnect_crashed_after_the_delete_is_closed_later(connected, platform, monkeypatch):
    leave(connected)
    fail(monkeypatch, "disconnect", Unreachable("silence"), when="after")
    schedule.finish_disconnecting()
    assert (again(connected).state, platform.held()) == (State.DISCONNECTING, {})
    let_lease_run_out(connected)
    schedule.finish_disconnecting()
    assert again(connected).state == State.DISCONNECTED
