"""What wakes a dispatcher: PostgreSQL tells it of commits, over a connection of its own."""

import asyncio
from typing import Any

import psycopg
import structlog
from django.db import connection

log = structlog.get_logger(__name__)

EVENTS, ENDPOINTS = "crossdock_events", "crossdock_endpoints"
AGAIN_SECONDS = 1.0


class Bell:
    """Rung by a commit that has something to go out, by one that changes endpoints, and by whoever calls `ring`.

    `own` is the process of the server whose word on endpoints is no news: it says what the dispatcher did itself.
    """

    def __init__(self) -> None:
        self.rung = asyncio.Event()
        self.endpoints = False
        self.own: int | None = None
        self.wire: psycopg.Connection[Any] | None = None
        self.tried_at = 0.0

    def ring(self) -> None:
        self.rung.set()

    def is_about_endpoints(self) -> bool:
        """Whether endpoints have changed since this was last asked."""
        told, self.endpoints = self.endpoints, False
        return told

    async def heard(self, *, within: float) -> None:
        """Wait until somebody rings, at most so many seconds."""
        if self.wire is None:
            await self._connect()
        try:
            async with asyncio.timeout(within):
                await self.rung.wait()
        except TimeoutError:
            pass
        self.rung.clear()

    async def _connect(self) -> None:
        """While it cannot, the dispatcher looks by itself every `within` seconds."""
        loop = asyncio.get_running_loop()
        if loop.time() - self.tried_at < AGAIN_SECONDS:
            return
        self.tried_at = loop.time()
        connecting = loop.run_in_executor(None, _listen)
        try:
            self.wire = await asyncio.shield(connecting)
        except asyncio.CancelledError:
            (await connecting).close()
            raise
        except psycopg.Error as error:
            log.warning("cannot listen", reason=str(error)[:200])
            return
        self.rung.set()  # whatever was told before we listened
        self.endpoints = True
        loop.add_reader(self.wire.fileno(), self._read)

    def _read(self) -> None:
        assert self.wire
        try:
            self.wire.pgconn.consume_input()
            while told := self.wire.pgconn.notifies():
                if told.relname == ENDPOINTS.encode():
                    if told.be_pid == self.own:
                        continue
                    self.endpoints = True
                self.rung.set()
        except psycopg.Error as error:
            log.warning("stopped listening", reason=str(error)[:200])
            self.close()
            self.rung.set()

    def close(self) -> None:
        if self.wire is not None:
            asyncio.get_running_loop().remove_reader(self.wire.fileno())
            self.wire.close()
            self.wire = None


def _listen() -> psycopg.Connection[Any]:
    wire = psycopg.connect(**connection.get_connection_params() | {"autocommit": True})
    for channel in (EVENTS, ENDPOINTS):
        wire.execute(f"LISTEN {channel}")
    return wire
