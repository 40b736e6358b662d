"""Our process dies, or the platform falls silent, at every point of connecting: somebody always finishes it."""

import pytest

from apps.integrations.connectors.base import Rejected, Unreachable
from apps.onboarding import connecting, drafts, schedule
from apps.shops.models import Connection, Shop
from apps.syncs.models import SyncRun
from tests.factories import make_actor

from ..platform import Killed, die, fail, let_lease_run_out

State = Connection.State
SILENT = Unreachable("nobody knows whether it arrived", code="timeout")


def again(connection):
    return Connection.objects.get(pk=connection.pk)


def outcome(connection):
    """What is left of it all: state, id, and how many shops, imports and connections there are."""
    found = again(connection)
    return found.state, found.ext_shop_id, Shop.objects.count(), SyncRun.objects.count(), Connection.objects.count()


@pytest.fixture
def connected(draft, owner):
    """Great Hats Online, connected as hats-1; its first import is done."""
    connecting.connect(draft, by=make_actor(owner))
    SyncRun.objects.update(state=SyncRun.State.SUCCEEDED)
    return again(draft)


@pytest.mark.parametrize(
    ("method", "when"), [("connection", "before"), ("connection", "after"), ("connect", "before"), ("connect", "after")]
)
def test_after_a_crash_while_connecting_the_sweep_finishes(draft, owner, platform, monkeypatch, method, when):
    die(monkeypatch, method, when=when)
    with pytest.raises(Killed):
        connecting.connect(draft, by=make_actor(owner))
    assert outcome(draft) == (State.CONNECTING, "hats-1", 0, 0, 1)
    let_lease_run_out(draft)
    schedule.finish_hanging_connections()
    assert outcome(draft) == (State.ACTIVE, "hats-1", 1, 1, 1)
    assert platform.held() == {"Great Hats Online": "hats-1"}


@pytest.mark.parametrize(
    ("method", "when"), [("disconnect", "before"), ("disconnect", "after"), ("connect", "before"), ("connect", "after")]
)
def test_after_a_crash_while_replacing_the_sweep_finishes(draft, owner, platform, monkeypatch, method, when):
    platform.hold(draft.store, "old")
    drafts.agree_to_replace(draft, "old")
    die(monkeypatch, method, when=when)
    with pytest.raises(Killed):
        connecting.connect(draft, by=make_actor(owner))
    let_lease_run_out(draft)
    schedule.finish_hanging_connections()
    assert outcome(draft) == (State.ACTIVE, "hats-1", 1, 1, 1)
    assert platform.held() == {"Great Hats Online": "hats-1"}


def test_a_crash_before_the_commit_leaves_nothing_half_written(draft, owner, platform, monkeypatch):
    def killed(*args, **kwargs):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(connecting, "owe_first", killed)
        with pytest.raises(Killed):
            connecting.connect(draft, by=make_actor(owner))
    assert outcome(draft) == (State.CONNECTING, "hats-1", 0, 0, 1)
    let_lease_run_out(draft)
    platform.forget_calls()
    schedule.finish_hanging_connections()
    assert outcome(draft) == (State.ACTIVE, "hats-1", 1, 1, 1)
    assert platform.writes() == []


def test_nobody_touches_what_is_still_being_worked_on(draft, owner, platform, monkeypatch):
    die(monkeypatch, "connect", when="before")
    with pytest.raises(Killed):
        connecting.connect(draft, by=make_actor(owner))
    platform.forget_calls()
    schedule.finish_hanging_connections()
    connecting.finish_hanging(draft)
    assert platform.calls() == []
    assert again(draft).state == State.CONNECTING


def test_whoever_lost_the_lease_writes_nothing_any_more(draft, owner, monkeypatch):
    claimed = connecting._claim(Connection.objects.drafts(), draft, state=State.CONNECTING, connected_by=owner)
    let_lease_run_out(draft)
    connecting.finish_hanging(draft)
    won = again(draft)
    connecting._record(claimed, by=make_actor(owner), reason="")
    connecting._undo(claimed, problem="unreachable")
    assert again(draft) == won
    assert (again(draft).state, again(draft).fence, Shop.objects.count(), SyncRun.objects.count()) == (
        State.ACTIVE,
        won.fence,
        1,
        1,
    )


def test_whoever_lost_the_lease_changes_nothing_at_the_platform_any_more(draft, owner, platform, monkeypatch):
    real = connecting._replace

    def replace_too_late(claimed, **held):
        monkeypatch.setattr(connecting, "_replace", real)
        let_lease_run_out(claimed)
        schedule.finish_hanging_connections()
        platform.forget_calls()
        real(claimed, **held)

    monkeypatch.setattr(connecting, "_replace", replace_too_late)
    connecting.connect(draft, by=make_actor(owner))
    assert platform.writes() == []
    assert outcome(draft) == (State.ACTIVE, "hats-1", 1, 1, 1)


def test_a_platform_that_falls_silent_halfway_is_asked_and_the_connection_finished(draft, owner, platform, monkeypatch):
    fail(monkeypatch, "connect", SILENT, when="after")
    with pytest.raises(Unreachable) as error:
        connecting.connect(draft, by=make_actor(owner))
    assert error.value.code == "silent_halfway"
    assert (again(draft).state, again(draft).problem) == (State.CONNECTING, "silent_halfway")
    schedule.finish_hanging_connections()
    assert outcome(draft) == (State.ACTIVE, "hats-1", 1, 1, 1)
    assert again(draft).problem == ""


def test_a_post_that_never_arrived_is_sent_by_the_sweep(draft, owner, platform, monkeypatch):
    fail(monkeypatch, "connect", SILENT, when="before")
    with pytest.raises(Unreachable):
        connecting.connect(draft, by=make_actor(owner))
    assert platform.held() == {}
    schedule.finish_hanging_connections()
    assert platform.held() == {"Great Hats Online": "hats-1"}
    assert again(draft).state == State.ACTIVE


def test_a_silent_platform_is_asked_again_until_it_answers(draft, owner, platform, monkeypatch):
    fail(monkeypatch, "connect", SILENT, when="after")
    with pytest.raises(Unreachable):
        connecting.connect(draft, by=make_actor(owner))
    platform.sandbox.fault("server_error", times=2)
    schedule.finish_hanging_connections()
    assert again(draft).state == State.CONNECTING
    let_lease_run_out(draft)
    schedule.finish_hanging_connections()
    let_lease_run_out(draft)
    schedule.finish_hanging_connections()
    assert again(draft).state == State.ACTIVE


def test_a_platform_that_stays_silent_gives_the_draft_back_after_ten_tries(draft, owner, platform, monkeypatch):
    fail(monkeypatch, "connect", SILENT, when="before")
    with pytest.raises(Unreachable):
        connecting.connect(draft, by=make_actor(owner))
    platform.sandbox.fault("server_error", times=None)
    for _ in range(9):
        let_lease_run_out(draft)
        schedule.finish_hanging_connections()
    assert again(draft).state == State.CONNECTING
    let_lease_run_out(draft)
    schedule.finish_hanging_connections()
    assert (again(draft).state, again(draft).problem) == (State.DRAFT, "server_error")
    platform.sandbox.control("DELETE", "faults")
    connecting.connect(again(draft), by=make_actor(owner))
    assert again(draft).state == State.ACTIVE


def test_what_was_lost_halfway_to_somebody_else_is_given_back_as_a_draft(draft, owner, platform, monkeypatch):
    fail(monkeypatch, "connect", SILENT, when="before")
    with pytest.raises(Unreachable):
        connecting.connect(draft, by=make_actor(owner))
    platform.hold(draft.store, "faster")
    schedule.finish_hanging_connections()
    assert (again(draft).state, again(draft).problem) == (State.DRAFT, "held_elsewhere")


def test_a_draft_whose_permission_went_halfway_is_given_back(draft, owner, platform, monkeypatch):
    real = connecting._replace

    def replace_without_permission(*args, **kwargs):
        platform.sandbox.fault("expire_token")
        real(*args, **kwargs)

    monkeypatch.setattr(connecting, "_replace", replace_without_permission)
    with pytest.raises(Unreachable):
        connecting.connect(draft, by=make_actor(owner))
    schedule.finish_hanging_connections()
    assert (again(draft).state, again(draft).next_step) == (State.DRAFT, "authorize")


def test_a_new_id_that_is_refused_after_the_delete_brings_the_old_one_back(connected, owner, platform, monkeypatch):
    fail(monkeypatch, "connect", Rejected("no", code="rejected", status=422), when="before")
    with pytest.raises(Rejected):
        connecting.change_id(connected, "hats-2", by=make_actor(owner))
    assert platform.held() == {"Great Hats Online": "hats-1"}
    assert (again(connected).state, again(connected).ext_shop_id) == (State.ACTIVE, "hats-1")
    assert again(connected).replaces == ""


@pytest.mark.parametrize("method", ["disconnect", "connect"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_after_a_crash_while_changing_the_id_the_sweep_finishes(connected, owner, platform, monkeypatch, method, when):
    die(monkeypatch, method, when=when)
    with pytest.raises(Killed):
        connecting.change_id(connected, "hats-2", by=make_actor(owner))
    let_lease_run_out(connected)
    schedule.finish_hanging_connections()
    assert platform.held() == {"Great Hats Online": "hats-2"}
    assert outcome(connected) == (State.ACTIVE, "hats-2", 1, 2, 1)
    assert Shop.objects.get().ext_shop_id == "hats-2"


def test_a_store_is_not_forgotten_when_the_old_id_cannot_be_put_back_at_once(connected, owner, platform, monkeypatch):
    refused = Rejected("no", code="rejected", status=422)
    with monkeypatch.context() as patch:
        answers = iter([refused, SILENT])

        def connect(self, store):
            raise next(answers)

        patch.setattr("apps.integrations.connectors.otter.client.OtterClient.connect", connect)
        with pytest.raises(Unreachable):
            connecting.change_id(connected, "hats-2", by=make_actor(owner))
    assert (platform.held(), again(connected).state) == ({}, State.CONNECTING)
    fail(monkeypatch, "connect", refused, when="before")
    schedule.finish_hanging_connections()
    assert platform.held() == {"Great Hats Online": "hats-1"}
    assert (again(connected).state, again(connected).ext_shop_id) == (State.ACTIVE, "hats-1")


def test_a_connected_store_is_not_forgotten_however_long_the_platform_is_silent(
    connected, owner, platform, monkeypatch
):
    die(monkeypatch, "disconnect", when="after")
    with pytest.raises(Killed):
        connecting.change_id(connected, "hats-2", by=make_actor(owner))
    platform.sandbox.fault("server_error", times=None)
    for _ in range(12):
        let_lease_run_out(connected)
        schedule.finish_hanging_connections()
    assert again(connected).state == State.CONNECTING
    platform.sandbox.control("DELETE", "faults")
    let_lease_run_out(connected)
    schedule.finish_hanging_connections()
    assert (again(connected).state, platform.held()) == (State.ACTIVE, {"Great Hats Online": "hats-2"})


def test_a_store_without_an_id_at_the_platform_waits_for_its_owner_to_log_in_again(
    connected, owner, platform, monkeypatch
):
    die(monkeypatch, "disconnect", when="after")
    with pytest.raises(Killed):
        connecting.change_id(connected, "hats-2", by=make_actor(owner))
    platform.sandbox.fault("expire_token")
    let_lease_run_out(connected)
    schedule.finish_hanging_connections()
    platform.forget_calls()
    let_lease_run_out(connected)
    schedule.finish_hanging_connections()
    assert (again(connected).state, platform.calls()) == (State.CONNECTING, [])
    platform.permit(again(connected).integration)
    schedule.finish_hanging_connections()
    assert (again(connected).state, platform.held()) == (State.ACTIVE, {"Great Hats Online": "hats-2"})


def test_a_platform_that_cannot_be_asked_at_the_start_changes_nothing(connected, owner, platform):
    platform.sandbox.fault("server_error")
    with pytest.raises(Unreachable):
        connecting.change_id(connected, "hats-2", by=make_actor(owner))
    assert (again(connected).state, again(connected).ext_shop_id) == (State.ACTIVE, "hats-1")
    assert platform.held() == {"Great Hats Online": "hats-1"}
