"""`python -m tests.bench.inside tests.bench.measuring ROWS ROUNDS`: all figures, in a database of their own."""

import os
import subprocess
import sys

from django.core.management import call_command
from django.db import connection

from . import calling, engine, loading, pulling
from .figures import Figures

FEW, MANY = 10_000, 200_000  # products whose import may not differ in memory
OVER_THE_WIRE = 5_000


def main() -> None:
    rows, rounds = map(int, sys.argv[1:])
    call_command("migrate", verbosity=0)
    engine.offer()
    figures = Figures(rows=rows)
    loading.measure(figures, rounds=rounds)
    pulling.measure(figures, products=OVER_THE_WIRE, rounds=rounds)
    calling.measure(figures, rounds=rounds)
    measure_memory(figures)
    print(figures.table())
    print(figures.as_json())


def measure_memory(figures: Figures) -> None:
    connection.close()
    few, many = (peak_of_an_import(rows) for rows in (FEW, MANY))
    figures.facts[f"peak memory, {FEW:,} products"] = f"{few} MB"
    figures.facts[f"peak memory, {MANY:,} products"] = f"{many} MB"
    figures.facts["growth (goal 1.2 at most)"] = round(many / few, 2)


def peak_of_an_import(rows: int) -> int:
    command = [sys.executable, "-m", "tests.bench.inside", "tests.bench.memory", str(rows)]
    done = subprocess.run(command, env=os.environ, stdout=subprocess.PIPE, text=True, check=True)
    return int(done.stdout)


if __name__ == "__main__":
    main()
