"""`python -m tests.crash`: work at the API while everything is killed with -9, and the books compared afterwards.

In the environment: ONLY is `orders` that are to reach a warehouse (this one unless said), or `deliveries`: events that
are to reach two endpoints, which fail 30 % of the time. SIZE is how many (10,000 orders, 20,000 events), SEED what
chooses who is killed when (1), KILLS how many (24, 20), and WITHOUT one guard that is taken away, to see that these
books would show it (see `guards`). Real processes, as `make demo` has them: web server, worker, beat, dispatchers,
PostgreSQL, broker; whoever is at the other end, a simulated warehouse or a receiver of events, alone is never killed.

The last line is `acknowledged N, lost N, duplicated N, invented N`; the status is 0 if the last three are zero.
"""

import os
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from config.local.child import ChildFailed
from config.local.postgres import remove
from config.local.programs import CHECKOUT
from config.local.run import Run, chosen_ports, running
from config.local.stopping import Stopped, StopSignals

from . import books, guards
from .customers import Customers
from .deliveries import day
from .killing import OF_DELIVERIES, OF_ORDERS, Killer
from .world import World

STATE = CHECKOUT / ".dev" / "crash"
# Hours in seconds, and twice the tries there are: of 40,000 messages one fails ten times in a row, on one day in four.
TWO_DISPATCHERS = {"DISPATCHERS": "2", "WEBHOOK_RETRY_SECONDS": "0,0.2,0.5,1,2" + 15 * ",4"}


@dataclass(frozen=True)
class Asked:
    size: int
    seed: int
    kills: int
    without: str


@dataclass(frozen=True)
class Drill:
    """What is rehearsed, how large unless said otherwise, and what its processes find in their environment."""

    rehearse: Callable[[Run, Asked], books.Books]
    size: int
    kills: int
    environment: dict[str, str]


def main() -> None:
    name = os.environ.get("ONLY") or "orders"
    if name not in DRILLS:
        sys.exit(f"ONLY is one of {', '.join(DRILLS)}, not {name}.")
    drill = DRILLS[name]
    asked = Asked(
        size=int(os.environ.get("SIZE") or drill.size),
        seed=int(os.environ.get("SEED") or 1),
        kills=int(os.environ.get("KILLS") or drill.kills),
        without=os.environ.get("WITHOUT") or "",
    )
    guards.check(asked.without)
    remove(STATE / "postgres")
    shutil.rmtree(STATE, ignore_errors=True)
    os.environ.update(drill.environment)
    ports = partial(chosen_ports, portal=0, sandbox=0)
    try:
        with running(STATE, ports=ports, stop=StopSignals(), say=say) as run:
            found = drill.rehearse(run, asked)
    except (Stopped, ChildFailed) as failure:
        sys.exit(str(failure) or "Stopped.")
    print(found)
    sys.exit(0 if found.balance else 1)


def orders(run: Run, asked: Asked) -> books.Books:
    """Everybody's day: orders come in, processes die, and at the end all is counted."""
    began = time.monotonic()
    world = World.made(run)
    guards.remove(asked.without, database=world.database)
    say(f"{len(world.shops)} shops are connected; {asked.size} orders, {asked.kills} kills, seed {asked.seed}.")
    customers = Customers(world.shops, skus=world.skus, size=asked.size, seed=asked.seed)
    killer = Killer(run, OF_ORDERS, kills=asked.kills, seed=asked.seed, say=say)

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


def deliveries(run: Run, asked: Asked) -> books.Books:
    """The mail-room's day: events come in, endpoints fail, processes die, and at the end all is counted."""
    guards.remove(asked.without, database=run.facts["database_url"])
    killer = Killer(run, OF_DELIVERIES, kills=asked.kills, seed=asked.seed, say=say)
    with day.begun(run, size=asked.size, killer=killer, seed=asked.seed, say=say) as begun:
        say(f"{begun.warehouse.events} events, {asked.kills} kills, seed {asked.seed}.")
        begun.work()
        say(f"{killer.summary}.")
        return begun.balance()


DRILLS = {
    "orders": Drill(orders, size=10_000, kills=24, environment={}),
    "deliveries": Drill(deliveries, size=20_000, kills=20, environment=TWO_DISPATCHERS),
}


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
