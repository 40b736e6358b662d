"""Keeping a set of children running: whichever dies is started again."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from config.local.child import Child, wait_until
from config.local.guard import Guard

LONGEST_PAUSE = 30.0  # seconds between two restarts of a child that keeps dying
STEADY_AFTER = 5.0  # seconds; a child that lived this long starts again at once


@dataclass
class Kept:
    """A child, when it last started, how often in a row it died young, and when to start it again."""

    child: Child
    started: float
    deaths: int = 0
    due: float | None = None


class Supervisor:
    """Starts groups of children, restarts the dead, and stops the groups in the opposite order.

    `say` takes one line for the person in front of it.
    """

    def __init__(self, guard: Guard, *, say: Callable[[str], None]) -> None:
        self.guard = guard
        self.say = say
        self.groups: list[list[Kept]] = []

    def __enter__(self) -> "Supervisor":
        return self

    def __exit__(self, *failure: object) -> None:
        self.stop()

    def start(self, *children: Child) -> None:
        group: list[Kept] = []
        self.groups.append(group)
        for child in children:
            self.guard.start(child)
            group.append(Kept(child, started=time.monotonic()))

    def tend(self) -> None:
        """One look at every child; call it a few times a second."""
        for group in self.groups:
            for kept in group:
                if kept.due is None and not kept.child.running():
                    self._plan_restart(kept)
                if kept.due is not None and kept.due <= time.monotonic():
                    self._restart(kept)

    def stop(self, *, within: float = 5) -> None:
        """Asks the children of a group together; whoever is still there after `within` seconds is killed."""
        while self.groups:
            self._stop_group([kept.child for kept in self.groups.pop()], within=within)

    def _stop_group(self, children: list[Child], *, within: float) -> None:
        for child in children:
            child.ask_to_stop()
        wait_until(lambda: not any(child.running() for child in children), within=within)
        for child in children:
            self.guard.bury(child)

    def _plan_restart(self, kept: Kept) -> None:
        pid, status = kept.child.pid, self.guard.bury(kept.child)
        if time.monotonic() - kept.started > STEADY_AFTER:
            kept.deaths = 0
        pause = min(2.0 ** (kept.deaths - 1), LONGEST_PAUSE) if kept.deaths else 0.0
        kept.deaths += 1
        kept.due = time.monotonic() + pause
        when = f"in {pause:.0f} s" if pause else "now"
        self.say(f"{kept.child.name} (process {pid}) ended with status {status}; starting it again {when}.")

    def _restart(self, kept: Kept) -> None:
        self.guard.start(kept.child)
        kept.started, kept.due = time.monotonic(), None
