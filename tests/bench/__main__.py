"""`python -m tests.bench [--rows 20000] [--rounds 3]`: how fast the import is, against limits and a peer beside it.

The database is a durable PostgreSQL of its own. Prints a table, then the same as one line of JSON. The limit is what
PostgreSQL does with rows that were serialised before: all in one COPY and one transaction, into the same tables; or
page by page, as the engine has to. The peer is Django's bulk_create. Ratios are taken within a round.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from config.local.guard import Guard
from config.local.postgres import postgres, remove
from config.local.testing import ENVIRONMENT


def main() -> None:
    asked = arguments()
    measuring = ["-m", "tests.bench.inside", "tests.bench.measuring", str(asked.rows), str(asked.rounds)]
    with durable_database() as url:
        given = {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "config.settings", "LOG_LEVEL": "WARNING"}
        done = subprocess.run([sys.executable, *measuring], env=os.environ | ENVIRONMENT | given, check=False)
    sys.exit(done.returncode)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench")
    parser.add_argument("--rows", type=int, default=20_000, help="products in the catalogue")
    parser.add_argument("--rounds", type=int, default=3)
    return parser.parse_args()


@contextmanager
def durable_database() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="crossdock-bench-") as name, Guard() as guard:
        folder = Path(name)
        folder.chmod(0o711)  # the server may run as another user, and must reach its own folder inside
        server, url = postgres(folder / "data", log=folder / "log")
        with guard.running(server):
            yield url
        remove(folder / "data")


if __name__ == "__main__":
    main()
