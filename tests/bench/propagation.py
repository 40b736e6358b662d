"""From a warehouse's report over HTTP to the signed message at its receiver, a hundred times a second.

Each report counts one SKU, and its number is never used again: by that it is found in the message. Both moments are of
one clock. The peers are asked in turns with ours, of an organization in which nobody asked to hear of stock.
"""

import json
import os
import socket
import statistics
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import count
from pathlib import Path

from django.db import connection

from apps.catalog.models import Location, Product
from apps.webhooks.models import Hook
from config.local.ports import HOST
from config.local.testing import private_broker
from tests.factories import (
    make_custom_integration,
    make_endpoint,
    make_hook,
    make_key,
    make_location,
    make_signing_secret,
)

from . import mail_room, orders, posting, sink
from .figures import Figure

A_SECOND, SECONDS, TURNS = 100, 2, 3  # calls; of one turn; of each in a round
CONNECTIONS, SKUS = 16, 200
IDLE_SECONDS = 10
PEERS = {name: f"/bench/{name}" for name in ("direct", "queued", "celery")}
OURS = "/api/v1/inventory/reports"
pieces = count(1)


def rounds(rows: int) -> Iterator[list[Figure]]:
    with ExitStack() as rooms:
        receiver = rooms.enter_context(sink.running())
        broker = rooms.enter_context(private_broker())
        hearing, peers = warehouse(), warehouse()
        hear(hearing, receiver.url("noted", "ours"))
        hook = hear(peers, receiver.url("noted", "peers"), event="order.created")  # which the peers fill by themselves
        [process] = rooms.enter_context(mail_room.dispatchers(1))
        rooms.enter_context(posting.worker(broker))
        told = {"PEERS_POST_TO": receiver.url("noted", "peers"), "PEERS_HOOK": str(hook.pk)}
        environment = {"BROKER_URL": broker, "WEB_CONCURRENCY": "2"} | told
        port = rooms.enter_context(orders.server("tests.bench.serving_stock", **environment))
        calls = {"ours": (OURS, hearing)} | {name: (path, peers) for name, path in PEERS.items()}
        round_of(receiver, port, calls)  # the first calls load what is loaded late, and fill tables that were empty
        with connection.cursor() as cursor:
            cursor.execute(
                "ANALYZE"
            )  # as autovacuum does within its minute: plans made for empty tables read all of them
        while True:
            yield [*round_of(receiver, port, calls), idle(process)]


def warehouse() -> tuple[str, Location]:
    """One that reports stock with a key of its own: the key, and its location."""
    integration = make_custom_integration(org_wide_access=True)
    location = make_location(integration=integration)
    own = {"organization": integration.organization}
    Product.objects.bulk_create(Product(**own, sku=f"SKU-{one}", name=f"Hat {one}") for one in range(SKUS))
    return make_key(integration=integration), location


def hear(warehouse: tuple[str, Location], address: str, *, event: str = "stock.changed") -> Hook:
    endpoint = make_endpoint(organization=warehouse[1].organization, url=address)
    make_signing_secret(endpoint=endpoint)
    return make_hook(endpoint=endpoint, event=event)


def round_of(receiver: sink.Sink, port: int, calls: dict[str, tuple[str, tuple[str, Location]]]) -> list[Figure]:
    waits: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(TURNS):
        for name, (path, caller) in calls.items():
            waits[name] += latencies(receiver, port, path, caller)
    half, most = ({name: quantile(found, at) for name, found in waits.items()} for at in (50, 99))
    told = {name: f"{half[name] * 1000:.1f}/{most[name] * 1000:.1f}" for name in calls}
    print(f"milliseconds, half and 99 of 100 within: {told}", flush=True)
    return [
        Figure("propagation", "p50 / update, then post", half["ours"] / half["direct"], goal=2, at_most=True),
        Figure(
            "propagation", "p99 / a Celery task, with its row", most["ours"] / most["celery"], goal=0.5, at_most=True
        ),
        Figure(
            "propagation", "p99 / one that writes nothing down", most["ours"] / most["queued"], goal=1, at_most=True
        ),
    ]


def quantile(found: list[float], at: int) -> float:
    return statistics.quantiles(found, n=100)[at - 1]


def latencies(receiver: sink.Sink, port: int, path: str, caller: tuple[str, Location]) -> list[float]:
    """The seconds of each of one turn's reports, from its sending to the arrival of the message."""
    receiver.forget()
    sent = report(port, path, caller)
    receiver.wait_for(len(sent), "noted", within=30)
    came: dict[int, float] = {}
    for moment, body in receiver.noted():
        came.setdefault(json.loads(body)["data"]["in_stock"], moment)
    return [came[number] - moment for number, moment in sent.items()]


def report(port: int, path: str, caller: tuple[str, Location]) -> dict[int, float]:
    """Evenly spaced calls, over connections that take turns: when each was sent, by its number of pieces."""
    began = time.monotonic() + 0.2
    planned = [(next(pieces), began + nth / A_SECOND) for nth in range(A_SECOND * SECONDS)]
    with ThreadPoolExecutor(max_workers=CONNECTIONS) as pool:
        parts = [planned[nth::CONNECTIONS] for nth in range(CONNECTIONS)]
        sent = pool.map(lambda part: talk(port, path, caller, part), parts)
    return {number: moment for part in sent for number, moment in part}


def talk(
    port: int, path: str, caller: tuple[str, Location], planned: list[tuple[int, float]]
) -> list[tuple[int, float]]:
    sent = []
    with socket.create_connection((HOST, port)) as wire:
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for number, moment in planned:
            request = orders.request(path, f"X-Api-Key: {caller[0]}\r\n", body(number, caller[1]))
            time.sleep(max(0.0, moment - time.monotonic()))
            sent.append((number, time.monotonic()))
            wire.sendall(request)
            orders.read_answer(wire)
    return sent


def body(number: int, location: Location) -> bytes:
    row = {"sku": f"SKU-{number % SKUS}", "on_hand": number}
    return json.dumps({"location_id": str(location.pk), "style": "snapshot", "rows": [row]}).encode()


def idle(process: int) -> Figure:
    """What a dispatcher costs that has nothing to do, in percent of a core."""
    before = worked(process)
    time.sleep(IDLE_SECONDS)
    percent = (worked(process) - before) / IDLE_SECONDS * 100
    return Figure("propagation", "percent of a core, when idle", percent, goal=1, at_most=True)


def worked(process: int) -> float:
    """Seconds of processor time so far."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
