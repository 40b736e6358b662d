"""Deleting or disabling a whole integration, as its platform hears of it."""

import pytest

from apps.audit.trail import Actor
from apps.integrations import switching
from apps.integrations.models import Credential, Integration
from apps.onboarding import connecting, schedule
from apps.shops.deleting import delete
from apps.shops.models import Connection
from tests.factories import make_actor

from ..platform import let_lease_run_out
from .test_disconnecting import leave

ADMIN = Actor(text="admin@foo-3pl.example")
State = Connection.State


@pytest.fixture
def connected(draft, owner) -> Connection:
    connecting.connect(draft, by=make_actor(owner))
    return Connection.objects.get()


def test_the_platform_is_told_and_then_the_permission_is_forgotten(connected, platform):
    delete(connected.integration, actor=ADMIN)
    assert not connecting.undo_disconnect(Connection.objects.get(), by=make_actor())
    schedule.finish_disconnecting()
    assert (platform.held(), Connection.objects.get().state) == ({}, State.DISCONNECTED)
    assert (Credential.objects.count(), Integration.objects.get().state) == (0, Integration.State.NOT_CONFIGURED)


def test_a_platform_that_is_down_is_told_when_it_is_back(connected, platform):
    delete(connected.integration, actor=ADMIN)
    platform.sandbox.fault("server_error")
    schedule.finish_disconnecting()
    assert (Connection.objects.get().state, Credential.objects.count()) == (State.DISCONNECTING, 1)
    let_lease_run_out(connected)
    schedule.finish_disconnecting()
    assert (platform.held(), Credential.objects.count()) == ({}, 0)


def test_disconnecting_the_last_store_does_not_enable_what_is_disabled(connected):
    switching.disable(connected.integration, actor=ADMIN)
    leave(connected)
    schedule.finish_disconnecting()
    assert Integration.objects.get().is_disabled
    switching.enable(Integration.objects.get(), actor=ADMIN)
    assert Integration.objects.get().state == Integration.State.NOT_CONFIGURED
