"""What an answer means: whether a message has arrived, when it is tried again, and when it never will be."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum

from django.conf import settings

from .models import Endpoint
from .sending import Answer

# Seconds before each try; of Standard Webhooks 1.0, 75 h 35 min in all.
STANDARD = (0, 5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
# Pio tries for 24 hours, and does not say when (contracts 1.8).
PIO = (0, 5, 30, 120, 600, 1800, 3600, 7200)
PIO_SECONDS = 24 * 3600.0
JITTER = 0.2
LONGEST_WAIT = 86_400.0  # that a receiver may ask for
RECEIVERS_WAIT = 300.0  # at least: until it is mended there, nothing else helps
SECONDS: dict[str, float] = {
    Endpoint.Format.STANDARD.value: 15.0,
    Endpoint.Format.PIO.value: 5.0,
}  # for all of one try (behaviour 85)


class Verdict(StrEnum):
    DELIVERED = "delivered"
    RETRY = "retry"  # its time will come
    RECEIVER = "receiver"  # nothing arrives there until the receiver changes something
    FINAL = "final"  # this message will never be taken
    GONE = "gone"  # the receiver wants nothing more


TRY_LATER = {408, 425, 429}
NEVER = {400, 413, 414, 415, 422, 431}
BROKEN = {"refused", "tls", "redirect"}
# Codes of what went wrong before anything was sent: of its receiver that says nothing.
UNPUBLISHED, FORBIDDEN, BUG = "unpublished", "forbidden", "bug"
OURS = {UNPUBLISHED: Verdict.FINAL, FORBIDDEN: Verdict.FINAL, BUG: Verdict.RETRY}


def verdict_on(answer: Answer, *, format: str) -> Verdict:
    """By Pio's rules everything but 2XX is tried again for 24 hours; nobody there says what else a status means."""
    status = answer.status
    if answer.error in OURS:
        return OURS[answer.error]
    if answer.is_success:
        return Verdict.DELIVERED
    if status == 410:
        return Verdict.GONE
    if answer.error in BROKEN:
        return Verdict.RECEIVER
    if status is None or status in TRY_LATER or status >= 500 or format == Endpoint.Format.PIO:
        return Verdict.RETRY
    return Verdict.FINAL if status in NEVER else Verdict.RECEIVER


def error_of(answer: Answer) -> str:
    """A short code for why it was no success; empty when it was."""
    if answer.is_success or answer.error:
        return answer.error
    return f"status_{answer.status}"


@dataclass(frozen=True, slots=True)
class Tries:
    """How often it was tried by now, and for how many seconds."""

    made: int
    seconds: float


def wait_after(tries: Tries, answer: Answer, *, format: str, verdict: Verdict) -> float | None:
    """Seconds until it is tried again; None when it was tried often enough."""
    planned = _pios_wait(tries) if format == Endpoint.Format.PIO else _wait(waits(), tries.made)
    if planned is None:
        return None
    least = RECEIVERS_WAIT if verdict == Verdict.RECEIVER and not settings.WEBHOOK_RETRY_SECONDS else 0.0
    asked = min(asked_for(_retry_after(answer)), LONGEST_WAIT)
    return max(planned, least, asked)


def _retry_after(answer: Answer) -> str:
    """Whatever letters it is named in (RFC 9110 5.1)."""
    return next((value for name, value in answer.headers.items() if name.lower() == "retry-after"), "")


def waits() -> Sequence[float]:
    """Before each try. A rehearsal has hours in seconds."""
    return settings.WEBHOOK_RETRY_SECONDS or STANDARD


def _wait(schedule: Sequence[float], made: int) -> float | None:
    return jittered(schedule[made]) if made < len(schedule) else None


def _pios_wait(tries: Tries) -> float | None:
    left = PIO_SECONDS - tries.seconds
    schedule = settings.WEBHOOK_RETRY_SECONDS or PIO
    if left <= 0 or (settings.WEBHOOK_RETRY_SECONDS and tries.made >= len(schedule)):
        return None
    return min(jittered(schedule[min(tries.made, len(schedule) - 1)]), left + 1)


def jittered(seconds: float) -> float:
    """Up to a fifth more or less, so that what failed together does not come back together."""
    return seconds * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - spreads load


def asked_for(retry_after: str) -> float:
    """Seconds that the receiver asks to be left alone (RFC 9110 10.2.3): a number or a date; 0 for anything else."""
    try:
        seconds = float(retry_after) if retry_after.strip().isdigit() else _until(retry_after)
    except (ValueError, OverflowError, TypeError):
        return 0.0
    return max(seconds, 0.0)


def _until(date: str) -> float:
    moment = parsedate_to_datetime(date)
    return (moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
