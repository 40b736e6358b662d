"""`python -m tests.fuzz [--examples 3] [--jobs 2] [KIND …]`: schemathesis asks the whole API as each kind of caller.

Each kind is a process of its own; all share a PostgreSQL of their own. Prints what was found, then one line of JSON;
ends with 1 when there was a failure. Seeds are fixed: a run repeats the one before.
"""

import argparse
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from config.local.testing import ENVIRONMENT, private_database

from . import KINDS


def main() -> None:
    asked = arguments()
    with private_database() as url, ThreadPoolExecutor(asked.jobs) as pool:
        given = {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "config.settings"}
        run([sys.executable, "manage.py", "migrate", "-v0"], given)
        found = list(pool.map(lambda kind: one(kind, asked.examples, given), asked.kinds or KINDS))
    for kind in found:
        for where, what in kind["failures"].items():
            print(f"{kind['kind']}: {where}\n{what}\n")
    print(json.dumps({"cases": sum(kind["cases"] for kind in found), "kinds": found}))
    sys.exit(any(kind["failures"] for kind in found))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument(
        "--examples", type=int, default=3, help="random calls of each operation, besides the systematic"
    )
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=f"of {', '.join(KINDS)}")
    return parser.parse_args()


def one(kind: str, examples: int, given: dict[str, str]) -> dict[str, Any]:
    calling = ["-W", "ignore", "-m", "tests.bench.inside", "tests.fuzz.calling", kind, str(examples)]
    return json.loads(run([sys.executable, *calling], given))


def run(command: list[str], given: dict[str, str]) -> str:
    environment = os.environ | ENVIRONMENT | given
    return subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True).stdout


if __name__ == "__main__":
    main()
