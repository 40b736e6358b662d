"""How events write down what JSON has no word for, and how much of a long list."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

LONGEST_LIST = 60_000  # bytes of one list: a message of any entity stays below 256 kB


@lru_cache(1024)  # what one statement writes happened at one moment
def moment(at: datetime | None) -> str | None:
    """In UTC, to the millisecond."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds")[: -len("+00:00")] + "Z" if at else None


def amount(value: Decimal | None) -> str | None:
    """Exact, and therefore a text."""
    return None if value is None else f"{value.normalize():f}"


def measure(value: Decimal | None) -> float | int | None:
    """Of at most twelve digits, which fit into a double."""
    if value is None:
        return None
    return int(value) if value == value.to_integral_value() else float(value)


def beginning(items: Iterable[dict[str, Any]], *, most: int = LONGEST_LIST) -> list[dict[str, Any]]:
    """As many of them as fit into so many bytes."""
    found: list[dict[str, Any]] = []
    for item in items:
        most -= len(json.dumps(item, ensure_ascii=False).encode("utf-8", "replace"))
        if most < 0:
            break
        found.append(item)
    return found
