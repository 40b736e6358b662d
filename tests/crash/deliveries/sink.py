"""`python -m tests.crash.deliveries.sink PORT LEDGER SEED FAILING`: a receiver that fails so often, and remembers all.

A third of its failures are the worst there are: it takes the message, and drops the connection before it answers. Of
the rest it refuses some with 500 or 503, and hangs up on some before it reads them. Nobody kills it. What it says next
follows from the seed, the message and how often it came, so that the same seed is the same receiver.

The ledger has a line of JSON for each message, in the order in which they were taken.
"""

import asyncio
import json
import random
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any, TextIO

from aiohttp import web

from config.local.ports import HOST

LOST, CUT = "processed, answer lost", "dropped before it was read"
TAKEN = (200, LOST)
FAILING = 0.3  # of all messages, in the drill
SLOWEST = 0.02  # seconds that an answer takes


class Receiver:
    """Anything sent to any path; the path is the name of the endpoint."""

    def __init__(self, ledger: TextIO, *, seed: str, failing: float) -> None:
        self.ledger, self.seed, self.failing = ledger, seed, failing
        self.times: Counter[tuple[str, str]] = Counter()

    async def take(self, request: web.Request) -> web.StreamResponse:
        message = request.path, request.headers.get("webhook-id", "")
        self.times[message] += 1
        chance = random.Random(f"{self.seed} {message} {self.times[message]}")
        answer = chosen(chance, failing=self.failing)
        if answer == CUT:
            self.note(request, answer, body="")
            return hung_up(request)
        body = await request.text()
        await asyncio.sleep(chance.uniform(0, SLOWEST))
        self.note(request, answer, body=body)
        return hung_up(request) if answer == LOST else web.Response(status=int(answer))

    def note(self, request: web.Request, answer: int | str, *, body: str) -> None:
        signed = {name: request.headers.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature")}
        entry: dict[str, Any] = {"endpoint": request.path, "at": time.time(), "answer": answer, "body": body}
        self.ledger.write(json.dumps(entry | signed) + "\n")
        self.ledger.flush()


async def serves(request: web.Request) -> web.Response:
    return web.Response(text="I am there.")


def chosen(chance: random.Random, *, failing: float) -> int | str:
    """200, or one of the failures; a third of these is LOST."""
    if chance.random() >= failing:
        return 200
    return chance.choice([LOST, LOST, LOST, LOST, 500, 500, 500, 503, 503, 503, CUT, CUT])


def hung_up(request: web.Request) -> web.Response:
    assert request.transport
    request.transport.abort()
    return web.Response()


def main(port: str, ledger: str, seed: str, failing: str) -> None:
    with Path(ledger).open("a") as lines:
        application = web.Application()
        application.router.add_get("/", serves)
        application.router.add_post("/{name}", Receiver(lines, seed=seed, failing=float(failing)).take)
        web.run_app(application, host=HOST, port=int(port), print=None, access_log=None, shutdown_timeout=0.1)


if __name__ == "__main__":
    main(*sys.argv[1:])
