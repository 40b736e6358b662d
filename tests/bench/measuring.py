"""`python -m tests.bench.inside tests.bench.measuring`: every bench, round by round, each in a database of its own.

A bench is a module of this folder that is named in BENCHES, with a generator `rounds(rows)`: what comes before its
first `yield` makes ready, and each `yield` gives the figures of one round, for ever.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.db import connection

from . import engine
from .figures import Figure, seconds, summary, table

BENCHES = (
    "first_load", "unchanged", "stock", "joining", "lists", "orders", "over_the_wire", "calls", "memory", "fan_out",
    "isolation", "propagation", "draining", "desk",
)  # fmt: skip
RESULT = Path(".dev/bench.json")


def main() -> None:
    chosen = [name for name in BENCHES if os.environ.get("ONLY") in (None, "", name)]
    if not chosen:
        raise SystemExit(f"There is no such bench; there are {', '.join(BENCHES)}.")
    call_command("migrate", verbosity=0)
    engine.offer()
    entries = summary(
        measure(chosen, rows=int(os.environ.get("ROWS", 100_000)), rounds=int(os.environ.get("ROUNDS", 3)))
    )
    print(table(entries))
    keep(entries)


def measure(chosen: list[str], *, rows: int, rounds: int) -> list[Figure]:
    """The figures of all rounds: each round is one of every bench."""
    template = connection.settings_dict["NAME"]
    running = {name: import_module(f"{__package__}.{name}").rounds(rows) for name in chosen}
    found: list[Figure] = []
    for name in chosen:
        with database(template):
            connection.cursor().execute(f"CREATE DATABASE bench_{name} TEMPLATE {template}")
    for number in range(rounds):
        for name, bench in running.items():
            with database(f"bench_{name}"):
                took = seconds(lambda: found.extend(next(bench)))  # noqa: B023 - called at once
            print(f"round {number + 1} of {rounds}: {name}, {took:.0f} s", flush=True)
    for bench in running.values():
        bench.close()
    return found


@contextmanager
def database(name: str) -> Iterator[None]:
    """This process works in the database of that name; so do those that it starts meanwhile."""
    before, url = connection.settings_dict["NAME"], os.environ["DATABASE_URL"]
    connection.close()
    connection.settings_dict["NAME"] = name
    os.environ["DATABASE_URL"] = url.replace(f"/{before}?", f"/{name}?")
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = before
        os.environ["DATABASE_URL"] = url


def keep(entries: list[dict[str, Any]]) -> None:
    """Write them down; what another run measured and this one did not, stays."""
    known = json.loads(RESULT.read_text()) if RESULT.exists() else []
    measured = {entry["name"] for entry in entries}
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps([entry for entry in known if entry["name"] not in measured] + entries, indent=1))


if __name__ == "__main__":
    main()
