"""One endpoint's deliveries in memory: what may be sent, and what has to wait for what."""

from datetime import UTC, datetime

import pytest

from apps.webhooks.health import WIDEST, Health
from apps.webhooks.lines import LINGER_SECONDS, ROOM, Line
from apps.webhooks.serving import LEASE_SECONDS, Behind, Claimed, Facts, Loaded, Wanted

FACTS = Facts("https://receiver.example/", "standard", (), {}, "", datetime(2026, 11, 21, tzinfo=UTC))


@pytest.fixture
def line() -> Line:
    return Line(Claimed("a", 1, 1, FACTS, Health("active", "", 0, None, None, 0), set()), leased_at=0.0)


def loaded(id: int, lane: str, *, is_retry: bool = False) -> Loaded:
    return Loaded(
        id, "a", lane, is_retry, 0, None, "order.created", "order.created", "order", lane, id, FACTS.changed_at, "{}",
        None, None, True,
    )  # fmt: skip


def taken(line: Line, now: float = 1.0, **most: int) -> list[int]:
    """The ids of all that may be sent at this moment."""
    found = []
    while one := line.take(now, **most):
        found.append(one)
    return [one.id for one in found]


def test_of_each_lane_the_first_may_go(line):
    line.accept([loaded(1, "x"), loaded(2, "x"), loaded(3, "y")], room=ROOM)

    assert (taken(line), taken(line)) == ([1, 3], [])


def test_the_next_goes_when_the_one_before_is_on_record(line):
    first = loaded(1, "x")
    line.accept([first, loaded(2, "x")], room=ROOM)
    taken(line)
    line.sending -= 1
    assert taken(line) == []

    line.move_on(first)
    assert taken(line) == [2]


def test_so_many_at_a_time_as_it_is_trusted_with(line):
    line.accept([loaded(number, str(number)) for number in range(50)], room=ROOM)

    assert (len(taken(line, most=2)), len(taken(line))) == (2, WIDEST - 2)


def test_nothing_is_sent_with_a_lease_about_to_end(line):
    line.accept([loaded(1, "x")], room=ROOM)

    assert (taken(line, now=LEASE_SECONDS - 16), taken(line, now=1.0)) == ([], [1])


def test_behind_one_that_waits_everything_of_its_lane_waits(line):
    first = loaded(1, "x")
    line.accept([first, loaded(2, "x"), loaded(3, "y")], room=ROOM)
    taken(line)

    assert line.stall(first) == [Behind(2, "a", 1)]
    assert line.accept([loaded(4, "x"), loaded(5, "z")], room=ROOM) == [Behind(4, "a", 1)]
    assert taken(line) == [5]


def test_its_next_try_opens_the_lane_and_what_was_behind_is_loaded_again(line):
    first = loaded(1, "x")
    line.accept([first], room=ROOM)
    taken(line)
    line.stall(first)
    again = loaded(1, "x", is_retry=True)
    line.accept([again], room=ROOM)
    assert taken(line) == [1]

    line.move_on(again)
    assert (line.claimed.stalled, line.after, line.is_exhausted) == (set(), 0, False)


def test_what_is_loaded_twice_is_sent_once(line):
    first = loaded(1, "x")
    line.accept([first], room=ROOM)
    line.accept([loaded(1, "x")], room=ROOM)

    assert taken(line) == [1]
    line.move_on(first)
    assert taken(line) == []


def test_it_asks_for_more_before_it_runs_dry_and_never_for_too_much(line):
    assert line.wants(1.0) == Wanted("a", 1, 0, ROOM, False)
    line.accept([loaded(number, str(number)) for number in range(1, ROOM + 1)], room=ROOM)
    assert line.wants(1.0) is None


def test_it_looks_for_what_is_to_be_tried_again_twice_a_second(line):
    line.is_exhausted = True
    line.claimed.stalled.add("x")

    assert [bool(line.wants(now)) for now in (1.0, 1.2, 1.6)] == [True, False, True]


def test_a_full_one_loads_nothing_not_even_what_is_to_be_tried_again(line):
    line.claimed.stalled.add("x")
    line.accept([loaded(number, str(number)) for number in range(1, 2 * ROOM)], room=ROOM)

    assert line.wants(1.0) is None


def test_a_closed_one_sends_nothing_and_is_given_back_when_all_is_on_record(line):
    first = loaded(1, "x")
    line.accept([first, loaded(2, "y")], room=ROOM)
    line.take(1.0)
    line.close()

    assert (taken(line), line.is_idle(1.0)) == ([], False)
    line.move_on(first)
    assert line.is_idle(1.0)


def test_it_is_given_back_only_when_what_is_behind_is_on_record(line):
    first = loaded(1, "x")
    line.wants(1.0)
    line.accept([first, loaded(2, "x")], room=ROOM)
    taken(line)
    line.stall(first)
    assert line.is_idle(100.0) is False

    line.open -= 1
    assert (line.is_idle(99.9 + LINGER_SECONDS), line.is_idle(100.0 + LINGER_SECONDS)) == (False, True)


def test_what_it_hears_of_while_it_is_loaded_is_loaded_next(line):
    wish = line.wants(now=1.0)
    line.hear(2)
    line.accept([loaded(1, "x")], room=ROOM)
    assert (wish, line.wants(now=1.0)) == (Wanted("a", 1, 0, ROOM, False), Wanted("a", 1, 1, ROOM - 1, False))

    line.accept([], room=ROOM - 1)
    assert line.wants(now=1.0) is None


def test_asked_to_look_again_while_it_is_loaded_it_begins_at_the_front(line):
    line.accept([loaded(5, "x")], room=ROOM)
    assert line.wants(now=1.0) == Wanted("a", 1, 5, ROOM - 1, False)
    line.look_again()
    line.accept([loaded(6, "y")], room=ROOM - 1)

    assert line.wants(now=1.0) == Wanted("a", 1, 0, ROOM - 2, False)
