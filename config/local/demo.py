"""`python -m config.local.demo`: the whole product on this machine, until it is told to stop.

PORT and SANDBOX_PORT choose the ports (8000, 8100). DATABASE_URL, BROKER_URL, OTTER_URL and PIO_URL are used when set,
instead of servers of its own. Exit status: 0 when asked to stop, 1 with one sentence when it cannot start.
"""

import argparse
import sys
import time
from contextlib import suppress
from functools import partial
from pathlib import Path

from config.local.child import ChildFailed
from config.local.programs import CHECKOUT
from config.local.run import Run, chosen_ports, running
from config.local.stopping import Stopped, StopSignals


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m config.local.demo")
    parser.add_argument("--state", type=Path, default=CHECKOUT / ".dev", help="the folder it works in")
    state = parser.parse_args().state.absolute()
    stop = StopSignals()
    say("Starting Crossdock …")
    try:
        with running(state, ports=partial(chosen_ports, portal=8000, sandbox=8100), stop=stop, say=say) as run:
            say(welcome(run))
            while True:
                run.tend()
                time.sleep(0.2)
    except Stopped:
        say("Stopped.")
    except (ChildFailed, PermissionError) as failure:
        sys.exit(str(failure))


def welcome(run: Run) -> str:
    """Where to go and who to log in as."""
    facts = run.facts
    people = {name: f"{user['email']}   {user['password']}" for name, user in facts["users"].items()}
    platform = {name: f"{user['email']}   {user['password']}" for name, user in facts["sandbox_users"].items()}
    warehouse = {name: f"{user['email']}   {user['password']}" for name, user in facts["pio_users"].items()}
    lines = [
        "",
        f"  Crossdock        {facts['portal_url']}",
        *(f"    {name:<14} {login}" for name, login in people.items()),
        f"    admin pages    {facts['portal_url']}/admin/",
        f"    API            {facts['docs_url']}",
        f"  Otter, simulated {facts['sandbox_url']}",
        *(f"    {name:<14} {login}" for name, login in platform.items()),
        f"  Pio, simulated   {facts['pio_port_url']}",
        *(f"    {name:<14} {login}" for name, login in warehouse.items()),
        "",
        f"  Logs in {run.state / 'log'}, mail in {run.state / 'mail'}. Ctrl-C stops everything.",
        "",
    ]
    return "\n".join(lines)


def say(line: str) -> None:
    """Goes on when nobody reads any more: a closed terminal must not keep the children from being stopped."""
    with suppress(OSError):
        print(line, flush=True)


if __name__ == "__main__":
    main()
