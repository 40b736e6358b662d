"""`python -m tests.fuzz [--examples 3] [--jobs 2] [KIND …]`: schemathesis asks the whole API as each kind of caller.

Each kind is a process with a database of its own, in a PostgreSQL of this run. Prints what was found, then one line of
JSON; ends with 1 when there was a failure. Seeds are fixed: a run repeats the one before.
"""

import argparse
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg

from config.local.testing import ENVIRONMENT, private_database

from . import KINDS


def main() -> None:
    asked = arguments()
    with private_database() as url, ThreadPoolExecutor(asked.jobs) as pool:
        run([sys.executable, "manage.py", "migrate", "-v0"], url)
        urls = {kind: copied(url, kind) for kind in asked.kinds or KINDS}
        found = list(pool.map(lambda kind: one(kind, asked.examples, urls[kind]), urls))
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


def copied(url: str, name: str) -> str:
    """The DATABASE_URL of a copy of this database."""
    whole = urlsplit(url)
    with psycopg.connect(urlunsplit(whole._replace(path="/template1")), autocommit=True) as connection:
        source, copy = map(psycopg.sql.Identifier, (whole.path[1:], name))
        connection.execute(psycopg.sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(copy, source))
    return urlunsplit(whole._replace(path=f"/{name}"))


def one(kind: str, examples: int, url: str) -> dict[str, Any]:
    calling = ["-W", "ignore", "-m", "tests.bench.inside", "tests.fuzz.calling", kind, str(examples)]
    return json.loads(run([sys.executable, *calling], url))


def run(command: list[str], url: str) -> str:
    ours = {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "config.settings", "OPEN_REGISTRATION": "1"}
    environment = os.environ | ENVIRONMENT | ours
    return subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True).stdout


if __name__ == "__main__":
    main()
