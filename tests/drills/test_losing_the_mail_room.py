"""What the dispatcher stands on is taken away: everything arrives, once, by the books of the crash drill."""

import os
import signal
from collections.abc import Callable

from tests.crash.deliveries import day
from tests.crash.deliveries.books import Books

from .world import World

EVENTS = 1000


class Once:
    """One deed, when so much of the work is done."""

    def __init__(self, deed: Callable[[], object], *, at: float) -> None:
        self.deed, self.at, self.is_done = deed, at, False

    def look(self, progress: float) -> None:
        if not self.is_done and progress >= self.at:
            self.is_done = True
            self.deed()


def balance_after(world: World, deed: Callable[[], object]) -> Books:
    """Of a day of two receivers that take everything, with this deed in its middle."""
    killer = Once(deed, at=0.4)
    with day.begun(world.run, size=EVENTS, killer=killer, seed=1, say=print, failing=0) as begun:
        begun.work()
        assert killer.is_done
        return begun.balance()


def test_a_killed_dispatcher_is_back_and_everything_arrives(world: World):
    killed = world.run.children["dispatcher"].pid

    books = balance_after(world, lambda: os.kill(killed, signal.SIGKILL))

    assert books.balance, str(books)
    assert world.run.children["dispatcher"].pid != killed


def test_a_dispatcher_outlives_a_restart_of_the_database(world: World):
    dispatcher, database = (world.run.children[name].pid for name in ("dispatcher", "postgres"))

    books = balance_after(world, lambda: os.kill(database, signal.SIGINT))

    assert books.balance, str(books)
    assert world.run.children["dispatcher"].pid == dispatcher
    assert world.run.children["postgres"].pid != database
