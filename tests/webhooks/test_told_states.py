"""What the database itself tells of connections, integrations and sync runs is as their schemas say."""

import pytest

from apps.shops.models import Connection
from apps.syncs.models import SyncRun
from apps.webhooks.catalogue import EVENTS
from apps.webhooks.models import Event
from tests.factories import make_connection, make_run

from .hearing import fits

pytestmark = pytest.mark.django_db


def said_of(entity: str) -> list[dict]:
    """What was told of it, once each; all of it fits."""
    events = Event.objects.filter(entity=entity).order_by("id")
    assert [fits(one.data, EVENTS[one.type].schema) for one in events] == [[] for _ in events]
    return [one.data for one in events]


def test_a_connection_in_every_state():
    connection = make_connection(state=Connection.State.CONNECTING)
    states = [state for state in Connection.HOLDING if state != Connection.State.CONNECTING]
    for state in states:
        connection.state = state
        connection.save()
    assert [said["state"] for said in said_of("connection")] == states


def test_an_integration_in_every_state():
    integration = make_connection().integration
    before = len(said_of("integration"))
    for state in ("needs_reconnect", "disabled", "connected"):
        integration.state = state
        integration.save()
    assert [said["state"] for said in said_of("integration")][before:] == ["needs_reconnect", "disabled", "connected"]


@pytest.mark.parametrize("state", [state for state in SyncRun.State.values if state not in SyncRun.UNFINISHED])
def test_a_run_with_every_end(state):
    run = make_run()
    run.state = state
    run.save()
    assert [said["state"] for said in said_of("sync_run")] == [state]
