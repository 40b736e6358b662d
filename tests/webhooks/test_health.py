"""How an endpoint is doing, with a clock that the test turns (WO-14)."""

from dataclasses import replace

import pytest

from apps.webhooks.health import STREAK, WIDEST, Health
from apps.webhooks.outcomes import Verdict

DAY = 86_400.0


@pytest.fixture
def health() -> Health:
    return Health("active", "", 0, None, None, 0)


def fail(health: Health, *, at: float, times: int = 1) -> None:
    for _ in range(times):
        health.fails(at, verdict=Verdict.RETRY, error="status_503")


def test_five_failures_at_the_same_moment_are_one_and_tell_nobody(health):
    fail(health, at=0, times=10)

    assert (health.window, health.notices, health.probe_at) == (WIDEST, [], None)


def test_at_the_fifth_failure_in_a_row_its_owner_is_told_and_it_is_asked_seldom(health):
    for number in range(STREAK):
        fail(health, at=5.0 * number)

    assert (health.notices, health.is_shut, health.failures) == (["streak"], True, 5)
    assert 44 <= health.probe_at <= 56


def test_its_owner_is_told_once_of_each_stage(health):
    for hour in range(24 * 6):
        fail(health, at=3600.0 * hour)

    assert health.notices == ["streak", "half_way", "disabled"]
    assert (health.state, health.reason) == ("disabled", "failing")


def test_half_way_comes_after_two_and_a_half_days_and_the_end_after_five(health):
    told = {}
    for hour in range(24 * 6):
        fail(health, at=3600.0 * hour)
        for stage in health.written().notices:
            told[stage] = hour

    assert told == {"streak": 4, "half_way": 60, "disabled": 120}


def test_one_success_and_nothing_has_been(health):
    for hour in range(24 * 4):
        fail(health, at=3600.0 * hour)
    health.takes(100 * 3600.0)
    fail(health, at=101 * 3600.0)

    assert (health.failures, health.failing_since, health.probe_at) == (1, 101 * 3600.0, None)


def test_who_comes_back_is_trusted_step_by_step(health):
    for number in range(STREAK):
        fail(health, at=10.0 * number)
    back = Health("active", "", health.failures, health.failing_since, health.probe_at, 0)

    widths = [back.window]
    for _ in range(5):
        back.takes(500.0)
        widths.append(back.window)

    assert widths == [1, 2, 4, 8, WIDEST, WIDEST]


def test_410_ends_it_at_once(health):
    health.fails(0, verdict=Verdict.GONE, error="status_410")

    assert (health.state, health.reason, health.is_shut, health.notices) == ("disabled", "gone", True, ["disabled"])


@pytest.mark.parametrize("verdict", [Verdict.RETRY, Verdict.GONE])
def test_what_was_on_its_way_changes_nothing_about_one_that_is_gone(health, verdict):
    health.fails(0, verdict=Verdict.GONE, error="status_410")
    gone = health.written()
    health.takes(1)
    health.fails(2, verdict=verdict, error="status_503")

    assert replace(health, notices=["disabled"], is_changed=True, has_turned=True) == gone


def test_one_that_was_disabled_and_then_says_it_is_gone_is_gone():
    health = Health("disabled", "failing", 50, 0.0, 5 * DAY, 0, {"streak", "half_way", "disabled"})
    health.fails(5 * DAY, verdict=Verdict.GONE, error="status_410")

    assert (health.reason, health.is_shut, health.has_turned, health.notices) == ("gone", True, True, [])


def test_a_disabled_one_is_probed_hourly_and_comes_back_by_itself():
    health = Health("disabled", "failing", 50, 0.0, 5 * DAY, 0, {"streak", "half_way", "disabled"})
    fail(health, at=5 * DAY)
    assert 0.8 * 3600 <= health.probe_at - 5 * DAY <= 1.2 * 3600

    health.takes(6 * DAY)
    assert (health.state, health.reason, health.resumes, health.notices) == ("active", "", 1, ["resumed"])


def test_who_keeps_coming_and_going_is_probed_less_often():
    health = Health("disabled", "failing", 50, 0.0, 5 * DAY, 9, set())
    fail(health, at=5 * DAY)

    assert 0.8 * 6 * 3600 <= health.probe_at - 5 * DAY <= 1.2 * 6 * 3600


def test_what_was_written_down_is_not_written_again(health):
    health.takes(1000.0)
    assert health.is_changed
    health.written()
    health.takes(1001.0)
    assert not health.is_changed
