"""A thousand changes of one SKU in a second: how often its platform is told, and whether the last number is right.

The platform is a server of this process that speaks as much of Vendure's Admin API as telling stock takes; it is called
over HTTP, by the loop that beat and the workers run.
"""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from django.conf import settings
from django.db import connection

from apps.catalog import owing, stocking
from apps.catalog.models import StockFeed
from apps.integrations.connectors.vendure import client as graphql
from apps.shops.models import Connection
from apps.syncs import publishing
from tests.factories import make_connection, make_integration, make_level, make_listing, make_product

from .figures import Figure
from .tables import empty

CHANGES, AT_ONCE, SECONDS = 1_000, 25, 1.0  # in all; in a transaction, as a warehouse reports them; in this time
MOST_TOLD = 5
AFTERWARDS = 3.0  # seconds after the last change
LOOK_EVERY = 0.05
BY = stocking.By("operator", "bench@foo-3pl.example")


class Platform(BaseHTTPRequestHandler):
    """Knows the stock of every variant, and counts how often it was told."""

    stock: dict[str, int]
    told: int

    def do_POST(self) -> None:
        question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        answer = json.dumps({"data": self.answer(question["query"], question["variables"])}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def answer(self, query: str, asked: dict[str, Any]) -> dict[str, Any]:
        if query == graphql.CHANNEL:
            return {"channel": {"id": "1", "code": "x", "token": "t", "seller": {"id": "1", "name": "Seller"}}}
        if query == graphql.STOCK:
            return {"globalSettings": {"trackInventory": True}, "productVariants": {"items": [item(asked["ids"][0])]}}
        kind = type(self)
        kind.told += 1
        for change in asked["input"]:
            kind.stock[change["id"]] = change["stockLevels"][0]["stockOnHand"]
        return {"updateProductVariants": [{"id": change["id"]} for change in asked["input"]]}

    def log_message(self, *words: Any) -> None:
        pass


def item(variant: str) -> dict[str, Any]:
    level = {"stockLocationId": "1", "stockOnHand": Platform.stock.get(variant, -1), "stockAllocated": 0}
    return {"id": variant, "trackInventory": "TRUE", "stockLevels": [level]}


@contextmanager
def serving() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Platform)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings.EGRESS_ALLOWED_HOSTS = [*settings.EGRESS_ALLOWED_HOSTS, "127.0.0.1"]
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def rounds(rows: int) -> Iterator[list[Figure]]:
    with serving() as address:
        while True:
            empty()
            Platform.stock, Platform.told = {}, 0
            store = connected_store(address)
            product = make_product(organization=store.organization)
            make_listing(shop=store.shop, product=product, ext_variant_id="7")
            level = make_level(product=product, on_hand=0)
            owing.enlist(store.shop)
            tell_until_quiet(store)
            Platform.told = 0
            took = change_while_telling(store, product.pk, level.location_id)
            assert Platform.stock["7"] == CHANGES, f"the platform was told {Platform.stock}"
            print(f"{CHANGES} changes in {took:.1f} s, told {Platform.told} times", flush=True)
            yield [
                Figure("joining", f"updates for {CHANGES:,} changes of a SKU", Platform.told, MOST_TOLD, at_most=True)
            ]


def connected_store(address: str) -> Connection:
    integration = make_integration(connector="vendure", settings={"address": address}, secrets={"api_key": "key"})
    return make_connection(integration=integration)


def tell_until_quiet(store: Connection) -> None:
    until = time.monotonic() + AFTERWARDS
    while time.monotonic() < until:
        tell(store)
        time.sleep(LOOK_EVERY)


def tell(store: Connection) -> None:
    """What a worker does when beat or a change has rung for the shop."""
    for shop in StockFeed.objects.due().filter(shop=store.shop_id).values_list("shop", flat=True):
        publishing.tell(shop)


def change_while_telling(store: Connection, product: int, location: Any) -> float:
    """One piece more, a thousand times, evenly over a second if the machine is fast enough; how long it took."""
    done = threading.Event()
    teller = threading.Thread(target=telling, args=(store, done))
    teller.start()
    began = time.monotonic()
    for number in range(0, CHANGES, AT_ONCE):
        time.sleep(max(0.0, began + number * SECONDS / CHANGES - time.monotonic()))
        stocking.change(store.organization, [stocking.Change(product, location, on_hand=1)] * AT_ONCE, by=BY)
    took = time.monotonic() - began
    time.sleep(AFTERWARDS)
    done.set()
    teller.join()
    return took


def telling(store: Connection, done: threading.Event) -> None:
    while not done.is_set():
        tell(store)
        time.sleep(LOOK_EVERY)
    connection.close()
