"""Several threads at one database, for tests that are marked `transaction=True`."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Barrier
from typing import Any

from django.db import connection, connections


def at_once[Result](count: int, work: Callable[[], Result]) -> list[Result | BaseException]:
    """What `work` returned or raised in each of `count` threads that were let go together."""
    start = Barrier(count)

    def wait_and_work() -> Result:
        start.wait(timeout=10)
        return work()

    with ThreadPoolExecutor(count) as pool:
        futures = [in_thread(pool, wait_and_work) for _ in range(count)]
    return [future.exception() or future.result() for future in futures]


def in_thread(pool: ThreadPoolExecutor, work: Callable[[], Any]) -> Future[Any]:
    """`work` in a thread of the pool, which gives back its database connection at the end."""

    def work_and_close() -> Any:
        try:
            return work()
        finally:
            connections.close_all()

    return pool.submit(work_and_close)


def wait_until_blocked(count: int = 1, *, seconds: float = 10) -> None:
    """Return when so many other connections to this database wait for a lock."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_stat_clear_snapshot()")  # else a transaction sees who was there at its first look
            cursor.execute(
                "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid)"
                " WHERE NOT granted AND datname = current_database()"
            )
            if cursor.fetchone()[0] >= count:
                return
        time.sleep(0.01)
    raise AssertionError("Nobody waits for a lock.")


def in_a_loop[Result](work: Coroutine[Any, Any, Result]) -> Result:
    """What it returns, from an event loop of its own: in this thread a browser may have one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()
