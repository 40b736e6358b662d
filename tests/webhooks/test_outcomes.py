"""What an answer means, and when a message is tried again (WO-11, WO-12; behaviours 85 and 86)."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from apps.webhooks.outcomes import LONGEST_WAIT, STANDARD, Tries, Verdict, asked_for, error_of, verdict_on, wait_after
from apps.webhooks.sending import Answer


def answer(status: int | None = 503, error: str = "", **headers: str) -> Answer:
    return Answer(status, error, 1, headers)


@pytest.mark.parametrize(
    ("got", "standard", "pio"),
    [
        (answer(200), Verdict.DELIVERED, Verdict.DELIVERED),
        (answer(204), Verdict.DELIVERED, Verdict.DELIVERED),
        (answer(299), Verdict.DELIVERED, Verdict.DELIVERED),
        (answer(301, "redirect"), Verdict.RECEIVER, Verdict.RECEIVER),
        (answer(400), Verdict.FINAL, Verdict.RETRY),
        (answer(401), Verdict.RECEIVER, Verdict.RETRY),
        (answer(404), Verdict.RECEIVER, Verdict.RETRY),
        (answer(408), Verdict.RETRY, Verdict.RETRY),
        (answer(409), Verdict.RECEIVER, Verdict.RETRY),
        (answer(410), Verdict.GONE, Verdict.GONE),
        (answer(422), Verdict.FINAL, Verdict.RETRY),
        (answer(429), Verdict.RETRY, Verdict.RETRY),
        (answer(500), Verdict.RETRY, Verdict.RETRY),
        (answer(599), Verdict.RETRY, Verdict.RETRY),
        (answer(None, "timeout"), Verdict.RETRY, Verdict.RETRY),
        (answer(None, "unreachable"), Verdict.RETRY, Verdict.RETRY),
        (answer(None, "tls"), Verdict.RECEIVER, Verdict.RECEIVER),
        (answer(None, "refused"), Verdict.RECEIVER, Verdict.RECEIVER),
    ],
)
def test_each_answer_has_its_meaning(got, standard, pio):
    assert (verdict_on(got, format="standard"), verdict_on(got, format="pio")) == (standard, pio)


def test_the_reason_is_a_short_code():
    assert [error_of(one) for one in (answer(200), answer(503), answer(302, "redirect"), answer(None, "timeout"))] == [
        "",
        "status_503",
        "redirect",
        "timeout",
    ]


def waits(*, format: str, got: Answer, verdict: Verdict = Verdict.RETRY) -> list[float]:
    """Seconds between the tries of one message that never arrives."""
    found: list[float] = []
    while (wait := wait_after(Tries(len(found) + 1, sum(found)), got, format=format, verdict=verdict)) is not None:
        assert len(found) < 100, "It is tried for ever."
        found.append(wait)
    return found


@pytest.mark.parametrize("again", range(20))
def test_a_message_is_tried_ten_times_over_75_hours_each_up_to_a_fifth_sooner_or_later(again):
    found = waits(format="standard", got=answer(503))

    assert len(found) + 1 == len(STANDARD) == 10
    assert all(0.8 * planned <= wait <= 1.2 * planned for planned, wait in zip(STANDARD[1:], found, strict=True))
    assert sum(found) <= 76 * 3600 * 1.2


@pytest.mark.parametrize("again", range(20))
def test_by_pios_rules_it_is_tried_for_24_hours(again):
    found = waits(format="pio", got=answer(503))

    assert timedelta(hours=24) <= timedelta(seconds=sum(found)) <= timedelta(hours=24, seconds=2)
    assert len(found) >= 10


def test_what_the_receiver_has_to_mend_is_left_five_minutes_at_least():
    assert waits(format="standard", got=answer(404), verdict=Verdict.RECEIVER)[0] == 300


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("10", 10),
        ("0", 0),
        ("1000000000", 1e9),
        ("-1", 0),
        ("", 0),
        ("soon", 0),
        ("1e3", 0),
        ("nan", 0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
        ("Fri, 99 Foo 2026", 0),
        ("²", 0),
    ],
)
def test_retry_after_is_read_whatever_it_says(said, seconds):
    assert asked_for(said) == seconds


def test_retry_after_can_be_a_date():
    assert 58 <= asked_for(format_datetime(datetime.now(UTC) + timedelta(minutes=1), usegmt=True)) <= 61


@pytest.mark.parametrize(("said", "wait"), [("10", 10), ("1000000000", LONGEST_WAIT)])
def test_it_is_honoured_and_bounded(said, wait):
    tries = Tries(1, 0)
    assert wait_after(tries, answer(429, **{"Retry-After": said}), format="standard", verdict=Verdict.RETRY) == wait


def test_what_is_asked_for_makes_nothing_sooner():
    found = wait_after(Tries(2, 0), answer(503, **{"Retry-After": "1"}), format="standard", verdict=Verdict.RETRY)
    assert found and found >= 240


def test_a_rehearsal_has_its_own_times(settings):
    settings.WEBHOOK_RETRY_SECONDS = [0, 1, 1]
    assert [len(waits(format=format, got=answer(404), verdict=Verdict.RECEIVER)) for format in ("standard", "pio")] == [
        2,
        2,
    ]


@pytest.mark.parametrize("name", ["retry-after", "RETRY-AFTER", "Retry-after"])
def test_the_letters_of_its_name_may_be_small_or_large(name):
    assert wait_after(Tries(1, 0), answer(429, **{name: "10"}), format="standard", verdict=Verdict.RETRY) == 10
