"""What a list no longer has: looked for a second time, removed only then, and not believed when it is too much."""

import json

import pytest

from apps.catalog.models import Listing, Product
from apps.syncs import pulling, running
from apps.syncs.models import SyncRun
from tests.catalog.goods import check
from tests.factories import make_run

from .platform import fresh, item, work_on, work_out

State = SyncRun.State
pytestmark = pytest.mark.django_db


@pytest.fixture
def known(run, platform, connection):
    """Three pages of forty products each have been read."""
    platform.pages = [[item(40 * page + number) for number in range(40)] for page in range(3)]
    assert work_on(run).state == State.SUCCEEDED
    platform.asked.clear()
    return platform


@pytest.fixture
def again(known, connection):
    """A second run."""
    return make_run(connection=connection)


def listed() -> int:
    return Listing.objects.current().count()


def archived() -> int:
    return Product.objects.exclude(archived_at=None).count()


def breaks_off(platform, *, after: int):
    """The page of that number, saying that it is the last."""
    return (200, {}, json.dumps({"items": platform.pages[after]}))


def test_what_is_gone_is_removed_when_a_second_look_does_not_find_it_either(again, known, connection):
    gone = known.pages[1].pop()
    assert running.run(again.pk) is True, "it can go on at once"
    assert (fresh(again).state, fresh(again).look, listed()) == (State.QUEUED, 2, 120)
    run = work_on(again)
    assert (run.state, run.removed_count, run.done, run.total) == (State.SUCCEEDED, 1, 119, 119)
    assert (known.asked, listed(), archived()) == (["0", "1", "2"] * 2, 119, 1)
    assert Listing.objects.exclude(removed_at=None).get().ext_product_id == gone["id"]
    check(connection.organization)


def test_a_list_that_lacks_nothing_is_read_once(again, known):
    assert (work_on(again).state, known.asked) == (State.SUCCEEDED, ["0", "1", "2"])


def test_a_list_that_broke_off_once_removes_nothing(again, known):
    known.wrong["1"] = [breaks_off(known, after=1)]
    run = work_out(again)
    assert (run.state, run.removed_count, run.done, listed(), archived()) == (State.SUCCEEDED, 0, 120, 120, 0)
    assert known.asked == ["0", "1", "0", "1", "2"]


def test_what_only_one_of_two_looks_has_seen_is_there(again, known):
    first, second = breaks_off(known, after=0), (200, {}, json.dumps({"items": known.pages[1] + known.pages[2]}))
    known.wrong["0"] = [first, second]
    run = work_out(again)
    assert (run.state, run.removed_count, run.done, listed()) == (State.SUCCEEDED, 0, 120, 120)


def test_a_list_that_keeps_breaking_off_is_not_believed(again, known):
    known.wrong["1"] = [breaks_off(known, after=1)] * 2
    run = work_out(again)
    assert (run.state, run.error, run.removed_count) == (State.FAILED, "too_much_gone", 0)
    assert (run.detail, listed(), archived()) == ("40 of 120 listings were not listed.", 120, 0)


def test_an_empty_list_is_not_believed_however_small_the_store(run, platform, connection):
    platform.pages = [[item(1), item(2)]]
    work_on(run)
    platform.pages = []
    assert (work_out(make_run(connection=connection)).error, listed()) == ("too_much_gone", 2)


@pytest.mark.parametrize(
    ("gone", "known", "suspicious"),
    [(0, 0, False), (0, 9, False), (1, 1, True), (1, 2, False), (20, 21, False), (20, 20, True), (21, 84, True),
     (21, 85, False), (250, 1000, True), (249, 1000, False)],
)  # fmt: skip
def test_how_much_may_go(gone, known, suspicious):
    assert pulling._is_suspicious(gone, known) is suspicious


def test_a_person_may_vouch_for_a_shorter_list(known, connection):
    known.pages = [[item(0)]]
    run = work_out(make_run(connection=connection, accepts_removals=True))
    assert (run.state, run.removed_count, listed(), archived()) == (State.SUCCEEDED, 119, 1, 119)
    assert known.asked == ["0"], "nobody has to look twice"


def test_a_person_may_vouch_while_the_run_is_at_work(again, known, monkeypatch):
    known.pages = [[item(0)]]
    take = pulling._take_pages

    def take_and_vouch(found, pages, *args, **more):
        take(found, pages, *args, **more)
        SyncRun.objects.update(accepts_removals=True)

    monkeypatch.setattr(pulling, "_take_pages", take_and_vouch)
    assert (work_out(again).state, listed()) == (State.SUCCEEDED, 1)


def test_what_was_not_believed_may_come_back(again, known, connection):
    known.wrong["1"] = [breaks_off(known, after=1)] * 2
    work_out(again)
    run = work_out(make_run(connection=connection))
    assert (run.state, run.created_count, run.updated_count, listed()) == (State.SUCCEEDED, 0, 0, 120)


def test_an_item_that_cannot_be_read_any_more_is_not_gone(again, known):
    known.pages[1][3] |= {"name": None}
    known.pages[1][4] |= {"externalId": "new", "price": {"amount": -1, "currencyCode": "EUR"}}
    run = work_out(again)
    assert (run.state, run.failed_count, run.removed_count, listed()) == (State.PARTIAL, 2, 0, 120)
    assert known.asked == ["0", "1", "2"]


def test_while_an_item_does_not_say_which_one_it_is_none_is_taken_for_gone(again, known):
    known.pages[1][3] = {"sellableQuantity": 7}
    run = work_out(again)
    assert (run.state, run.failed_count, run.removed_count, listed()) == (State.PARTIAL, 1, 0, 120)


def test_failures_of_the_first_look_are_not_counted_twice(again, known):
    known.pages[1].pop()
    known.pages[0].append(item(600, name=None))
    run = work_out(again)
    assert (run.state, run.failed_count, run.failures.count(), run.removed_count) == (State.PARTIAL, 1, 1, 1)


def test_a_run_killed_during_its_second_look_goes_on_there(again, known, monkeypatch):
    known.pages[1].pop()
    running.run(again.pk)
    monkeypatch.setattr(pulling, "SLICE_SECONDS", 0)
    running.run(again.pk)
    monkeypatch.undo()
    known.asked.clear()
    run = work_out(again)
    assert (run.state, run.removed_count, known.asked) == (State.SUCCEEDED, 1, ["1", "2"])


def test_a_failed_run_removes_nothing(again, known):
    known.pages[0] = known.pages[0][:10]
    known.wrong["2"] = [(403, {}, "")]
    assert (work_out(again).state, listed()) == (State.FAILED, 120)
