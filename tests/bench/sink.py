"""`python -m tests.bench.sink PORT`: the receiver of all messages of a bench, which takes more than anybody sends.

The first part of a path says how it answers: `ok`, `noted` (that it came, and when, is kept), `slow` after half a
second, `never`, or `broken`, which is a 500. Paths with an underscore in front are for the bench itself. The moments
are those of CLOCK_MONOTONIC, which all processes of a machine share.
"""

import asyncio
import json
import os
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvloop

from config.local.child import Child, wait_until
from config.local.ports import HOST
from config.local.ports import port as checked_port
from config.local.programs import CHECKOUT, answers, fetch

LENGTH = re.compile(rb"\r\n[Cc]ontent-[Ll]ength: *(\d+)")
TAKEN = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
BROKEN = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"
SLOW_SECONDS = 0.5


class Receiver(asyncio.Protocol):
    """One connection, kept open. Nobody sends a second request before the first is answered."""

    counts: Counter[str] = Counter()
    noted: list[tuple[float, str]] = []

    def connection_made(self, transport: Any) -> None:
        self.transport, self.rest = transport, b""

    def data_received(self, data: bytes) -> None:
        data = self.rest + data
        head = data.find(b"\r\n\r\n")
        found = LENGTH.search(data, 0, head) if head >= 0 else None
        body = head + 4
        if head < 0 or len(data) < body + (int(found[1]) if found else 0):
            self.rest = data
            return
        self.rest = b""
        self.take(data[: data.index(b"\r\n")].split(b" ")[1].decode(), data[body:])

    def take(self, path: str, body: bytes) -> None:
        kind = path.split("/", 2)[1]
        self.counts[kind] += 1
        if kind in CONTROLS:
            self.control(CONTROLS[kind]())
        elif kind == "slow":
            asyncio.get_running_loop().call_later(SLOW_SECONDS, self.transport.write, TAKEN)
        elif kind == "broken":
            self.transport.write(BROKEN)
        elif kind != "never":
            self.transport.write(TAKEN)
        if kind == "noted":
            self.noted.append((time.monotonic(), body.decode()))

    def control(self, answer: bytes) -> None:
        self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(answer) + answer)


def forget() -> bytes:
    Receiver.counts.clear()
    Receiver.noted.clear()
    return b""


CONTROLS: dict[str, Callable[[], bytes]] = {
    "_counts": lambda: json.dumps(Receiver.counts).encode(),
    "_noted": lambda: json.dumps(Receiver.noted).encode(),
    "_forget": forget,
}


@dataclass(frozen=True)
class Sink:
    """A running one, seen from the bench."""

    port: int

    def url(self, kind: str, name: object = "") -> str:
        return f"http://{HOST}:{self.port}/{kind}/{name}"

    def forget(self) -> None:
        fetch(self.port, "/_forget")

    def took(self, *kinds: str) -> int:
        """How many requests of these kinds came since it was made to forget."""
        counts = json.loads(fetch(self.port, "/_counts"))
        return sum(counts.get(kind, 0) for kind in kinds)

    def noted(self) -> list[tuple[float, str]]:
        """When each of those that are noted came, and its body."""
        return [(moment, body) for moment, body in json.loads(fetch(self.port, "/_noted"))]

    def wait_for(self, number: int, *kinds: str, within: float = 120) -> None:
        """Until so many of these kinds came. Raises TimeoutError."""
        if not wait_until(lambda: self.took(*kinds) >= number, within=within):
            raise TimeoutError(f"{self.took(*kinds)} of {number} came within {within:.0f} seconds")


@contextmanager
def running() -> Iterator[Sink]:
    port = checked_port("", default=0)
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "tests.bench.sink", str(port)]
        child = Child(name="sink", command=command, log=Path(folder) / "log", env=dict(os.environ), cwd=CHECKOUT)
        child.ready = lambda: answers(port, "/_counts")
        child.start()
        try:
            child.wait_until_ready()
            yield Sink(port)
        finally:
            child.bury()


async def serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Receiver, HOST, port, backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
