"""`python -m tests.bench`: the figures of the README, measured here; `ONLY=first_load` in the environment for one.

`ROWS` is how many products a catalogue has where no other size is named, `ROUNDS` how often all is measured. Every
bench has a database of its own in one durable PostgreSQL, and a round runs each bench once. Prints a table, and
writes `.dev/bench.json`: a list of {name, against, ratio, goal, met, rounds}.
"""

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
    with durable_database() as url:
        given = {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "config.settings", "LOG_LEVEL": "WARNING"}
        command = [sys.executable, "-m", "tests.bench.inside", "tests.bench.measuring"]
        done = subprocess.run(command, env=os.environ | ENVIRONMENT | given, check=False)
    sys.exit(done.returncode)


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
