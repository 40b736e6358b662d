"""Orders at the API, one a request and 500 a request: held against one bare statement and against plain DRF.

All three are served by the same gunicorn, from the same tables; one of them has a million orders, the other none. The
calls come over two connections that stay open. Ours carry a shop's token and an Idempotency-Key, are validated, and
leave events, an audit entry and the answer for whoever asks again.
"""

import json
import os
import socket
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

from django.db import connection
from django.utils import timezone

from apps.shops.models import Shop
from config.local.child import Child
from config.local.ports import HOST
from config.local.ports import port as checked_port
from config.local.programs import CHECKOUT, answers
from tests.factories import make_access_token, make_authorization, make_partner_integration, make_shop

from .figures import Figure, seconds
from .measuring import database

CONNECTIONS = 2
CALLS = 1_500  # a round, of each
BULK, BULK_CALLS = 500, 10
GROWN = 1_000_000
number = count(1)


def rounds(rows: int) -> Iterator[list[Figure]]:
    token, grown = shop_token(), f"{connection.settings_dict['NAME']}_grown"
    connection.close()
    with database("postgres"):
        connection.cursor().execute(f"CREATE DATABASE {grown} TEMPLATE bench_orders")
    with database(grown):
        grow(GROWN)
    with ExitStack() as rooms:
        empty = rooms.enter_context(server())
        with database(grown):
            full = rooms.enter_context(server())
        for _ in range(2):  # the first calls plan statements, and load what is loaded late
            round_of(empty, full, token, calls=50)
        while True:
            yield round_of(empty, full, token, calls=CALLS)


def round_of(empty: int, full: int, token: str, *, calls: int) -> list[Figure]:
    """In turn, each three times a round, so that whatever else the machine does meets all of them."""
    took = {name: 0.0 for name in ("bare", "plain", "ours", "grown", "limit", "bulk")}
    for _ in range(3):
        took["bare"] += seconds(call, empty, "/bench/bare", single(""), calls // 3)
        took["ours"] += seconds(call, empty, "/api/v1/orders", single(token), calls // 3)
        took["grown"] += seconds(call, full, "/api/v1/orders", single(token), calls // 3)
        took["plain"] += seconds(call, empty, "/bench/plain", single(""), calls // 6) * 2
    took["limit"] = seconds(call, empty, "/bench/bare", bulk(""), BULK_CALLS)
    took["bulk"] = seconds(call, empty, "/api/v1/orders/bulk", bulk(token), BULK_CALLS)
    return [
        Figure("orders", "a bare view of one statement", took["bare"] / took["ours"], goal=0.6),
        Figure("orders", "a plain ModelSerializer create", took["plain"] / took["ours"], goal=2.5),
        Figure("orders", "with a million there / with none", took["ours"] / took["grown"], goal=0.9),
        Figure("orders in bulk", "one statement for 500", took["limit"] / took["bulk"], goal=0.5),
    ]


def shop_token() -> str:
    """Of the one shop there is."""
    authorization = make_authorization(integration=make_partner_integration(), is_lasting=True)
    make_shop(integration=authorization.integration, authorization=authorization)
    return make_access_token(authorization=authorization, expires=timezone.now() + timedelta(days=1))


def grow(orders: int) -> None:
    """So many orders that are over, with two lines each, of the shop."""
    shop = Shop.objects.get()
    names = {"organization": shop.organization_id, "integration": shop.integration_id, "shop": shop.pk, "n": orders}
    with connection.cursor() as cursor:
        for statement in (ORDERS, LINES, "VACUUM (ANALYZE) orders_order", "VACUUM (ANALYZE) orders_orderline"):
            cursor.execute(statement, names if "%(" in statement else None)


ORDERS = """
INSERT INTO orders_order (
    id, organization_id, integration_id, shop_id, ext_order_id, ext_fulfillment_order_id, number, source, state, tags,
    notes, shipping_method, destination, customer, email, currency, digest, due_at
)
SELECT gen_random_uuid(), %(organization)s, %(integration)s, %(shop)s, 'old-' || n, '', '#' || n, 'api', 'fulfilled',
       '{}', '', '', '{"city": "Delft", "country": "NL"}', '{}', n || '@example.com', 'EUR', '', NULL
FROM generate_series(1, %(n)s) AS n
"""
LINES = """
INSERT INTO orders_orderline (
    organization_id, order_id, position, ext_line_id, sku, name, ext_product_id, ext_variant_id, quantity
)
SELECT organization_id, id, position, position, 'SKU-' || position, '', '', '', 1
FROM orders_order CROSS JOIN generate_series(0, 1) AS position
"""


@contextmanager
def server(application: str = "tests.bench.serving", **environment: str) -> Iterator[int]:
    """gunicorn as `make demo` has it, in the database of this moment: its port."""
    port = checked_port("", default=0)
    options = ["--worker-class=gthread", "--threads=8", "--keep-alive=75", "--no-control-socket"]
    options += [f"--bind={HOST}:{port}"]
    command = [sys.executable, "-m", "gunicorn", *options, application]
    with tempfile.TemporaryDirectory() as folder:
        child = Child(
            name="web",
            command=command,
            log=Path(folder) / "log",
            env=os.environ | {"ALLOWED_HOSTS": HOST} | environment,
            cwd=CHECKOUT,
        )
        child.ready = lambda: answers(port, "/healthz")
        child.start()
        try:
            child.wait_until_ready(within=60)
            yield port
        finally:
            child.bury()


def single(token: str) -> Iterator[tuple[str, bytes]]:
    """Headers and body of one call after the other."""
    while True:
        one = next(number)
        headers = f"Authorization: Bearer {token}\r\nIdempotency-Key: key-{one}\r\n" if token else ""
        yield headers, json.dumps(order(one)).encode()


def bulk(token: str) -> Iterator[tuple[str, bytes]]:
    while True:
        headers = f"Authorization: Bearer {token}\r\nIdempotency-Key: key-{next(number)}\r\n" if token else ""
        yield headers, json.dumps({"orders": [order(next(number)) for _ in range(BULK)]}).encode()


def order(one: int) -> dict[str, Any]:
    return {
        "ext_order_id": f"order-{one}",
        "number": f"#{one}",
        "currency": "EUR",
        "total": "29.70",
        "destination": {
            "first_name": "Ann", "last_name": "de Vries", "address1": "Main 1", "city": "Delft", "zip": "2611 AA",
            "country": "NL",
        },
        "lines": [{"sku": f"SKU-{n}", "quantity": 1 + n, "ext_line_id": str(n), "price": "9.90"} for n in range(3)],
    }  # fmt: skip


def call(port: int, path: str, bodies: Iterator[tuple[str, bytes]], times: int) -> None:
    """So many calls over a few connections. They are made beforehand: it is the server that is measured."""
    each = times // CONNECTIONS
    made = [[request(path, *next(bodies)) for _ in range(each)] for _ in range(CONNECTIONS)]
    with ThreadPoolExecutor(max_workers=CONNECTIONS) as pool:
        for done in [pool.submit(talk, port, requests) for requests in made]:
            done.result()


def request(path: str, headers: str, body: bytes) -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json\r\n"
    return f"{head}{headers}Content-Length: {len(body)}\r\n\r\n".encode() + body


def talk(port: int, requests: list[bytes]) -> None:
    with socket.create_connection((HOST, port)) as wire:
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for one in requests:
            wire.sendall(one)
            read_answer(wire)


def read_answer(wire: socket.socket) -> None:
    """Reads one answer to its end. Whoever is told no has measured nothing."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += wire.recv(65_536) or hung_up(data)
    head, _, rest = data.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200"), data[:2_000]
    [length] = [int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")]
    while len(rest) < length:
        rest += wire.recv(65_536) or hung_up(data)


def hung_up(data: bytes) -> bytes:
    raise ConnectionError(f"The server hung up after {data[:500]!r}")
