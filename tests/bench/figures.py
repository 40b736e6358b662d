"""What is compared side by side, as ratios within a round; told as medians over the rounds."""

import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Figure:
    """One ratio of one round. Good from `goal` on, or with `at_most` up to it."""

    name: str
    against: str
    ratio: float
    goal: float
    at_most: bool = False


def seconds[**Given](work: Callable[Given, Any], *args: Given.args, **kwargs: Given.kwargs) -> float:
    began = time.perf_counter()
    work(*args, **kwargs)
    return time.perf_counter() - began


def summary(figures: Iterable[Figure]) -> list[dict[str, Any]]:
    """An entry for each name and what it is held against, in the order they were first measured."""
    ratios: dict[tuple[str, str], list[Figure]] = {}
    for figure in figures:
        ratios.setdefault((figure.name, figure.against), []).append(figure)
    return [_entry(rounds) for rounds in ratios.values()]


def _entry(rounds: list[Figure]) -> dict[str, Any]:
    first, ratio = rounds[0], statistics.median(figure.ratio for figure in rounds)
    return {
        "name": first.name,
        "against": first.against,
        "ratio": round(ratio, 3),
        "goal": first.goal,
        "met": ratio <= first.goal if first.at_most else ratio >= first.goal,
        "rounds": [round(figure.ratio, 3) for figure in rounds],
    }


def table(entries: Iterable[dict[str, Any]]) -> str:
    lines = [f"{'':16} {'against':44} {'median':>8} {'goal':>6}          rounds"]
    for entry in entries:
        verdict = "reached" if entry["met"] else "MISSED"
        rounds = " ".join(f"{ratio:.2f}" for ratio in entry["rounds"])
        lines.append(
            f"{entry['name']:16} {entry['against']:44} {entry['ratio']:8.2f} {entry['goal']:6} {verdict:8} {rounds}"
        )
    return "\n".join(lines)
