"""A run that meets nothing worse than dying workers: pages, cursors, resuming, progress, slices."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from django.utils import timezone

from apps.catalog.models import Listing, Product, Sighting
from apps.shops.models import Connection
from apps.syncs import pulling, running
from apps.syncs.models import LEASE, SyncRun
from tests.catalog.goods import check
from tests.concurrency import in_thread
from tests.factories import make_run

from .platform import abandon, fresh, item, nothing_on_its_way, work_on, work_out

State = SyncRun.State
pytestmark = pytest.mark.django_db


def skus() -> list[str]:
    return sorted(Listing.objects.current().values_list("sku", flat=True))


def hats(*numbers: int) -> list[str]:
    return [f"HAT-{number}" for number in numbers]


class Killed(BaseException):
    """What happens to a process: nothing catches it."""


def test_a_whole_list_is_read_page_by_page(run, platform, connection):
    run = work_on(run)
    assert (run.state, run.error, run.detail) == (State.SUCCEEDED, "", "")
    assert (run.pages, run.done, run.total, run.created_count) == (3, 7, 7, 7)
    assert (run.updated_count, run.removed_count, run.failed_count) == (0, 0, 0)
    assert (run.cursor, run.lease_until, run.tries) == ("", None, 0)
    assert run.started_at < run.finished_at
    assert platform.asked == ["0", "1", "2"]
    assert skus() == hats(1, 2, 3, 4, 5, 6, 7)
    assert run.finished_at <= Connection.objects.get().heard_at <= timezone.now()
    check(connection.organization)


def test_a_store_without_products_is_read_too(run, platform):
    platform.pages = []
    run = work_on(run)
    assert (run.state, run.done, run.total) == (State.SUCCEEDED, 0, 0)


def test_a_run_leaves_no_sightings_behind(run):
    work_on(run)
    assert Sighting.objects.count() == 0


def test_reading_again_counts_what_changed(run, platform, connection):
    work_on(run)
    platform.pages[1][0]["name"] = "Cap"
    platform.pages[2].append(item(8))
    again = work_on(make_run(connection=connection))
    assert (again.done, again.created_count, again.updated_count) == (8, 1, 1)


def test_a_run_goes_on_from_its_last_page_when_its_worker_was_killed(run, platform, monkeypatch):
    take = pulling._take_pages

    def take_one_and_die(found, pages, *args, **more):
        take(found, pages, *args, **more)
        raise Killed

    monkeypatch.setattr(pulling, "_take_pages", take_one_and_die)
    with pytest.raises(Killed):
        running.run(run.pk)
    monkeypatch.undo()
    assert (fresh(run).state, fresh(run).cursor, skus()) == (State.RUNNING, "1", hats(1, 2, 3))
    nothing_on_its_way()
    platform.asked.clear()
    assert work_on(run).state == State.RUNNING, "the lease of the dead worker still holds"
    abandon(fresh(run))
    run = work_on(run)
    assert (run.state, run.done, run.pages) == (State.SUCCEEDED, 7, 3)
    assert platform.asked == ["1", "2"]
    assert skus() == hats(1, 2, 3, 4, 5, 6, 7)


def test_a_page_and_its_cursor_are_saved_together_or_not_at_all(run, monkeypatch):
    def die(*args):
        raise Killed

    monkeypatch.setattr(pulling, "note_failures", die)
    with pytest.raises(Killed):
        running.run(run.pk)
    assert (fresh(run).cursor, fresh(run).pages, fresh(run).done) == ("", 0, 0)
    assert (Listing.objects.count(), Product.objects.count(), Sighting.objects.count()) == (0, 0, 0)


def test_a_run_that_died_after_its_last_page_only_ends(run, platform, monkeypatch):
    def die(*args):
        raise Killed

    monkeypatch.setattr(pulling, "_finish", die)
    with pytest.raises(Killed):
        running.run(run.pk)
    monkeypatch.undo()
    nothing_on_its_way()
    platform.asked.clear()
    abandon(fresh(run))
    assert work_on(run).state == State.SUCCEEDED
    assert platform.asked == []


def test_a_run_that_kills_its_workers_comes_to_an_end(run, platform, monkeypatch):
    def die(*args, **more):
        raise Killed

    monkeypatch.setattr(pulling, "_take_pages", die)
    for _ in range(len(running.RETRY_SECONDS) + 1):
        with pytest.raises(Killed):
            running.run(run.pk)
        abandon(fresh(run))
    run = work_on(run)
    assert (run.state, run.error) == (State.FAILED, "bug")


def test_a_page_that_gets_through_forgives_earlier_deaths(run, platform):
    SyncRun.objects.update(tries=5)
    assert (work_on(run).tries, fresh(run).state) == (0, State.SUCCEEDED)


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_outlived_its_lease_is_shut_out(run, platform):
    """FT-21: a worker is stopped in the middle of a page, another takes over, the first wakes up."""
    fetched, may_go_on = Event(), Event()

    def sleep_over_the_first_page(cursor):
        if platform.asked == ["0"]:
            fetched.set()
            assert may_go_on.wait(timeout=10)

    platform.meanwhile = sleep_over_the_first_page
    with ThreadPoolExecutor(1) as pool:
        sleeper = in_thread(pool, lambda: running.run(run.pk))
        assert fetched.wait(timeout=10)
        SyncRun.objects.update(lease_until=run.created_at)
        ended = work_on(run)
        may_go_on.set()
        assert sleeper.result(timeout=10) is False
    assert (ended.state, ended.fence, ended.created_count) == (State.SUCCEEDED, 2, 7)
    assert fresh(run).__dict__ | {"_state": None} == ended.__dict__ | {"_state": None}


@pytest.mark.django_db(transaction=True)
def test_a_slow_platform_does_not_cost_the_lease(run, platform, monkeypatch):
    monkeypatch.setattr(pulling, "LEASE", LEASE / 100)
    leases = []
    platform.meanwhile = lambda cursor: cursor == "1" and Event().wait(0.5)
    write = pulling.write

    def write_and_watch(found, **changes):
        write(found, **changes)
        leases.append(fresh(found).lease_until)

    monkeypatch.setattr(pulling, "write", write_and_watch)
    assert work_on(run).state == State.SUCCEEDED
    assert leases == sorted(leases)
    assert len(set(leases)) > 4, "three pages, the end, and some in between"


def test_a_long_run_makes_room_for_others_after_its_slice(run, platform, monkeypatch):
    monkeypatch.setattr(pulling, "SLICE_SECONDS", 0)
    assert running.run(run.pk) is True
    waiting = fresh(run)
    assert (waiting.state, waiting.cursor, waiting.pages, waiting.lease_until) == (State.QUEUED, "1", 1, None)
    assert list(SyncRun.objects.due()) == [run]
    assert running.run(run.pk) is True
    assert running.run(run.pk) is False
    assert fresh(run).state == State.SUCCEEDED


def test_a_run_that_is_not_due_is_left_alone(run, platform):
    SyncRun.objects.update(state=State.CANCELLED)
    assert running.run(run.pk) is False
    assert platform.asked == []


def test_an_item_on_two_pages_is_counted_once_in_the_end(run, platform):
    platform.pages[1].append(item(1))
    run = work_on(run)
    assert (run.done, run.total, Listing.objects.count()) == (7, 7, 7)


def test_a_short_page_with_a_next_one_does_not_end_the_list(run, platform, connection):
    work_on(run)
    platform.pages = [[item(1)], [item(2), item(3), item(4)], [item(5), item(6), item(7)]]
    run = work_on(make_run(connection=connection))
    assert (run.state, run.removed_count, skus()) == (State.SUCCEEDED, 0, hats(1, 2, 3, 4, 5, 6, 7))


def test_the_next_pages_are_fetched_while_one_is_written_and_written_together(run, platform, monkeypatch):
    written = []
    take = pulling._take_pages

    def note_and_take(found, pages, *args, **more):
        written.append(len(pages))
        take(found, pages, *args, **more)

    monkeypatch.setattr(pulling, "_take_pages", after_all_is_read(note_and_take))
    run = work_out(run)
    assert (written, run.pages, run.done, run.created_count) == ([1, 2], 3, 7, 7)


def test_an_item_on_two_pages_that_are_written_together_is_as_on_the_later(run, platform, monkeypatch):
    platform.pages[2].append(item(4, name="Cap"))
    monkeypatch.setattr(pulling, "_take_pages", after_all_is_read(pulling._take_pages))
    run = work_out(run)
    assert (run.state, run.done, Listing.objects.get(sku="HAT-4").name) == (State.SUCCEEDED, 7, "Cap")


def after_all_is_read(take):
    def wait_and_take(found, pages, *args, **more):
        nothing_on_its_way()
        take(found, pages, *args, **more)

    return wait_and_take
