"""`python -m config.local.once`: the main job from start to end on a run of its own, then everything stops.

Prints one JSON line with what arrived. Exit status 0 only if the portal has exactly what the sandbox sells. Starts
from nothing in `.dev/once`, on free ports unless PORT and SANDBOX_PORT are set, so a demo beside it is not disturbed.
"""

import argparse
import json
import sys
import time
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import requests

from config.local.child import ChildFailed
from config.local.compare import compare
from config.local.pages import LostWay, Visitor
from config.local.programs import CHECKOUT, fetch
from config.local.run import Run, chosen_ports, running
from config.local.stopping import Stopped, StopSignals
from config.local.walk import connect_a_store

ACCOUNT = "great-hats"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m config.local.once")
    parser.add_argument("--state", type=Path, default=CHECKOUT / ".dev" / "once", help="the folder it works in")
    state = parser.parse_args().state.absolute()
    stop = StopSignals()
    began = time.monotonic()
    try:
        with running(state, ports=partial(chosen_ports, portal=0, sandbox=0), stop=stop, say=say, durable=False) as run:
            arrived = main_job(run)
            arrived["seconds"] = round(time.monotonic() - began, 1)
            print(json.dumps(arrived), flush=True)
    except Stopped:
        sys.exit("Stopped before it was done.")
    except (ChildFailed, PermissionError, LostWay, requests.RequestException) as failure:
        sys.exit(str(failure))
    sys.exit(0 if arrived["ok"] else 1)


def main_job(run: Run) -> dict[str, Any]:
    """Connects a store, and compares. What the portal claims is read from its own pages."""
    portal = run.facts["portal_url"]
    visitor = Visitor()
    say(f"Connecting a store at {portal} …")
    file = connect_a_store(
        visitor,
        portal,
        owner=run.facts["users"]["owner"],
        platform="otter",
        account=run.facts["sandbox_users"][ACCOUNT],
        meanwhile=run.tend,
    )
    store = _connected_store(run)
    truth = fetch(run.ports.sandbox, f"/_control/stores/{store['id']}/products").decode()
    result = compare(visitor.download(file), truth)
    return {
        "ok": result.is_equal,
        "store": store["name"],
        "products": result.products,
        "missing": result.missing,
        "unexpected": result.unexpected,
        "different": result.different,
    }


def _connected_store(run: Run) -> dict[str, str]:
    """The one store that the sandbox holds a connection of."""
    state = json.loads(fetch(run.ports.sandbox, "/_control/state"))
    (connection,) = state["connections"]
    brands = [brand for organization in state["organizations"] for brand in organization["brands"]]
    (store,) = [store for brand in brands for store in brand["stores"] if store["id"] == connection["store"]]
    return store


def say(line: str) -> None:
    with suppress(OSError):
        print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
