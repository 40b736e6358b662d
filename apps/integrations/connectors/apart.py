"""Telling one bad row from the others, at a platform that takes all of a call or nothing."""

from collections.abc import Callable, Sequence

from .base import Rejected, StockRow

ABOUT_ROWS = ("rejected", "not_found")  # codes of refusals that one row of a call may be the cause of


def put_apart(rows: Sequence[StockRow], put: Callable[[Sequence[StockRow]], None]) -> list[str]:
    """An error code for each row, "" where it was taken: all are put at once, and by halves where that is rejected.

    A refusal that is not about rows is raised, as is whatever else `put` raises.
    """
    try:
        put(rows)
    except Rejected as refused:
        if refused.code not in ABOUT_ROWS:
            raise
        if len(rows) == 1:
            return [refused.code]
        half = len(rows) // 2
        return put_apart(rows[:half], put) + put_apart(rows[half:], put)
    return [""] * len(rows)
