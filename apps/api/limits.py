"""Rate limits, exact under any parallelism: a token bucket is one row, and spending from it one statement."""

import math
from dataclasses import dataclass
from datetime import timedelta
from functools import reduce
from operator import or_
from typing import Any

from django.db import connection
from django.db.models import Q
from django.utils import timezone

from .errors import Problem
from .models import Usage

# What a bucket holds by now. Statements may get at a row in another order than they began, hence no negative times.
REFILLED = (
    "LEAST(%(burst{n})s, u.level"
    " + %(rate{n})s * GREATEST(0, extract(epoch FROM statement_timestamp() - u.last_at))::float8)"
)
# A last call that lies further ahead than any statement waits means that the clock was set back.
SPEND = f"""
bucket{{n}} AS (
    INSERT INTO api_usage AS u (key, level, is_over, calls, last_at)
    SELECT %(key{{n}})s, %(burst{{n}})s - 1, false, 1, statement_timestamp() {{condition}}
    ON CONFLICT (key) DO UPDATE SET
        level = {REFILLED} - CASE WHEN {REFILLED} >= 1 THEN 1 ELSE 0 END,
        is_over = {REFILLED} < 1,
        calls = u.calls + 1,
        last_at = CASE WHEN u.last_at > statement_timestamp() + interval '1 minute' THEN statement_timestamp()
                       ELSE GREATEST(u.last_at, statement_timestamp()) END
    RETURNING level, is_over
)"""
KEPT = timedelta(days=1)  # longer than any bucket takes to be full again
KEPT_OF_CALLERS = timedelta(days=400)
CALLERS = ("key:", "integration:", "client:")  # those whose last call people are shown


@dataclass(frozen=True, slots=True)
class Rate:
    """So many calls a second in the long run, and so many at once."""

    per_second: float
    burst: int

    def parameters(self, n: int = 0) -> dict[str, float]:
        return {f"rate{n}": float(self.per_second), f"burst{n}": float(self.burst)}


CALLS = Rate(100, 200)  # of one integration, key or application
CALLS_OF_A_SHOP = Rate(20, 40)  # within its integration's
GUESSES = Rate(20 / 60, 20)  # wrong secrets of one application, from one address
FAILURES = Rate(5, 300)  # wrong tokens from one address: nobody guesses 256 bits, but each costs a look
REGISTRATIONS = Rate(60 / 3600, 60)  # from one address


@dataclass(frozen=True, slots=True)
class Left:
    """What a caller still has. `seconds` until one more call fits; 0 while one does."""

    rate: Rate
    level: float
    is_over: bool

    @property
    def seconds(self) -> int:
        return math.ceil(max(0.0, 1 - self.level) / self.rate.per_second)

    @property
    def headers(self) -> dict[str, str]:
        """RateLimit fields (draft-ietf-httpapi-ratelimit-headers-03): limit, remaining, seconds until it is full."""
        full = math.ceil((self.rate.burst - self.level) / self.rate.per_second)
        return {
            "RateLimit-Limit": str(self.rate.burst),
            "RateLimit-Remaining": str(max(0, math.floor(self.level))),
            "RateLimit-Reset": str(max(0, full)),
        }


def spend(key: str, *, rate: Rate) -> Left:
    """Count one call of `key` and take it from its bucket. Raises Problem rate_limited when that is empty."""
    return spend_all({key: rate})


def spend_all(rates: dict[str, Rate]) -> Left:
    """Count one call in each bucket, in this order up to the first that is empty; one statement for all.

    Returns what is left of the first. Raises Problem rate_limited.
    """
    parts, parameters = spending(len(rates)), parameters_of(rates)
    reads = " UNION ALL ".join(f"SELECT {n} AS n, level, is_over FROM bucket{n}" for n in range(len(rates)))
    with connection.cursor() as cursor:
        cursor.execute(f"WITH {parts} SELECT level, is_over FROM ({reads}) found ORDER BY n", parameters)
        found = [Left(rate, *row) for rate, row in zip(rates.values(), cursor.fetchall(), strict=False)]
    if found[-1].is_over:
        raise _too_many(found[-1])
    return found[0]


def spending(buckets: int, *, condition: str = "") -> str:
    """The parts bucket0, bucket1, … of a WITH that spends from so many buckets, by `parameters_of` them.

    Each has a row, with its `level` and whether it `is_over`, if the one before is not over; the first, on `condition`.
    """
    conditions = [condition, *(f"FROM bucket{n} WHERE NOT is_over" for n in range(buckets - 1))]
    return ",".join(SPEND.format(n=n, condition=conditions[n]) for n in range(buckets))


def parameters_of(rates: dict[str, Rate]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for n, (key, rate) in enumerate(rates.items()):
        found |= {f"key{n}": key, **rate.parameters(n)}
    return found


def _too_many(left: Left) -> Problem:
    wait = str(max(1, left.seconds))
    return Problem("rate_limited", f"Try again in {wait} s.", headers=left.headers | {"Retry-After": wait})


def is_exhausted(key: str, *, rate: Rate) -> bool:
    """Whether nothing is left for `key`, without counting a call."""
    sql = f"SELECT {REFILLED.format(n=0)} < 1 FROM api_usage u WHERE key = %(key)s"
    with connection.cursor() as cursor:
        cursor.execute(sql, {"key": key, **rate.parameters()})
        row = cursor.fetchone()
    return bool(row and row[0])


def forget_old_usage() -> int:
    """Forget addresses after a day, and callers who did not call for 400 days. Returns how many."""
    now = timezone.now()
    known = reduce(or_, (Q(key__startswith=prefix) for prefix in CALLERS))
    old = Q(last_at__lt=now - KEPT_OF_CALLERS) | (Q(last_at__lt=now - KEPT) & ~known)
    return Usage.objects.filter(old).delete()[0]


def usage_of(keys: list[str]) -> dict[str, Usage]:
    """What is known of these callers' calls, by key. One query for all."""
    return Usage.objects.in_bulk(keys)
