"""kill -9, at moments and of processes that a seed chooses, each sort in turn."""

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress

import psutil
import psycopg

from config.local.run import Run

OF_ORDERS = ("web_worker", "web_server", "task", "worker", "beat", "backend", "database", "broker")
OF_DELIVERIES = ("dispatcher", "dispatcher", "worker", "dispatcher", "broker", "dispatcher", "backend", "dispatcher")
OF_DELIVERIES += ("dispatcher", "database")


class Killer:
    """Spreads its kills over the progress of the work. Whatever dies, the supervisor starts again.

    `ways` are names of its own methods, each as often as its turn comes.
    """

    def __init__(self, run: Run, ways: Sequence[str], *, kills: int, seed: int, say: Callable[[str], None]) -> None:
        self.chance = chance = random.Random(seed)
        self.run, self.say = run, say
        self.moments = sorted(chance.uniform(0.02, 0.97) for _ in range(kills))
        turns = [getattr(self, way) for way in ways]
        chance.shuffle(turns)
        self.ways = [turns[n % len(turns)] for n in range(kills)]
        self.killed: Counter[str] = Counter()
        self.began = time.monotonic()

    @property
    def summary(self) -> str:
        each = ", ".join(f"{name.replace('_', ' ')} {times}" for name, times in sorted(self.killed.items()))
        return f"{self.killed.total()} kills ({each})"

    def look(self, progress: float) -> None:
        """Kill whoever's moment has come."""
        if not self.moments or progress < self.moments[0]:
            return
        way = self.ways[0]
        with suppress(psutil.Error, psycopg.Error, ProcessLookupError, IndexError, TypeError):
            pid = way()
            self.killed[way.__name__] += 1
            self.say(f"{time.monotonic() - self.began:6.1f} s  kill -9 {way.__name__.replace('_', ' ')} ({pid})")
            del self.moments[0], self.ways[0]

    def _child(self, name: str) -> psutil.Process:
        pid = self.run.children[name].pid
        assert pid
        return psutil.Process(pid)

    def _kill(self, process: psutil.Process) -> int:
        os.kill(process.pid, signal.SIGKILL)
        return process.pid

    def web_worker(self) -> int:
        """The process that answers; gunicorn's own master lives, and starts another."""
        return self._kill(self._child("web").children()[0])

    def web_server(self) -> int:
        return self._kill_group("web")

    def task(self) -> int:
        """One of Celery's children, at whatever it does."""
        return self._kill(self._child("worker").children()[0])

    def worker(self) -> int:
        return self._kill_group("worker")

    def beat(self) -> int:
        return self._kill_group("beat")

    def backend(self) -> int:
        """The PostgreSQL process behind one connection: the server then ends all others, and recovers."""
        with psycopg.connect(self.run.facts["database_url"], connect_timeout=2) as database:
            busy = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
            row = database.execute(f"{busy} ORDER BY state_change DESC LIMIT 1").fetchone()
        assert row
        os.kill(row[0], signal.SIGKILL)
        return row[0]

    def database(self) -> int:
        """All of PostgreSQL."""
        return self._kill_group("postgres")

    def dispatcher(self) -> int:
        """Any of them."""
        return self._kill_group(self.chance.choice(self.run.dispatchers))

    def broker(self) -> int:
        return self._kill_group("broker")

    def _kill_group(self, name: str) -> int:
        pid = self._child(name).pid
        os.killpg(pid, signal.SIGKILL)
        return pid
