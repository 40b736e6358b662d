"""Rate limits, exact under any parallelism: a token bucket is one row, and spending from it one statement."""

import math
from dataclasses import dataclass

from django.db import connection

from .errors import Problem
from .models import Usage

SPEND = """
INSERT INTO api_usage AS u (key, level, is_over, calls, last_at)
VALUES (%(key)s, %(burst)s - %(cost)s, false, 1, statement_timestamp())
ON CONFLICT (key) DO UPDATE SET
    level = bucket.level - CASE WHEN bucket.level >= %(cost)s THEN %(cost)s ELSE 0 END,
    is_over = bucket.level < %(cost)s,
    calls = u.calls + 1,
    last_at = GREATEST(u.last_at, statement_timestamp())
RETURNING level, is_over
"""
REFILLED = (
    "LEAST(%(burst)s, u.level + %(rate)s * GREATEST(0, extract(epoch FROM statement_timestamp() - u.last_at))::float8)"
)
STATEMENT = SPEND.replace("bucket.level", REFILLED)


@dataclass(frozen=True, slots=True)
class Rate:
    """So many calls a second in the long run, and so many at once."""

    per_second: float
    burst: int

    @property
    def parameters(self) -> dict[str, float]:
        return {"rate": float(self.per_second), "burst": float(self.burst)}


CALLS = Rate(100, 200)  # of one integration, key or application
CALLS_OF_A_SHOP = Rate(20, 40)
FAILURES = Rate(20 / 60, 20)  # wrong credentials from one address
REGISTRATIONS = Rate(5 / 3600, 10)  # from one address


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


def spend(key: str, *, rate: Rate, cost: int = 1) -> Left:
    """Count one call of `key` and take `cost` from its bucket. Raises Problem rate_limited when it holds too little."""
    with connection.cursor() as cursor:
        cursor.execute(STATEMENT, {"key": key, "cost": float(cost), **rate.parameters})
        level, is_over = cursor.fetchone()
    left = Left(rate, level, is_over)
    if is_over:
        wait = str(max(1, left.seconds))
        raise Problem("rate_limited", f"Try again in {wait} s.", headers=left.headers | {"Retry-After": wait})
    return left


def is_exhausted(key: str, *, rate: Rate) -> bool:
    """Whether nothing is left for `key`, without counting a call."""
    sql = f"SELECT {REFILLED} < 1 FROM api_usage u WHERE key = %(key)s"  # noqa: S608 - a constant of this file
    with connection.cursor() as cursor:
        cursor.execute(sql, {"key": key, **rate.parameters})
        row = cursor.fetchone()
    return bool(row and row[0])


def usage_of(keys: list[str]) -> dict[str, Usage]:
    """What is known of these callers' calls, by key. One query for all."""
    return Usage.objects.in_bulk(keys)
