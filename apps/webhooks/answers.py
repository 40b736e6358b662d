"""What is written down about the answers that came back."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from . import outcomes
from .envelopes import unsaid
from .lines import Line
from .models import Delivery, Endpoint
from .outcomes import Tries, Verdict
from .sending import Answer
from .serving import Arrived, Loaded, Record

State = Delivery.State


class Finished(NamedTuple):
    """An answer, and what it is to."""

    line: Line
    loaded: Loaded
    answer: Answer
    verdict: Verdict
    began: float


def record_of(finished: Sequence[Finished]) -> Record:
    """What is written down about these answers."""
    lines = {(one.line.id, one.line.claimed.fence): one.line for one in finished}
    record = Record(held=list(lines))
    for one in finished:
        line, loaded, answer = one.line, one.loaded, one.answer
        is_over = True
        if one.verdict == Verdict.DELIVERED and not answer.body:
            tries = loaded.tries + 1
            record.arrived.append(Arrived(loaded.id, tries, answer.status or 0, one.began, answer.milliseconds))
        else:
            record.results.append(row := result_of(one))
            is_over = row["state"] != State.WAITING
        if is_over and loaded.lane in line.claimed.stalled:
            record.moved_on.append((line.id, loaded.lane))
    for (pk, fence), line in lines.items():
        if line.claimed.health.is_changed:
            record.healths.append((pk, fence, line.claimed.health.written()))
    return record


def result_of(one: Finished) -> dict[str, Any]:
    """The row about an answer that has something to tell. What a receiver that is gone was sent stays to be sent."""
    loaded, format = one.loaded, one.line.facts.format
    answer = unsaid(one.answer, one.line.facts)
    tries = Tries(loaded.tries + 1, one.began - loaded.first_tried if loaded.first_tried else 0.0)
    wait = None
    if one.verdict in (Verdict.RETRY, Verdict.RECEIVER):
        wait = outcomes.wait_after(tries, answer, format=format, verdict=one.verdict)
        if wait is None and one.line.claimed.health.state == Endpoint.State.DISABLED:
            wait = 0.0  # what is kept for it is not given up by asking whether it is well again
    elif one.verdict == Verdict.GONE:
        wait = 0.0
    ended = State.DELIVERED if one.verdict == Verdict.DELIVERED else State.FAILED
    return {
        "delivery": loaded.id,
        "endpoint": one.line.id,
        "state": ended if wait is None else State.WAITING,
        "tries": tries.made,
        "wait": wait,
        "status": answer.status,
        "error": outcomes.error_of(answer),
        "started_at": one.began,
        "milliseconds": answer.milliseconds,
        "url": one.line.facts.url,
        "headers": {name: _storable(value) for name, value in answer.headers.items()},
        "body": _storable(answer.body),
    }


def _storable(text: str) -> str:
    return text.encode("utf-8", "replace").decode().replace("\x00", "\ufffd")
