"""`python -m tests.bench.inside tests.bench.memory ROWS`: import so many products, and print the peak memory in MB.

As a bench: the peak of an import of a million products beside that of ten thousand, each in a process of its own.
"""

import os
import resource
import subprocess
import sys
from collections.abc import Iterator

from . import catalogue, engine, tables
from .figures import Figure

FEW, MANY = 10_000, int(os.environ.get("MANY", 1_000_000))


def rounds(rows: int) -> Iterator[list[Figure]]:
    while True:
        tables.empty()
        few, many = (peak_of_an_import(number) for number in (FEW, MANY))
        yield [Figure("memory", f"{MANY:,} products beside {FEW:,}", many / few, goal=1.2, at_most=True)]


def peak_of_an_import(rows: int) -> int:
    command = [sys.executable, "-m", "tests.bench.inside", "tests.bench.memory", str(rows)]
    done = subprocess.run(command, env=os.environ, stdout=subprocess.PIPE, text=True, check=True)
    return int(done.stdout)


def main() -> None:
    engine.offer()
    rows = int(sys.argv[1])
    engine.load(engine.connected_store(), lambda first: catalogue.page(first, of=rows))
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)


if __name__ == "__main__":
    main()
