"""Each fault of the sandbox, met by an import: it ends honestly, and the next one is complete.

The runs are worked on in this process, with the database of the tests: the sandbox, its HTTP and everything from there
to the rows are real. A worker would add its doorbell, which other drills try, and the waits between two tries.
"""

from typing import Any

import pytest

from apps import egress
from apps.syncs import sentences
from apps.syncs.models import SyncFailure, SyncRun

from .otter import PAGE, PRODUCTS, Otter

State = SyncRun.State
pytestmark = pytest.mark.django_db

PASSING: list[dict[str, Any]] = [
    {"kind": "server_error"},
    {"kind": "rate_limited", "retry_after": 1},
    {"kind": "unauthorized"},
    {"kind": "expire_token"},
    {"kind": "slow", "delay": 0.3},
    {"kind": "cut_off_json"},
    {"kind": "html_page"},
    {"kind": "repeated_page"},
    {"kind": "short_page"},
    {"kind": "short_page", "times": None},
]
AT_FIRST = {
    "server_error": "Otter has a problem of its own.",
    "rate_limited": "Otter asked us to slow down.",
    "cut_off_json": "Otter sent an answer that broke off or made no sense.",
    "html_page": "Otter sent an answer that broke off or made no sense.",
    "repeated_page": "Otter sent the same part of the list twice.",
}
AGAIN = "We try again by ourselves. You need not do anything."
KEPT = "What had arrived is kept, and nothing was removed. We try again later, or you can try now."
FEWER = "Otter suddenly listed far fewer products than before. We kept what we have, to be safe."
ACCEPT = "If the shorter list is right, you can accept it below."


def told(run: SyncRun) -> tuple[str, str]:
    """What the owner reads."""
    return sentences.why(run, portal="Crossdock"), sentences.what_next(run)


@pytest.mark.parametrize("fault", PASSING, ids=lambda fault: "-".join(map(str, fault.values())))
def test_a_first_import_gets_over_a_passing_fault(otter: Otter, fault):
    run = otter.begin()
    otter.sandbox.fault(**fault)
    run = otter.work_out(run)
    assert (run.state, run.done, run.created_count, told(run)) == (State.SUCCEEDED, PRODUCTS, PRODUCTS, ("", ""))
    assert otter.listed() == otter.truth()


@pytest.mark.parametrize(("kind", "why"), AT_FIRST.items())
def test_until_the_next_try_it_waits_with_what_it_has(otter: Otter, kind, why):
    run = otter.begin()
    otter.sandbox.fault(kind)
    run = otter.work_on(run)
    assert (run.state, run.tries, run.lease_until, told(run)) == (State.QUEUED, 1, None, (why, AGAIN))
    assert run.done == len(otter.listed()) == PAGE


@pytest.mark.parametrize(("kind", "why"), AT_FIRST.items())
def test_a_first_import_that_meets_a_lasting_fault_fails_with_what_it_has(otter: Otter, kind, why):
    run = otter.begin()
    otter.sandbox.fault(kind, times=None)
    run = otter.work_out(run)
    assert (run.state, told(run)) == (State.FAILED, (why, KEPT))
    assert run.done == len(otter.listed()) == PAGE
    otter.becomes_complete()


@pytest.mark.parametrize(("kind", "why"), AT_FIRST.items())
def test_a_later_import_that_meets_a_lasting_fault_takes_nothing_away(otter: Otter, kind, why):
    otter.becomes_complete()
    before = otter.listed()
    run = otter.begin()
    otter.sandbox.fault(kind, times=None)
    run = otter.work_out(run)
    assert (run.state, told(run), otter.listed()) == (State.FAILED, (why, KEPT), before)
    otter.becomes_complete()


@pytest.mark.parametrize("kind", ["unauthorized", "expire_token"])
def test_an_import_is_held_until_the_owner_logs_in_again_when_everything_is_refused(otter: Otter, kind):
    run = otter.begin()
    otter.sandbox.fault(kind, times=None)
    run = otter.work_on(run)
    assert told(run) == (
        "Otter no longer lets us in. Log in there again to go on.",
        "Your products stay as they are until then.",
    )
    assert list(SyncRun.objects.held()) == [run]
    assert run.done == len(otter.listed()) == PAGE
    otter.sandbox.control("DELETE", "faults")
    run.integration.connect(run.integration.account_ref, run.integration.account_name)  # as logging in again does
    assert (otter.work_out(run).state, otter.listed()) == (State.SUCCEEDED, otter.truth())


def test_a_list_that_ends_early_once_is_read_a_second_time(otter: Otter):
    otter.becomes_complete()
    otter.sandbox.fault("missing_pages")
    run = otter.import_all()
    assert (run.state, run.look, run.done, run.removed_count) == (State.SUCCEEDED, 2, PRODUCTS, 0)
    assert otter.listed() == otter.truth()


def test_a_list_that_always_ends_early_is_not_believed(otter: Otter):
    otter.becomes_complete()
    otter.sandbox.fault("missing_pages", times=None)
    run = otter.import_all()
    assert (run.state, run.removed_count, told(run)) == (State.FAILED, 0, (FEWER, ACCEPT))
    assert otter.listed() == otter.truth()
    otter.becomes_complete()


def test_a_first_list_that_ends_early_is_completed_by_the_next_run(otter: Otter):
    """Nothing tells a first list that broke off from a short one: Otter names no total."""
    otter.sandbox.fault("missing_pages")
    run = otter.import_all()
    assert (run.state, run.done, len(otter.listed())) == (State.SUCCEEDED, PAGE, PAGE)
    otter.becomes_complete()


def test_an_item_that_cannot_be_read_is_left_out_and_named(otter: Otter):
    otter.sandbox.fault("bad_item")
    run = otter.import_all()
    failure = SyncFailure.objects.get(run=run)
    assert (run.state, run.done, run.failed_count, failure.code) == (State.PARTIAL, PRODUCTS, 1, "unreadable")
    assert (len(otter.listed()), otter.listed().items() - otter.truth().items()) == (PRODUCTS - 1, set())
    otter.becomes_complete()


def test_a_listed_item_that_cannot_be_read_once_stays_as_it_was(otter: Otter):
    otter.becomes_complete()
    otter.sandbox.fault("bad_item")
    run = otter.import_all()
    assert (run.state, run.look, run.removed_count) == (State.SUCCEEDED, 2, 0)
    assert otter.listed() == otter.truth()


def test_a_platform_that_is_slower_than_we_wait_is_asked_again(otter: Otter):
    run = otter.begin()
    otter.sandbox.fault("slow", delay=1.5)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(egress, "READ_SECONDS", 0.5)
        run = otter.work_on(run)
    assert (run.state, told(run)) == (State.QUEUED, ("Otter took too long to answer.", AGAIN))
    assert run.done == len(otter.listed()) == PAGE
    assert (otter.work_out(run).state, otter.listed()) == (State.SUCCEEDED, otter.truth())
