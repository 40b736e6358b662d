"""One message to one address: guarded, within its time, and never read further than anybody will look at."""

import asyncio
import contextlib
import errno
import math
import ssl
import time
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import structlog

from apps import egress

from .wires import Names, Unreadable, Wire, message

CONNECT_SECONDS = 5.0
KEEP_SECONDS = 15.0  # that a connection stays open with nothing to be sent
LONGEST_HEADER = 300

ERRORS: list[tuple[Any, str]] = [
    (TimeoutError, "timeout"),
    (egress.AddressRefused, "refused"),
    (ssl.SSLError, "tls"),
    (Unreadable, "unreadable"),
    (OSError, "unreachable"),
]

SHORT = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}  # of files or memory, and that is us

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. Without a `status` nothing did, and `error` says why: timeout, unreachable, tls, refused (an
    address we do not send to), unreadable, bug (it was us). With one, `error` is empty, or redirect."""

    status: int | None
    error: str
    milliseconds: int
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""

    @property
    def is_success(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


class Place(NamedTuple):
    """Where a connection goes, and whether by TLS."""

    host: str
    port: int
    is_safe: bool


class Door:
    """By which messages leave: no proxy of the environment, no cookies, no redirects, nothing unpacked.

    A name is looked up and vetted for each connection, and what was vetted is what is dialled.
    """

    def __init__(self) -> None:
        self.names = Names()
        self.tls = ssl.create_default_context()
        self.known: dict[str, tuple[Place, str]] = {}
        self.free: dict[Place, deque[tuple[float, Wire]]] = defaultdict(deque)
        self.sweeping: asyncio.TimerHandle | None = None

    def place(self, url: str) -> tuple[Place, str]:
        """With the lines that each message to it begins with. Raises AddressRefused."""
        if (known := self.known.get(url)) is None:
            host, port = egress.receiver_of(url)
            known = self.known[url] = Place(host, port, urlsplit(url).scheme == "https"), _first_lines(url)
        return known

    async def wire(self, place: Place, *, within: float) -> Wire:
        """One that is free, or a new one. Raises OSError, TimeoutError or AddressRefused."""
        free = self.free[place]
        while free:
            _, wire = free.pop()
            if wire.is_free:
                return wire
        return await self.new_wire(place, within=within)

    def give_back(self, wire: Wire, place: Place) -> None:
        if wire.is_free:
            loop = asyncio.get_running_loop()
            self.free[place].append((loop.time(), wire))
            self.sweeping = self.sweeping or loop.call_later(KEEP_SECONDS, self._sweep)

    async def new_wire(self, place: Place, *, within: float) -> Wire:
        """To the first of its addresses that answers in its share of the time. Raises as `wire` does."""
        within = min(within, CONNECT_SECONDS)
        async with asyncio.timeout(within):
            *others, last = await self.names.addresses(place.host, place.port)
            for address in others:
                with contextlib.suppress(OSError):  # a TimeoutError is one
                    async with asyncio.timeout(within / 2):
                        return await self._dial(address, place)
            return await self._dial(last, place)

    async def _dial(self, address: str, place: Place) -> Wire:
        loop = asyncio.get_running_loop()
        tls: dict[str, Any] = {"ssl": self.tls, "server_hostname": place.host.rstrip(".")} if place.is_safe else {}
        _, wire = await loop.create_connection(Wire, address, place.port, **tls)
        return wire

    def _sweep(self) -> None:
        """Close what nobody has used for a while."""
        loop = asyncio.get_running_loop()
        for place, free in list(self.free.items()):
            while free and (free[0][0] <= loop.time() - KEEP_SECONDS or not free[0][1].is_free):
                free.popleft()[1].close()
            if not free:
                del self.free[place]
        self.sweeping = loop.call_later(KEEP_SECONDS / 3, self._sweep) if self.free else None

    def close(self) -> None:
        if self.sweeping:
            self.sweeping.cancel()
        for free in self.free.values():
            for _, wire in free:
                wire.close()
        self.names.close()


def _first_lines(url: str) -> str:
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    lines = [f"POST {target} HTTP/1.1", f"Host: {parts.netloc}", f"User-Agent: {egress.own_name()}"]
    return "\r\n".join([*lines, "Content-Type: application/json", "Accept: */*", "Accept-Encoding: identity", ""])


@contextlib.asynccontextmanager
async def open_door() -> AsyncIterator[Door]:
    """For messages to addresses we did not write ourselves."""
    door = Door()
    try:
        yield door
    finally:
        door.close()


async def post(
    door: Door, url: str, *, headers: Mapping[str, str], body: bytes, seconds: float, latest: float = math.inf
) -> Answer:
    """Send it, not after `latest` (by time.monotonic()), and take `seconds` at most for all of it. Never raises.

    Once the status is there, it counts: whatever comes after it is read as far as it goes.
    """
    began = time.perf_counter()
    try:
        place, first = door.place(url)
        sent = message(first, headers, body)
        wire = await _asked(door, place, sent, until=began + seconds, latest=latest)
    except Exception as error:
        return Answer(None, _why(error), _since(began))
    answer = _answer(wire, began)
    door.give_back(wire, place)
    return answer


async def _asked(door: Door, place: Place, sent: bytes, *, until: float, latest: float) -> Wire:
    """With the answer. A connection that was kept may be closed by them at the moment we write: then it is sent once
    more, over a new one (RFC 9112, 9.3.1). Should it have arrived after all, its id says that it is the same."""
    for wires in (door.wire, door.new_wire):
        wire = await wires(place, within=until - time.perf_counter())
        _check_is_not_after(latest)
        try:
            await wire.ask(sent, within=until - time.perf_counter())
        except ConnectionError:
            if not wire.was_left:
                raise
        else:
            break
    return wire


def _check_is_not_after(latest: float) -> None:
    """A process may have been asleep while it connected."""
    if time.monotonic() > latest:
        raise TimeoutError


def _why(error: Exception) -> str:
    """Of what happened before there was a status; TimeoutError is an OSError, too."""
    if isinstance(error, OSError) and error.errno in SHORT:
        log.error("a webhook could not be sent", exc_info=error)
        return "bug"
    for kinds, code in ERRORS:
        if isinstance(error, kinds):
            return code
    log.error("a webhook could not be sent", exc_info=error)
    return "unreadable"


def post_now(url: str, *, headers: Mapping[str, str], body: bytes, seconds: float) -> Answer:
    """The same, for somebody who waits for the answer."""

    async def once() -> Answer:
        async with open_door() as door:
            return await post(door, url, headers=headers, body=body, seconds=seconds)

    # Whoever waits may be in a thread that has an event loop already.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, once()).result()


def _answer(wire: Wire, began: float) -> Answer:
    status = wire.status
    assert status  # else it would have raised
    return Answer(
        status,
        "redirect" if 300 <= status < 400 else "",
        _since(began),
        _headers(wire.headers) if status >= 300 else {},
        _storable(wire.body) if wire.body else "",
    )


def _headers(headers: list[tuple[bytes, bytes]]) -> dict[str, str]:
    """Of a cookie only that there was one."""
    return {
        _storable(name[:100]): "…" if name.lower() == b"set-cookie" else _storable(value[:LONGEST_HEADER])
        for name, value in headers
    }


def _storable(text: bytes | bytearray) -> str:
    """As text, whatever it was: the database takes no bytes of its own and no NUL."""
    return text.decode("utf-8", "replace").replace("\x00", "\ufffd")


def _since(began: float) -> int:
    return int((time.perf_counter() - began) * 1000)
