"""HTTP/1.1 as far as a message needs it: a connection that is kept open, and the one answer that is read from it.

What comes back is parsed by llhttp (`httptools`), as Node does it. With a general client the dispatcher took twice as
long for a message, most of it in the client.
"""

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from apps import egress

MOST_READ = 64 * 1024  # bytes of an answer, its head included
MOST_KEPT = 4 * 1024  # bytes of its body that the log keeps
KEPT_HEADERS = 30  # and the time they ask for, wherever it stands
RESOLVING = 128  # names at the same time: a name server that is silent keeps nobody else waiting


class Unreadable(ValueError):
    """What came back is no HTTP, or more of it than anybody will read."""


class Wire(asyncio.Protocol):
    """One connection. Nothing is asked over it before the answer to what was asked last is there.

    Of the answer: `status` once its head was read, the first of its headers and of its body. `is_free` says whether
    another message may follow: not after an answer that was cut, or was followed by something nobody asked for.
    """

    def __init__(self) -> None:
        self.parser = HttpResponseParser(self)
        self.transport: Any = None
        self.asked: asyncio.Future[None] | None = None
        self.is_free = False
        self.has_answered = False
        self._forget()

    @property
    def was_left(self) -> bool:
        """It had been kept after an answer, and ended before a byte of the next."""
        return self.has_answered and not self.heard

    def _forget(self) -> None:
        self.status: int | None = None
        self.headers: list[tuple[bytes, bytes]] = []
        self.body = bytearray()
        self.heard = 0

    async def ask(self, message: bytes, *, within: float) -> None:
        """Send it, and return when the answer was read, or its status and as much as came `within` so many seconds.

        Raises TimeoutError, OSError or Unreadable when there is no status.
        """
        loop = asyncio.get_running_loop()
        self._forget()
        self.is_free, self.asked = False, loop.create_future()
        late = loop.call_later(within, self._end, TimeoutError())
        self.transport.write(message)
        try:
            await self.asked
        finally:
            late.cancel()
            self.asked = None
            if not self.is_free:
                self.close()

    def close(self) -> None:
        self.is_free = False
        self.transport.abort()

    def _end(self, error: Exception) -> None:
        """Nothing more will be read. What was is an answer if there is a status."""
        self.is_free = False
        if self.asked and not self.asked.done():
            if self.status is None:
                self.asked.set_exception(error)
            else:
                self.asked.set_result(None)

    # ---- What asyncio tells

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        if self.asked is None or self.asked.done():
            return self.close()
        self.heard += len(data)
        try:
            self.parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as error:
            self._end(Unreadable(str(error)))
        if self.heard > MOST_READ:
            self._end(Unreadable("more than anybody reads"))

    def connection_lost(self, error: Exception | None) -> None:
        self._end(error or ConnectionResetError("closed before it answered"))

    # ---- What llhttp tells

    def on_message_begin(self) -> None:
        self.is_free = False  # also when it is a second answer right behind the first

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.status is None and (len(self.headers) < KEPT_HEADERS or self._asks_for_time(name)):
            self.headers.append((name, value))

    def _asks_for_time(self, name: bytes) -> bool:
        """For the first time."""
        return name.lower() == b"retry-after" and all(kept.lower() != b"retry-after" for kept, _ in self.headers)

    def on_headers_complete(self) -> None:
        status = self.parser.get_status_code()
        if status < 200:  # it will go on
            self.headers.clear()
        else:
            self.status = status

    def on_body(self, body: bytes) -> None:
        if len(self.body) < MOST_KEPT:
            self.body += body[: MOST_KEPT - len(self.body)]

    def on_message_complete(self) -> None:
        if self.status is not None and self.asked and not self.asked.done():
            self.asked.set_result(None)
            self.is_free, self.has_answered = self.parser.should_keep_alive(), True


def message(first: str, headers: Mapping[str, str], body: bytes) -> bytes:
    """As it travels; `first` are the lines that all messages to a place begin with. Raises Unreadable for a header that
    would be more than one."""
    lines = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
    if lines.count("\n") != len(headers) or lines.count("\r") != len(headers) or "\0" in lines:
        raise Unreadable("a header has a line of its own")
    return f"{first}{lines}Content-Length: {len(body)}\r\n\r\n".encode() + body


class Names:
    """The addresses of a name that may be dialled; asked for anew with each connection.

    Who wants to know what is being asked already waits for that answer: a name whose server is silent takes one thread.
    """

    def __init__(self) -> None:
        self.threads = ThreadPoolExecutor(RESOLVING, thread_name_prefix="resolving")
        self.asked: dict[tuple[str, int], asyncio.Future[list[str]]] = {}

    async def addresses(self, host: str, port: int) -> list[str]:
        """Raises AddressRefused, and OSError when there is none."""
        return await asyncio.shield(self.asked.get((host, port)) or self._ask(host, port))

    def _ask(self, host: str, port: int) -> asyncio.Future[list[str]]:
        asked = asyncio.get_running_loop().run_in_executor(self.threads, egress.vet, host, port)
        self.asked[host, port] = asked
        asked.add_done_callback(partial(self._answered, (host, port)))
        return asked

    def _answered(self, place: tuple[str, int], asked: asyncio.Future[list[str]]) -> None:
        del self.asked[place]
        if not asked.cancelled():
            asked.exception()  # known to be one, also when whoever asked has given up by now

    def close(self) -> None:
        self.threads.shutdown(wait=False, cancel_futures=True)
