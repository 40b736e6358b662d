"""A day of the mail-room: a warehouse reports, everybody hears of it, processes die, and at the end all is counted."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import psycopg

from config.local.child import Child, ChildFailed
from config.local.guard import Guard
from config.local.ports import HOST, port
from config.local.programs import CHECKOUT, answers
from config.local.run import Run

from . import books
from .ledger import Ledger
from .sink import FAILING
from .warehouse import Warehouse

ENDPOINTS = ("/one", "/two")
PATIENCE = 180.0  # seconds that the work may stand still: longer than any lease a killed process leaves behind
UNDONE = "SELECT count(*) FROM webhooks_delivery WHERE state <> 'delivered'"
OUTGOING = "SELECT count(*) FROM webhooks_outgoing"


class Kills(Protocol):
    """Whoever kills; asked several times a second."""

    def look(self, progress: float) -> None: ...


@dataclass
class Day:
    """In a run that serves. `secrets` are those of the endpoints, by their paths at the sink."""

    run: Run
    warehouse: Warehouse
    ledger: Ledger
    secrets: dict[str, str]
    killer: Kills
    say: Callable[[str], None]
    looked: float = 0.0

    @property
    def messages(self) -> int:
        return self.warehouse.events * len(self.secrets)

    def work(self) -> None:
        began = time.monotonic()
        with self.warehouse.reporting():
            while not self.warehouse.is_done:
                self.tend()
        if self.warehouse.refusals:
            raise ChildFailed(f"The API refused reports, such as {next(iter(self.warehouse.refusals.items()))}.")
        self.say(f"All is acknowledged after {time.monotonic() - began:.0f} s.")
        self.settle()
        self.say(f"{self.ledger.taken} of {self.messages} were taken after {time.monotonic() - began:.0f} s.")

    def tend(self) -> None:
        """Whatever was killed comes back; half of the day is the reports coming in, half the messages going out."""
        self.run.tend()
        if time.monotonic() - self.looked > 0.3:
            self.ledger.look()
            self.looked = time.monotonic()
        self.killer.look((self.warehouse.progress + self.ledger.taken / self.messages) / 2)
        time.sleep(0.02)

    def settle(self) -> None:
        """Until nothing is owed, and nothing is written down as owed, or the work stands still for too long."""
        best, since = -1, time.monotonic()
        while time.monotonic() - since < PATIENCE:
            if self.ledger.taken > best:
                best, since = self.ledger.taken, time.monotonic()
            if self.ledger.taken >= self.messages and self.undone() == 0:
                return
            self.tend()

    def undone(self) -> int:
        """What our own log does not call delivered; more than any if the database cannot be asked."""
        try:
            with psycopg.connect(self.run.facts["database_url"], connect_timeout=2) as database:
                return sum(database.execute(ask).fetchall()[0][0] for ask in (UNDONE, OUTGOING))
        except psycopg.OperationalError:
            return sys.maxsize

    def balance(self) -> books.Books:
        entries = self.ledger.entries()
        return books.balance(self.warehouse.acknowledged, entries=entries, secrets=self.secrets, undone=self.undone())


@contextmanager
def begun(
    run: Run, *, size: int, killer: Kills, seed: int, say: Callable[[str], None], failing: float = FAILING
) -> Iterator[Day]:
    """A sink that serves for the block, and a warehouse whose every count is to be heard there."""
    ledger = Ledger(run.state / f"ledger-{time.time_ns()}.jsonl")
    with sink(run.state, ledger=ledger.path, seed=seed, failing=failing) as address:
        made = _made(run, *(f"{address}{path}" for path in ENDPOINTS))
        secrets = {url.removeprefix(address): secret for url, secret in made["secrets"].items()}
        warehouse = Warehouse(run.facts["api_url"], made["key"], made["locations"], made["skus"], size, seed)
        yield Day(run, warehouse, ledger, secrets, killer, say)


@contextmanager
def sink(state: Path, *, ledger: Path, seed: int, failing: float = FAILING) -> Iterator[str]:
    """Its address."""
    at, module = port("SINK_PORT", default=0), "tests.crash.deliveries.sink"
    command = [sys.executable, "-m", module, str(at), str(ledger), str(seed), str(failing)]
    child = Child(name="sink", command=command, log=state / "log" / "sink.log", cwd=CHECKOUT)
    child.ready = lambda: answers(at, "/")
    with Guard() as guard, guard.running(child):
        yield f"http://{HOST}:{at}"


def _made(run: Run, *addresses: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.bench.inside", "tests.crash.deliveries.making", *addresses]
    done = subprocess.run(command, env=run.env, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ChildFailed(f"There is no warehouse: {done.stderr[-2000:]}")
    made: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return made
