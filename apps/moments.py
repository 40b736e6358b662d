"""Moments that others name, as far as PostgreSQL and Python both know them."""

from datetime import UTC, datetime

EARLIEST, LATEST = 1970, 9998  # years: what lies beyond, with its zone, may be none to one of the two


def in_utc(moment: datetime) -> datetime:
    """The same moment in UTC, which it is in when it names no zone. Raises ValueError for one out of reach."""
    if not EARLIEST <= moment.year <= LATEST:
        raise ValueError(f"not in the years {EARLIEST} to {LATEST}")
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
