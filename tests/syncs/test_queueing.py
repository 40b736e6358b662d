"""Owing a run, and the doorbell: the row is what counts, and a broker that is down costs seconds."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import transaction
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerDown

from apps.audit.trail import Actor
from apps.integrations import switching
from apps.integrations.models import Integration
from apps.shops.models import Connection
from apps.syncs import queueing, running, schedule, tasks
from apps.syncs.models import SyncRun
from apps.syncs.queueing import cancel, owe
from tests.concurrency import at_once
from tests.factories import make_connection, make_partner_integration, make_run, make_user

from .platform import fresh

State = SyncRun.State
pytestmark = pytest.mark.django_db


@pytest.fixture
def rings(monkeypatch) -> list[str]:
    """The ids that a worker would have been told, in their order."""
    rung: list[str] = []
    monkeypatch.setattr(tasks.work_on_run, "apply_async", lambda arguments, **options: rung.extend(arguments))
    return rung


@pytest.fixture
def broker_down(monkeypatch) -> None:
    def refuse(*arguments, **options):
        raise BrokerDown("Connection refused")

    monkeypatch.setattr(tasks.work_on_run, "apply_async", refuse)


def test_owing_makes_a_run_that_is_due_and_rings_after_the_commit(rings, django_capture_on_commit_callbacks):
    connection, person = make_connection(), make_user()
    with django_capture_on_commit_callbacks(execute=True):
        run = owe(connection, by=person)
        assert rings == []
    assert rings == [str(run.pk)]
    assert (run.state, run.kind, run.asked_by, run.accepts_removals) == (State.QUEUED, "products", person, False)
    assert (run.organization, run.integration, run.shop) == (
        connection.organization, connection.integration, connection.shop,
    )  # fmt: skip
    assert list(SyncRun.objects.due()) == [run]


def test_owing_again_is_owing_once(rings, django_capture_on_commit_callbacks):
    connection = make_connection()
    with django_capture_on_commit_callbacks(execute=True):
        assert owe(connection) == owe(connection)
    assert SyncRun.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_owing_from_many_places_at_once_is_owing_once():
    connection = make_connection()
    assert len({run.pk for run in at_once(6, lambda: owe(connection))}) == 1
    assert SyncRun.objects.count() == 1


@pytest.mark.parametrize("state", [State.SUCCEEDED, State.PARTIAL, State.FAILED, State.CANCELLED])
def test_an_ended_run_is_not_in_the_way_of_the_next(state):
    connection = make_connection()
    ended = make_run(connection=connection, state=state)
    assert owe(connection).pk != ended.pk


def test_a_run_that_is_rolled_back_with_its_cause_rings_nobody(rings, django_capture_on_commit_callbacks):
    connection = make_connection()
    with django_capture_on_commit_callbacks(execute=True), transaction.atomic():
        owe(connection)
        transaction.set_rollback(True)
    assert (SyncRun.objects.count(), rings) == (0, [])


def test_a_person_does_not_wait_for_a_backoff_and_the_schedule_does():
    later = timezone.now() + timedelta(minutes=10)
    run = make_run(next_attempt_at=later)
    connection = Connection.objects.get()
    owe(connection)
    assert fresh(run).next_attempt_at == later
    owe(connection, by=make_user())
    assert list(SyncRun.objects.due()) == [run]


def test_a_person_who_asks_again_takes_back_their_stop():
    run = make_run(state=State.RUNNING, lease_until=timezone.now() + timedelta(minutes=1))
    cancel(run)
    assert owe(Connection.objects.get(), by=make_user()) == run
    assert fresh(run).cancel_requested is False


def test_a_persons_word_for_a_shorter_list_reaches_the_run_that_is_there():
    run = make_run()
    connection = Connection.objects.get()
    owe(connection)
    assert fresh(run).accepts_removals is False
    owe(connection, accepts_removals=True)
    owe(connection)
    assert fresh(run).accepts_removals is True


@pytest.mark.django_db(transaction=True)
def test_with_the_broker_down_a_run_is_owed_and_the_sweep_rings_later(broker_down, monkeypatch):
    run = owe(make_connection())
    assert list(SyncRun.objects.due()) == [run]
    with pytest.raises(BrokerDown):
        schedule.ring_for_due_runs()
    monkeypatch.undo()
    rung: list[str] = []
    monkeypatch.setattr(tasks.work_on_run, "apply_async", lambda arguments, **options: rung.extend(arguments))
    schedule.ring_for_due_runs()
    assert rung == [str(run.pk)]


def test_the_sweep_rings_for_whatever_is_due_longest_waiting_first(rings):
    past = timezone.now() - timedelta(minutes=1)
    newer = make_run(next_attempt_at=past + timedelta(seconds=2))
    older = make_run(next_attempt_at=past)
    make_run(next_attempt_at=timezone.now() + timedelta(minutes=1))
    make_run(state=State.RUNNING, lease_until=timezone.now() + timedelta(minutes=1))
    make_run(state=State.SUCCEEDED)
    make_run(connection=make_connection(state=Connection.State.PAUSED))
    abandoned = make_run(state=State.RUNNING, lease_until=past, next_attempt_at=past + timedelta(seconds=1))
    schedule.ring_for_due_runs()
    assert rings == [str(older.pk), str(abandoned.pk), str(newer.pk)]


def test_a_ring_carries_an_id_and_nothing_else_and_dies_unheard(monkeypatch):
    sent = []
    monkeypatch.setattr(tasks.work_on_run, "apply_async", lambda *args, **options: sent.append((args, options)))
    pk = uuid4()
    tasks.ring_for(pk)
    assert sent == [(([str(pk)],), {"expires": tasks.RING_SECONDS})]


@pytest.mark.parametrize(("goes_on", "again"), [(True, 1), (False, 0)])
def test_a_worker_rings_again_for_a_run_that_can_go_on_at_once(rings, monkeypatch, goes_on, again):
    monkeypatch.setattr(running, "run", lambda run_id: goes_on)
    tasks.work_on_run("an id")
    assert rings == ["an id"] * again


def test_a_ring_for_a_run_that_is_not_there_does_nothing(rings):
    tasks.work_on_run(str(uuid4()))
    assert rings == []


@pytest.fixture
def regular(settings):
    settings.SYNC_EVERY_SECONDS = 900


def age(run: SyncRun, **ago: float) -> None:
    SyncRun.objects.filter(pk=run.pk).update(created_at=timezone.now() - timedelta(**ago))


def test_every_live_store_is_read_again_when_its_time_has_come(regular):
    due = make_connection()
    age(make_run(connection=due, state=State.SUCCEEDED), seconds=901)
    recent = make_connection()
    age(make_run(connection=recent, state=State.SUCCEEDED), seconds=899)
    at_work = make_connection()
    age(make_run(connection=at_work, state=State.RUNNING, lease_until=timezone.now()), seconds=5000)
    never_read = make_connection()
    make_connection(state=Connection.State.PAUSED)
    lost = make_connection()
    Integration.objects.filter(pk=lost.integration_id).update(state=Integration.State.NEEDS_RECONNECT)
    before = set(SyncRun.objects.values_list("pk", flat=True))
    assert queueing.owe_regular_runs() == 2
    made = SyncRun.objects.exclude(pk__in=before)
    assert set(made.values_list("shop", flat=True)) == {due.shop_id, never_read.shop_id}
    assert queueing.owe_regular_runs() == 0


def test_a_failed_run_is_followed_by_the_next_regular_one(regular):
    connection = make_connection()
    age(make_run(connection=connection, state=State.FAILED), seconds=901)
    schedule.queue_regular_runs()
    assert SyncRun.objects.unfinished().get().shop == connection.shop


def test_stores_of_partners_and_where_the_sync_is_off_are_not_read_regularly(regular):
    off = make_connection()
    Integration.objects.filter(pk=off.integration_id).update(product_sync_enabled=False)
    make_connection(integration=make_partner_integration(organization=off.organization))
    assert queueing.owe_regular_runs() == 0
    Integration.objects.update(product_sync_enabled=True)
    assert queueing.owe_regular_runs() == 1
    assert SyncRun.objects.get().shop == off.shop


def test_a_disabled_integrations_runs_wait_until_it_is_enabled(regular):
    run = make_run()
    admin = Actor(text="admin@foo-3pl.example")
    switching.disable(run.integration, actor=admin)
    assert (list(SyncRun.objects.due()), list(SyncRun.objects.held())) == ([], [run])
    assert queueing.owe_regular_runs() == 0
    switching.enable(run.integration, actor=admin)
    assert list(SyncRun.objects.due()) == [run]


def test_owing_many_stores_makes_one_run_each_and_rings_for_as_many_as_is_quick(
    rings, monkeypatch, django_capture_on_commit_callbacks
):
    monkeypatch.setattr(queueing, "MOST_RINGS", 2)
    connections = [make_connection() for _ in range(3)]
    waiting = owe(connections[0])
    rings.clear()
    with django_capture_on_commit_callbacks(execute=True):
        runs = queueing.owe_each(connections)
    assert {run.shop_id for run in runs} == {connection.shop_id for connection in connections}
    assert (waiting in runs, len(rings), SyncRun.objects.count()) == (True, 2, 3)
