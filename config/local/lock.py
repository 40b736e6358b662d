"""One run per state directory."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from config.local.child import ChildFailed, wait_until

CLEANING_SECONDS = 10  # how long the guard of a killed run may need to end its children


@contextmanager
def only_run(state: Path) -> Iterator[int]:
    """Holds the lock of `state` for the block, as an open file descriptor. Raises ChildFailed while another has it.

    After a kill -9 the guard of that run still holds it; this waits until it has cleaned up.
    """
    with (state / "lock").open("a+") as file:
        if not wait_until(lambda: _taken(file.fileno()) or _owner_lives(state), within=CLEANING_SECONDS):
            raise ChildFailed("An earlier demo of this checkout is still being cleaned up; try again in a moment.")
        if not _taken(file.fileno()):
            raise ChildFailed(_who_has_it(state))
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield file.fileno()


def _taken(descriptor: int) -> bool:
    with suppress(BlockingIOError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False


def _owner_lives(state: Path) -> bool:
    owner = int((state / "lock").read_text() or 0)
    return bool(psutil.pid_exists(owner))


def _who_has_it(state: Path) -> str:
    """Names the address if the other run is up; while it is starting there is none."""
    with suppress(FileNotFoundError):
        address = json.loads((state / "demo.json").read_text())["portal_url"]
        return (
            f"A demo of this checkout already runs at {address}: stop it first. "
            "A second one needs another clone, with a PORT and a SANDBOX_PORT of its own."
        )
    return "A demo of this checkout is already starting: stop it first."
