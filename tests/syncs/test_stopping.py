"""Calling a run off, pausing, disconnecting and losing permission, before and while it works."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from apps.catalog import importing
from apps.catalog.models import Listing, Sighting
from apps.integrations.models import Integration
from apps.shops.models import Connection
from apps.syncs import pulling, running
from apps.syncs.models import SyncRun
from apps.syncs.queueing import cancel
from tests.concurrency import in_thread
from tests.factories import make_run

from .platform import abandon, fresh, nothing_on_its_way, work_on, work_out

State = SyncRun.State
pytestmark = pytest.mark.django_db


def half_done(run, monkeypatch) -> SyncRun:
    """One page is in."""
    monkeypatch.setattr(pulling, "SLICE_SECONDS", 0)
    run = work_on(run)
    monkeypatch.undo()
    assert (run.state, run.cursor) == (State.QUEUED, "1")
    return run


def test_a_waiting_run_that_is_called_off_ends_at_once(run, platform):
    assert cancel(run) is True
    run = work_on(run)
    assert (run.state, run.finished_at is not None, platform.asked) == (State.CANCELLED, True, [])


def test_a_run_called_off_between_two_slices_leaves_no_sightings(run, monkeypatch):
    assert cancel(half_done(run, monkeypatch)) is True
    assert (fresh(run).state, Sighting.objects.count(), Listing.objects.count()) == (State.CANCELLED, 0, 3)


@pytest.mark.django_db(transaction=True)
def test_a_run_at_work_that_is_called_off_stops_before_its_next_page(run, platform):
    asked, called_off = Event(), Event()

    def wait_until_called_off(cursor):
        if cursor == "1":
            asked.set()
            assert called_off.wait(timeout=10)

    platform.meanwhile = wait_until_called_off
    with ThreadPoolExecutor(1) as pool:
        worker = in_thread(pool, lambda: running.run(run.pk))
        assert asked.wait(timeout=10)
        while fresh(run).pages == 0:
            Event().wait(0.01)
        assert cancel(run) is True
        assert fresh(run).state == State.RUNNING
        called_off.set()
        assert worker.result(timeout=10) is False
    run = fresh(run)
    assert (run.state, run.pages, run.lease_until, run.finished_at is not None) == (State.CANCELLED, 1, None, True)
    assert (Listing.objects.count(), Sighting.objects.count()) == (3, 0)


def test_a_run_whose_worker_died_is_called_off_at_once(run):
    abandon(run)
    assert cancel(run) is True
    assert (fresh(run).state, fresh(run).lease_until) == (State.CANCELLED, None)


def test_a_run_called_off_just_before_its_worker_died_ends_with_the_next(run, platform):
    abandon(run)
    SyncRun.objects.update(cancel_requested=True)
    Connection.objects.update(state=Connection.State.PAUSED)
    run = work_on(run)
    assert (run.state, platform.asked) == (State.CANCELLED, [])


@pytest.mark.parametrize("state", [State.SUCCEEDED, State.PARTIAL, State.FAILED, State.CANCELLED])
def test_an_ended_run_cannot_be_called_off(run, state):
    SyncRun.objects.update(state=state)
    assert cancel(run) is False
    assert (fresh(run).state, fresh(run).cancel_requested) == (state, False)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("stop", "go_on"),
    [
        (
            lambda: Connection.objects.update(state=Connection.State.PAUSED),
            lambda: Connection.objects.update(state=Connection.State.ACTIVE),
        ),
        (
            lambda: Connection.objects.update(state=Connection.State.DISCONNECTING),
            lambda: Connection.objects.update(state=Connection.State.ACTIVE),
        ),
        (
            lambda: Integration.objects.update(state=Integration.State.NEEDS_RECONNECT),
            lambda: Integration.objects.update(state=Integration.State.CONNECTED),
        ),
    ],
)
def test_a_run_stops_where_it_is_and_goes_on_from_there_later(run, platform, stop, go_on):
    take = pulling._take_pages
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            pulling, "_take_pages", lambda found, pages, *args, **more: (take(found, pages, *args, **more), stop())
        )
        run = work_on(run)
    assert (run.state, run.cursor, run.pages, run.lease_until) == (State.QUEUED, "1", 1, None)
    assert (list(SyncRun.objects.held()), list(SyncRun.objects.due())) == ([run], [])
    nothing_on_its_way()
    platform.asked.clear()
    go_on()
    run = work_out(run)
    assert (run.state, run.done, platform.asked) == (State.SUCCEEDED, 7, ["1", "2"])


@pytest.mark.parametrize(
    ("change", "state"),
    [
        (lambda: Connection.objects.update(state=Connection.State.PAUSED), State.QUEUED),
        (lambda: SyncRun.objects.update(cancel_requested=True), State.QUEUED),
        (lambda: SyncRun.objects.update(fence=99), State.RUNNING),
    ],
)
@pytest.mark.parametrize("at_the_end", [False, True])
def test_what_comes_while_something_is_written_undoes_that(run, platform, monkeypatch, change, state, at_the_end):
    """Of a page, nothing is kept; of the end, nothing is removed. Nor is the change, made in their transaction here."""
    if at_the_end:
        assert work_on(run).state == State.SUCCEEDED
        run = make_run(connection=Connection.objects.get(), look=2)
        platform.pages[0].pop()
    before = Listing.objects.current().count()
    step = "remove_unseen" if at_the_end else "merge"
    work = getattr(importing, step)

    def work_and_change(*args, **options):
        result = work(*args, **options)
        change()
        return result

    monkeypatch.setattr(importing, step, work_and_change)
    run = work_on(run)
    assert (run.state, Listing.objects.current().count(), run.pages) == (state, before, 3 if at_the_end else 0)
