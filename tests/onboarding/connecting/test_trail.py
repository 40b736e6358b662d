"""What people do with their stores stands in the audit trail, with who and from where."""

import pytest

from apps.audit.models import Entry
from apps.integrations.connectors.base import Rejected
from apps.onboarding import connecting, schedule
from apps.shops.models import Connection
from tests.factories import make_actor

from ..platform import Killed, die, fail, let_lease_run_out


def entries() -> list[tuple]:
    rows = Entry.objects.filter(action__startswith="connection.").order_by("pk")
    return [(row.action.removeprefix("connection."), row.actor, row.address, row.before, row.after) for row in rows]


@pytest.fixture
def who(owner):
    return (owner.email, "192.0.2.7")


def test_each_change_of_a_store_has_one_entry(draft, owner, who):
    anna, store = make_actor(owner), str(draft.store_id)
    connecting.connect(draft, by=anna)
    connecting.connect(draft, by=anna)
    connection = Connection.objects.get()
    for work in (connecting.pause, connecting.pause, connecting.resume, connecting.resume):
        work(connection, by=anna)
    connecting.change_id(connection, "hats-2", by=anna, reason="renamed there")
    connection.refresh_from_db()
    connecting.disconnect(connection, by=anna)
    connecting.disconnect(connection, by=anna)
    connection.refresh_from_db()
    connecting.undo_disconnect(connection, by=anna)
    connecting.undo_disconnect(connection, by=anna)
    assert entries() == [
        ("create", *who, {}, {"store": store, "ext_shop_id": "hats-1"}),
        ("pause", *who, {}, {}),
        ("resume", *who, {}, {}),
        ("replace-id", *who, {"ext_shop_id": "hats-1"}, {"store": store, "ext_shop_id": "hats-2"}),
        ("disconnect", *who, {"ext_shop_id": "hats-2", "state": "active"}, {}),
        ("undo-disconnect", *who, {}, {}),
    ]
    assert set(Entry.objects.values_list("organization_id", "target_id")) == {
        (connection.organization_id, str(connection.pk))
    }
    assert Entry.objects.get(action="connection.replace-id").reason == "renamed there"


def test_what_did_not_come_about_has_no_entry(draft, owner, monkeypatch):
    fail(monkeypatch, "connect", Rejected("no", code="rejected", status=422), when="before")
    with pytest.raises(Rejected):
        connecting.connect(draft, by=make_actor(owner))
    assert entries() == []


def test_what_is_finished_after_a_crash_is_our_own_deed(draft, owner, monkeypatch):
    die(monkeypatch, "connect", when="after")
    with pytest.raises(Killed):
        connecting.connect(draft, by=make_actor(owner))
    let_lease_run_out(draft)
    schedule.finish_hanging_connections()
    assert [(action, actor, address) for action, actor, address, *_ in entries()] == [("create", "Crossdock", None)]
