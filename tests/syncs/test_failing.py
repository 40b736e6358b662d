"""Platforms that fail: every run is left in an honest state, with nothing half saved."""

import json
from datetime import timedelta

import pytest
import requests
from django.db import OperationalError
from django.utils import timezone

from apps.catalog.models import Listing
from apps.integrations.models import Credential, Integration
from apps.syncs import keeping, pulling, running
from apps.syncs.models import SyncFailure, SyncRun
from tests.conftest import OTTER
from tests.factories import make_credential, make_run

from .platform import fresh, item, work_on, work_out

State = SyncRun.State
pytestmark = pytest.mark.django_db
FOR_NOW = {
    "server_error": (500, {}, "oops"),
    "rate_limited": (429, {}, ""),
    "garbled": (200, {}, '{"items": [{"id": "p4", "na'),
    "unreachable": requests.ConnectionError("nobody there"),
    "timeout": requests.ReadTimeout("too slow"),
}
FOR_GOOD = {
    "forbidden": (403, {}, "account could not be found"),
    "not_found": (404, {}, ""),
    "rejected": (400, {}, "The token is not valid"),
}


@pytest.mark.parametrize(("code", "answer"), FOR_NOW.items())
def test_a_passing_failure_keeps_what_came_before_and_is_tried_again(run, platform, code, answer):
    platform.wrong["1"] = [answer]
    run = work_on(run)
    assert (run.state, run.error, run.tries, run.cursor) == (State.QUEUED, code, 1, "1")
    assert (run.lease_until, run.done, Listing.objects.count()) == (None, 3, 3)
    assert run.next_attempt_at > timezone.now()
    platform.asked.clear()
    run = work_out(run)
    assert (run.state, run.error, run.detail, run.tries, run.done) == (State.SUCCEEDED, "", "", 0, 7)
    assert platform.asked == ["1", "2"]


@pytest.mark.parametrize(("code", "answer"), FOR_NOW.items())
def test_a_lasting_failure_ends_the_run_after_the_last_wait(run, platform, code, answer):
    platform.wrong["1"] = [answer] * 100
    run = work_out(run)
    assert (run.state, run.error, run.tries) == (State.FAILED, code, 5)
    assert (run.finished_at is not None, run.lease_until, Listing.objects.count()) == (True, None, 3)
    assert platform.asked == ["0", *["1"] * 6]


@pytest.mark.parametrize(("code", "answer"), FOR_GOOD.items())
def test_a_refusal_ends_the_run_at_once(run, platform, code, answer):
    platform.wrong["1"] = [answer]
    run = work_on(run)
    assert (run.state, run.error, Listing.objects.count()) == (State.FAILED, code, 3)


def test_the_next_run_after_a_failed_one_begins_anew_and_is_complete(run, platform, connection):
    platform.wrong["1"] = [FOR_GOOD["forbidden"]]
    work_on(run)
    platform.asked.clear()
    again = work_on(make_run(connection=connection))
    assert (again.state, platform.asked, Listing.objects.count()) == (State.SUCCEEDED, ["0", "1", "2"], 7)


@pytest.mark.parametrize(("asked", "seconds"), [("120", 120), ("0", 0.5), ("99999", 3600), ("soon", 15)])
def test_a_platform_that_names_a_time_is_left_alone_until_then(run, platform, asked, seconds):
    platform.wrong["0"] = [(429, {"Retry-After": asked}, "")]
    before = timezone.now()
    run = work_on(run)
    waits = (run.next_attempt_at - before).total_seconds()
    assert seconds <= waits <= seconds + 2
    assert running.run(run.pk) is False, "not due"
    assert platform.asked == ["0"]


def test_each_wait_is_longer_than_the_one_before(run, platform):
    platform.wrong["0"] = [FOR_NOW["server_error"]] * 100
    waits = []
    for _ in running.RETRY_SECONDS:
        before = timezone.now()
        run = work_on(run)
        waits.append((run.next_attempt_at - before).total_seconds())
        SyncRun.objects.update(next_attempt_at=before)
    for wait, longest in zip(waits, running.RETRY_SECONDS, strict=True):
        assert longest / 2 <= wait <= longest + 1


def test_a_platform_that_asks_us_to_slow_down_without_naming_a_time_is_left_alone_for_a_while(run, platform):
    platform.wrong["0"] = [(429, {}, "")]
    before = timezone.now()
    assert (work_on(run).next_attempt_at - before).total_seconds() >= running.RATE_SECONDS
    assert running.RATE_SECONDS * len(running.RETRY_SECONDS) > 60


def test_the_same_next_page_again_is_tried_again(run, platform):
    platform.wrong["1"] = [(200, {}, '{"items": [{"id": "p1", "name": "Hat"}], "offsetToken": "1"}')]
    assert (work_on(run).state, fresh(run).error, fresh(run).done) == (State.QUEUED, "repeated_page", 3)
    assert (work_out(run).state, Listing.objects.count()) == (State.SUCCEEDED, 7)


def test_a_list_that_goes_round_in_circles_ends(run, platform):
    platform.wrong["2"] = [(200, {}, '{"items": [{"id": "p7", "name": "Hat 7"}], "offsetToken": "0"}')] * 100
    run = work_out(run)
    assert (run.state, run.error, run.tries) == (State.FAILED, "repeated_page", 5)


def test_a_whole_page_that_comes_again_under_another_cursor_is_tried_again(run, platform):
    first = [{"id": f"p{number}", "name": "Changed"} for number in (3, 2, 1)]
    platform.wrong["1"] = [(200, {}, json.dumps({"items": first, "offsetToken": "2"}))]
    run = work_on(run)
    assert (run.state, run.error, run.cursor, run.pages) == (State.QUEUED, "repeated_page", "1", 1)
    assert set(Listing.objects.values_list("name", flat=True)) == {"Hat 1", "Hat 2", "Hat 3"}


def test_an_empty_page_that_names_a_next_one_is_tried_again(run, platform):
    platform.wrong["1"] = [(200, {}, '{"items": [], "offsetToken": "2"}')]
    assert (work_on(run).error, fresh(run).cursor) == ("garbled", "1")
    assert work_out(run).done == 7


@pytest.mark.parametrize("token", ['"a\\u0000b"', '"\\ud83d"'])
def test_a_cursor_that_cannot_be_stored_is_garbled(run, platform, token):
    platform.wrong["0"] = [(200, {}, '{"items": [{"id": "p1", "name": "Hat"}], "offsetToken": ' + token + "}")]
    run = work_on(run)
    assert (run.state, run.error, run.pages) == (State.QUEUED, "garbled", 0)


@pytest.mark.parametrize("answer", [(500, {}, "a\x00b"), (429, {}, "\x00"), (404, {}, "a\x00")])
def test_a_reason_that_cannot_be_stored_is_kept_as_far_as_it_can(run, platform, answer):
    platform.wrong["0"] = [answer]
    run = work_on(run)
    assert run.error in {"server_error", "rate_limited", "not_found"}
    assert "?" in run.detail


@pytest.mark.parametrize("body", ["[]", "null", "7", '"text"', "{}", '{"items": null}', '{"items": {}}', "<html>"])
def test_an_answer_that_is_no_page_is_garbled(run, platform, body):
    platform.wrong["0"] = [(200, {}, body)]
    assert (work_on(run).error, Listing.objects.count()) == ("garbled", 0)


def test_a_bad_item_is_left_out_with_its_reason_and_the_rest_arrives(run, platform):
    platform.pages[1][1] |= {"name": None}
    platform.pages[2][0] |= {"price": {"amount": -1, "currencyCode": "EUR"}}
    run = work_on(run)
    assert (run.state, run.done, run.total, run.failed_count, run.created_count) == (State.PARTIAL, 7, 7, 2, 5)
    assert list(SyncFailure.objects.values_list("ref", "code")) == [("p5", "unreadable"), ("HAT-7", "bad_price")]
    assert {failure.organization for failure in run.failures.all()} == {run.organization}


def test_a_bad_item_whose_name_cannot_be_stored_is_noted_all_the_same(run, platform):
    platform.pages[2][0] |= {"externalId": "a\x00b\ud83d"}
    run = work_on(run)
    assert (run.state, list(run.failures.values_list("ref", flat=True))) == (State.PARTIAL, ["a?b?"])


def test_failures_are_counted_all_and_kept_up_to_a_limit(run, platform, monkeypatch):
    monkeypatch.setattr(keeping, "MOST_FAILURES_KEPT", 4)
    platform.pages = [[item(number, name=None) for number in range(3 * page, 3 * page + 3)] for page in range(3)]
    run = work_on(run)
    assert (run.state, run.failed_count, run.failures.count()) == (State.PARTIAL, 9, 4)


def test_a_lost_permission_holds_the_run_until_its_owner_logs_in_again(run, platform, otter):
    Credential.objects.all().delete()
    make_credential(integration=run.integration, secrets={"access_token": "dead", "refresh_token": "dead too"})
    otter.post(f"{OTTER}/v1/auth/token", status=400, json={"error": "invalid_grant"})
    platform.wrong["1"] = [(401, {}, "")]
    run = work_on(run)
    assert (run.state, run.error, run.cursor, run.tries) == (State.QUEUED, "unauthorized", "1", 0)
    assert run.integration.state == Integration.State.NEEDS_RECONNECT
    assert list(SyncRun.objects.held()) == [run]
    platform.asked.clear()
    run.integration.connect("account", "Great Hats")
    otter.replace("POST", f"{OTTER}/v1/auth/token", json={"access_token": "new", "expires_in": 3600})
    assert (work_out(run).state, platform.asked) == (State.SUCCEEDED, ["1", "2"])


def test_one_refused_token_is_replaced_and_the_run_goes_on(run, platform, otter):
    otter.post(f"{OTTER}/v1/auth/token", json={"access_token": "new", "expires_in": 3600})
    platform.wrong["1"] = [(401, {}, "")]
    run = work_on(run)
    assert (run.state, run.done, platform.asked) == (State.SUCCEEDED, 7, ["0", "1", "1", "2"])


def test_our_own_credentials_refused_is_our_problem_and_tried_again(run, platform, otter):
    otter.post(f"{OTTER}/v1/auth/token", status=401, json={"error": "invalid_client"})
    platform.wrong["0"] = [(401, {}, "")]
    run = work_on(run)
    assert (run.state, run.error) == (State.QUEUED, "application_refused")
    assert run.integration.state == Integration.State.CONNECTED


def test_a_bug_ends_the_run_and_says_so(run, monkeypatch):
    def stumble(*args):
        raise ZeroDivisionError("a\x00b")

    monkeypatch.setattr(pulling.importing, "sort_out", stumble)
    run = work_on(run)
    assert (run.state, run.error, run.detail) == (State.FAILED, "bug", r"ZeroDivisionError('a\x00b')")


def test_trouble_with_our_database_is_not_the_runs_fault(run, monkeypatch):
    def stumble(*args):
        raise OperationalError("the connection is gone")

    monkeypatch.setattr(pulling.importing, "sort_out", stumble)
    with pytest.raises(OperationalError):
        running.run(run.pk)
    assert (fresh(run).state, fresh(run).error) == (State.RUNNING, "")
    SyncRun.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    monkeypatch.undo()
    assert work_on(run).state == State.SUCCEEDED
