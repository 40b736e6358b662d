"""Timing what is compared side by side, and telling it as ratios."""

import json
import statistics
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Figures:
    """Rates in rows per second, by name, one of each round; ratios of two rates of the same round."""

    rows: int
    rates: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    ratios: dict[str, tuple[str, str, float]] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)

    def time[Result](self, name: str, work: Callable[[], Result], *, rows: int | None = None) -> Result:
        began = time.perf_counter()
        result = work()
        self.rates[name].append((rows or self.rows) / (time.perf_counter() - began))
        return result

    def ratio(self, over: str, under: str, *, goal: float) -> None:
        """Ask for a ratio of two rates, and say what it should at least be."""
        self.ratios[f"{over} / {under}"] = (over, under, goal)

    def table(self) -> str:
        lines = [f"{'':44}{'median':>10}   min .. max"]
        lines += [f"{name:44}{_spread(rates, '{:,.0f}')} rows/s" for name, rates in self.rates.items()]
        lines.append("")
        for name, values in self._ratios().items():
            goal = self.ratios[name][2]
            verdict = "reached" if statistics.median(values) >= goal else "missed"
            lines.append(f"{name:44}{_spread(values, '{:.2f}')}   goal {goal}: {verdict}")
        lines += ["", *(f"{name:44}{value:>10}" for name, value in self.facts.items())]
        return "\n".join(lines)

    def as_json(self) -> str:
        ratios = {name: _summary(values) | {"goal": self.ratios[name][2]} for name, values in self._ratios().items()}
        rates = {name: _summary(values) for name, values in self.rates.items()}
        return json.dumps({"rows": self.rows, "rates": rates, "ratios": ratios, "facts": self.facts})

    def _ratios(self) -> dict[str, list[float]]:
        return {
            name: [a / b for a, b in zip(self.rates[over], self.rates[under], strict=True)]
            for name, (over, under, _) in self.ratios.items()
        }


def _spread(values: list[float], form: str) -> str:
    median, least, most = (form.format(value) for value in (statistics.median(values), min(values), max(values)))
    return f"{median:>10}   {least} .. {most}"


def _summary(values: list[float]) -> dict[str, float]:
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}
