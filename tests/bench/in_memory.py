"""`python -m tests.bench.in_memory LOOP NUMBER ADDRESS…`: messages that are only in memory, each signed and posted.

What anybody would write who need not keep them: an aiohttp session, 64 connections, on `asyncio` or on `uvloop`. Prints
the seconds it took, without its own start.
"""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator

import aiohttp
import uvloop

from apps.webhooks import signing

CONNECTIONS = 64
BYTES = 1_000
type Message = tuple[str, str, bytes, bytes]  # address, id, key, body


async def post_all(messages: list[Message]) -> float:
    began, waiting = time.perf_counter(), iter(messages)
    async with (
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=CONNECTIONS)) as session,
        asyncio.TaskGroup() as senders,
    ):
        for _ in range(CONNECTIONS):
            senders.create_task(post(session, waiting))
    return time.perf_counter() - began


async def post(session: aiohttp.ClientSession, messages: Iterator[Message]) -> None:
    for url, message_id, key, body in messages:
        headers = signing.standard(message_id, timestamp=int(time.time()), body=body, keys=[key])
        headers["Content-Type"] = "application/json"
        async with session.post(url, data=body, headers=headers) as answer:
            await answer.read()
            assert answer.status == 200


def message(number: int, urls: list[str], keys: list[bytes]) -> Message:
    told = {"type": "stock.changed", "data": {"in_stock": number, "note": ""}}
    told["data"]["note"] = "x" * (BYTES - len(json.dumps(told)))
    place = number % len(urls)
    return urls[place], f"msg_{number}", keys[place], json.dumps(told).encode()


def main(loop: str, number: str, *urls: str) -> None:
    keys = [signing.key_bytes(signing.new_key()) for _ in urls]
    messages = [message(one, list(urls), keys) for one in range(int(number))]
    print((uvloop.run if loop == "uvloop" else asyncio.run)(post_all(messages)))


def took(loop: str, number: int, urls: list[str]) -> float:
    """The seconds, measured in a process of its own."""
    command = [sys.executable, "-m", "tests.bench.in_memory", loop, str(number), *urls]
    done = subprocess.run(command, env=os.environ, stdout=subprocess.PIPE, text=True, check=True)
    return float(done.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
