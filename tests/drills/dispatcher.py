"""Dispatchers as processes of their own, on the database of the tests.

`python -m tests.drills.dispatcher MODULE.NAME=NUMBER…` is `manage.py deliver` with other times than it has.
"""

import os
import sys
from contextlib import ExitStack
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from urllib.parse import urlsplit

import django
from django.core.management import call_command
from django.db import connection

from config.local.child import Child, wait_until
from config.local.guard import Guard
from config.local.programs import CHECKOUT

LISTENING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN %'"
# A second is an hour, and nobody gives up.
FAST = "0,0.1,0.2,0.4" + 60 * ",0.8"
SHORT_LEASES = {
    "apps.webhooks.serving.LEASE_SECONDS": 3.0,
    "apps.webhooks.lines.LEASE_SECONDS": 3.0,
    "apps.webhooks.lines.SAFE_SECONDS": 1.5,
    "apps.webhooks.dispatching.RENEW_SECONDS": 0.5,
}


@dataclass
class Dispatchers:
    """Started by a test, and ended with it, whatever is on its way then."""

    logs: Path
    guard: Guard
    rooms: ExitStack
    started: list[Child] = field(default_factory=list)

    def start(self, **times: float) -> Child:
        """One that listens. `times` are the constants that it has instead of its own, by their full names."""
        name = f"dispatcher-{len(self.started)}"
        changes = [f"{constant}={seconds}" for constant, seconds in times.items()]
        command = [sys.executable, "-m", "tests.drills.dispatcher", *changes]
        child = Child(name=name, command=command, log=self.logs / f"{name}.log", env=environment(), cwd=CHECKOUT)
        before = listening()
        child.ready = lambda: listening() > before
        self.started.append(child)
        self.rooms.callback(self.guard.stop, child, within=0)
        self.guard.start(child)
        child.wait_until_ready()
        return child


def environment() -> dict[str, str]:
    """That of the tests, with their database, and no broker anywhere."""
    name = connection.settings_dict["NAME"]
    own = {
        "DATABASE_URL": urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl(),
        "BROKER_URL": "redis://127.0.0.1:1/0",
        "EGRESS_ALLOWED_HOSTS": "127.0.0.1",
        "WEBHOOK_RETRY_SECONDS": FAST,
    }
    return os.environ | own


def listening() -> int:
    with connection.cursor() as cursor:
        cursor.execute(LISTENING)
        return cursor.fetchone()[0]


def ended(child: Child, *, within: float) -> int | None:
    """Its exit status; None while it runs."""
    wait_until(lambda: not child.running(), within=within)
    return None if child.running() or child.process is None else child.process.wait()


def main(*changes: str) -> None:
    django.setup()
    for change in changes:
        name, _, number = change.partition("=")
        module, _, constant = name.rpartition(".")
        assert hasattr(import_module(module), constant)
        setattr(import_module(module), constant, float(number))
    call_command("deliver")


if __name__ == "__main__":
    main(*sys.argv[1:])
