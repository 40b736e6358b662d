"""`python -m tests.crash`: orders at the API while everything is killed with -9, and the books compared afterwards.

In the environment: SIZE is how many orders (10,000), SEED what chooses who is killed when (1), KILLS how many (24), and
WITHOUT one guard that is taken away, to see that these books would show it (see `guards`). Real processes, as `make
demo` has them: web server, worker, beat, PostgreSQL, broker, and the simulated warehouse, which alone is never killed.

The last line is `acknowledged N, lost N, duplicated N, invented N`; the status is 0 if the last three are zero.
"""

import os
import shutil
import sys
import time
from dataclasses import dataclass
from functools import partial

from config.local.child import ChildFailed
from config.local.postgres import remove
from config.local.programs import CHECKOUT
from config.local.run import Run, chosen_ports, running
from config.local.stopping import Stopped, StopSignals

from . import books, guards
from .customers import Customers
from .killing import Killer
from .world import World

STATE = CHECKOUT / ".dev" / "crash"


@dataclass(frozen=True)
class Asked:
    size: int
    seed: int
    kills: int
    without: str


def main() -> None:
    asked = Asked(
        size=int(os.environ.get("SIZE") or 10_000),
        seed=int(os.environ.get("SEED") or 1),
        kills=int(os.environ.get("KILLS") or 24),
        without=os.environ.get("WITHOUT") or "",
    )
    guards.check(asked.without)
    remove(STATE / "postgres")
    shutil.rmtree(STATE, ignore_errors=True)
    ports = partial(chosen_ports, portal=0, sandbox=0)
    try:
        with running(STATE, ports=ports, stop=StopSignals(), say=say) as run:
            found = rehearse(run, asked)
    except (Stopped, ChildFailed) as failure:
        sys.exit(str(failure) or "Stopped.")
    print(found)
    sys.exit(0 if found.balance else 1)


def rehearse(run: Run, asked: Asked) -> books.Books:
    """Everybody's day: orders come in, processes die, and at the end all is counted."""
    began = time.monotonic()
    world = World.made(run)
    guards.remove(asked.without, database=world.database)
    say(f"{len(world.shops)} shops are connected; {asked.size} orders, {asked.kills} kills, seed {asked.seed}.")
    customers = Customers(world.shops, skus=world.skus, size=asked.size, seed=asked.seed)
    killer = Killer(run, kills=asked.kills, seed=asked.seed, say=say)

    def tend(sent: int) -> None:
        """Whatever was killed comes back; half of the day is the orders coming in, half their going out."""
        run.tend()
        killer.look((customers.progress + sent / asked.size) / 2)

    with customers.buying():
        while not customers.are_done:
            tend(world.sent())
            time.sleep(0.02)
    say(f"All are acknowledged after {time.monotonic() - began:.0f} s.")
    world.settle(len(customers.acknowledged), tend=tend, say=say)
    say(f"{killer.summary}.")
    return books.balance(world, customers)


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
