"""Who may work on a run: due, claimed, leased, fenced, held."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.integrations.models import Integration
from apps.shops.models import Connection
from apps.syncs.models import LEASE, SyncRun
from tests.concurrency import at_once, in_thread, wait_until_blocked
from tests.factories import make_connection, make_run

from .platform import abandon, fresh

State = SyncRun.State
pytestmark = pytest.mark.django_db


def due() -> list[SyncRun]:
    return list(SyncRun.objects.due())


@pytest.mark.django_db(transaction=True)
def test_one_of_many_workers_gets_a_run():
    run = make_run()
    claims = at_once(8, lambda: SyncRun.objects.claim(run.pk))
    assert [claim.pk for claim in claims if claim] == [run.pk]
    assert fresh(run).fence == 1


def test_a_claimed_run_runs_under_a_lease_and_nobody_else_gets_it():
    run = make_run()
    claimed = SyncRun.objects.claim(run.pk)
    assert (claimed.state, claimed.fence, claimed.tries) == (State.RUNNING, 1, 0)
    assert timezone.now() < claimed.lease_until <= timezone.now() + LEASE
    assert claimed.started_at is not None
    assert SyncRun.objects.claim(run.pk) is None


def test_a_run_whose_worker_died_goes_to_the_next_and_that_counts_as_a_try():
    run = make_run()
    first = SyncRun.objects.claim(run.pk)
    SyncRun.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    second = SyncRun.objects.claim(run.pk)
    assert (second.fence, second.tries, second.started_at) == (2, 1, first.started_at)


def test_whoever_lost_a_run_can_no_longer_write_to_it():
    run = make_run()
    first = SyncRun.objects.claim(run.pk)
    abandon(first)
    second = SyncRun.objects.claim(run.pk)
    assert first.mine().update(done=1) == 0
    assert second.mine().update(done=2) == 1


def test_a_run_is_not_due_before_its_time():
    waiting = make_run(next_attempt_at=timezone.now() + timedelta(minutes=1))
    assert (due(), SyncRun.objects.claim(waiting.pk)) == ([], None)
    SyncRun.objects.update(next_attempt_at=timezone.now() - timedelta(seconds=1))
    assert due() == [waiting]


@pytest.mark.parametrize("state", [State.SUCCEEDED, State.PARTIAL, State.FAILED, State.CANCELLED])
def test_an_ended_run_is_nobodys(state):
    run = make_run(state=state)
    assert (due(), SyncRun.objects.claim(run.pk)) == ([], None)


@pytest.mark.parametrize(
    ("connection", "integration"),
    [
        (Connection.State.PAUSED, Integration.State.CONNECTED),
        (Connection.State.DISCONNECTING, Integration.State.CONNECTED),
        (Connection.State.ACTIVE, Integration.State.NEEDS_RECONNECT),
        (Connection.State.ACTIVE, Integration.State.DISABLED),
    ],
)
def test_a_run_is_held_while_its_store_may_not_be_read(connection, integration):
    run = make_run()
    Connection.objects.update(state=connection)
    Integration.objects.update(state=integration)
    assert (due(), SyncRun.objects.claim(run.pk)) == ([], None)
    assert list(SyncRun.objects.held()) == [run]
    Connection.objects.update(state=Connection.State.ACTIVE)
    Integration.objects.update(state=Integration.State.CONNECTED)
    assert (due(), list(SyncRun.objects.held())) == ([run], [])


def test_an_abandoned_run_of_a_paused_store_waits_unless_it_was_called_off():
    run = make_run()
    abandon(run)
    Connection.objects.update(state=Connection.State.PAUSED)
    assert due() == []
    SyncRun.objects.update(cancel_requested=True)
    assert due() == [run]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("state", [State.CANCELLED, State.FAILED])
def test_a_run_that_ends_while_it_is_being_claimed_stays_ended(state):
    run = make_run()
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            SyncRun.objects.filter(pk=run.pk).update(state=state)
            claim = in_thread(pool, lambda: SyncRun.objects.claim(run.pk))
            wait_until_blocked()
        assert claim.result(timeout=10) is None
    assert fresh(run).state == state


def test_a_worker_whose_clock_is_ahead_does_not_take_a_run_that_is_being_worked_on():
    run = make_run()
    SyncRun.objects.claim(run.pk)
    with time_machine.travel(timezone.now() + timedelta(minutes=10)):
        assert SyncRun.objects.claim(run.pk) is None


def test_a_shop_has_one_unfinished_run_of_a_kind():
    connection = make_connection()
    make_run(connection=connection, state=State.SUCCEEDED)
    make_run(connection=connection)
    with pytest.raises(IntegrityError, match="one_unfinished_run"), transaction.atomic():
        make_run(connection=connection, state=State.RUNNING)
    make_run()


def test_one_run_of_every_due_one_is_listed_once_however_often_its_shop_was_connected():
    connection = make_connection()
    run = make_run(connection=connection)
    make_connection(shop=connection.shop, state=Connection.State.DISCONNECTED)
    assert due() == [run]


@pytest.mark.parametrize(
    ("done", "total", "percent"), [(0, None, None), (5, None, None), (0, 0, None), (1, 3, 33), (3, 3, 100), (4, 3, 100)]
)
def test_progress_is_a_percentage_when_the_whole_is_known(done, total, percent):
    assert SyncRun(done=done, total=total).percent == percent


@pytest.mark.parametrize(
    ("state", "finished", "complete"),
    [
        (State.QUEUED, False, False), (State.RUNNING, False, False), (State.SUCCEEDED, True, True),
        (State.PARTIAL, True, True), (State.FAILED, True, False), (State.CANCELLED, True, False),
    ],
)  # fmt: skip
def test_a_state_says_whether_the_run_has_ended_and_whether_well(state, finished, complete):
    run = SyncRun(state=state)
    assert (run.is_finished, run.is_complete) == (finished, complete)
