"""`python -m tests.mutants [--jobs 2] [ROW …]`: each guard (of these rows) is removed once, and its tests must go red.

Works in copies of this checkout, with a PostgreSQL of its own. Prints a table; ends with 1 when a guard's removal was
noticed by nobody.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from urllib.parse import urlsplit, urlunsplit

from config.local.testing import private_database

from .guards import Guard
from .table import ALL

ROOT = Path(__file__).parent.parent.parent
NOT_COPIED = shutil.ignore_patterns(".*", "__pycache__", "node_modules", "screenshots", "staticfiles")
RED = 1  # pytest's exit status when tests ran and some failed
MOST_SECONDS = 300  # for the tests of a guard: without it they may go on for ever, where they should have said so


def main() -> None:
    asked = arguments()
    guards = [guard for guard in ALL if not asked.rows or guard.row in asked.rows]
    with benches(asked.jobs) as free, ThreadPoolExecutor(asked.jobs) as pool:
        survivors = [guard for guard, status in pool.map(lambda guard: tried(guard, free), guards) if status != RED]
    print(f"{len(guards)} guards removed, {len(survivors)} of them unnoticed")
    sys.exit(bool(survivors))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("rows", nargs="*", metavar="ROW")
    return parser.parse_args()


@contextmanager
def benches(count: int) -> Iterator[SimpleQueue[tuple[Path, str]]]:
    """As many copies of the checkout, each with the DATABASE_URL of a database of its own."""
    free: SimpleQueue[tuple[Path, str]] = SimpleQueue()
    with private_database() as url, tempfile.TemporaryDirectory(prefix="crossdock-mutants-") as name:
        for number in range(count):
            copy = Path(name) / str(number)
            shutil.copytree(ROOT, copy, ignore=NOT_COPIED)
            free.put((copy, urlunsplit(urlsplit(url)._replace(path=f"/mutants{number}"))))
        yield free


def tried(guard: Guard, free: SimpleQueue[tuple[Path, str]]) -> tuple[Guard, int]:
    """Its tests' exit status without it."""
    bench = free.get()
    try:
        status = without(guard, *bench)
    finally:
        free.put(bench)
    said = {0: "SURVIVED", RED: "red"}.get(status, f"ERROR {status}")
    print(f"{said:<9} {guard.row:<12} {guard.file}: {guard.text.strip().splitlines()[0]}", flush=True)
    return guard, status


def without(guard: Guard, copy: Path, url: str) -> int:
    file = copy / guard.file
    whole = file.read_text()
    file.write_text(whole.replace(guard.text, guard.becomes))
    try:
        command = [sys.executable, "-m", "pytest", "-q", "-x", "-n0", "--reuse-db", "--show-capture=no", *guard.tests]
        given = {"DATABASE_URL": url, "PYTHONDONTWRITEBYTECODE": "1"}
        env = os.environ | given
        ran = subprocess.run(
            command, cwd=copy, env=env, capture_output=True, text=True, check=False, timeout=MOST_SECONDS
        )
    except subprocess.TimeoutExpired:
        return 2
    finally:
        file.write_text(whole)
    return ran.returncode if "error" not in ran.stdout.splitlines()[-1] else 2


if __name__ == "__main__":
    main()
