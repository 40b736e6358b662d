"""A warehouse at the simulated Pio, connected on both sides, and the portal's door that its hooks knock at."""

import json
import time
from dataclasses import dataclass
from queue import Empty, Queue
from typing import Any

from django.test import Client

from apps.catalog.models import Product, StockLevel
from apps.integrations.models import Integration
from apps.integrations.sessions import call
from apps.onboarding import connecting
from apps.shops.models import Connection
from apps.syncs import opening, running
from apps.syncs.models import SyncRun
from apps.webhooks.models import Receipt
from tests.factories import make_actor, make_product, make_run, make_warehouse
from tests.sandbox.driver import Sandbox
from tests.sandbox.pio import driver

EVENTS = ("inventory_levels.update", "inventory_log.create")
API = "/api/v1/"
MOST_TURNS = 20


class Door:
    """Lets the portal answer what a listener hears, in the test's own thread and transaction."""

    def __init__(self, listener: driver.Listener, *, path: str) -> None:
        self.path, self.knocks = path, Queue()
        listener.answer = self._knock

    def _knock(self, message: driver.Message) -> int:
        answer: Queue[int] = Queue()
        self.knocks.put((message, answer))
        return answer.get(timeout=10)

    def answers(self, count: int, *, within: float = 8) -> list[int]:
        """Let so many deliveries in, and nothing after them: what the portal said to each."""
        told, ends = [], time.monotonic() + within
        while len(told) < count and time.monotonic() < ends:
            told += self._let_in(within=0.05)
        return told + self._let_in(within=0.3)

    def _let_in(self, *, within: float) -> list[int]:
        try:
            message, answer = self.knocks.get(timeout=within)
        except Empty:
            return []
        signed = {name: value for name, value in message.headers.items() if name.startswith("x-")}
        response = Client().post(self.path, message.body, content_type="application/json", headers=signed)
        status = response.status_code
        answer.put(status)
        return [status]


@dataclass
class Warehouse:
    shop: driver.Shop
    connection: Connection
    door: Door

    @property
    def sandbox(self) -> Sandbox:
        return self.shop.client.sandbox

    @property
    def integration(self) -> Integration:
        return Integration.objects.get(pk=self.connection.integration_id)

    def products(self) -> list[dict[str, Any]]:
        """What is known there of our products, straight from the sandbox: the truth."""
        rows = map(json.loads, self.sandbox.control("GET", "pio/products").text.splitlines())
        return [row for row in rows if any(mapping["shop"] == self.shop.id for mapping in row["mappings"])]

    def theirs(self) -> dict[str, int]:
        """How many lie there, by SKU."""
        return {row["sku"]: row["in_stock"] for row in self.products() if row["in_stock"]}

    def ours(self) -> dict[str, int]:
        """How many we believe lie there, by SKU."""
        levels = StockLevel.objects.filter(location__integration=self.connection.integration_id)
        return dict(levels.exclude(on_hand=0).values_list("product__sku", "on_hand"))

    def knows_our_products(self) -> None:
        """Checks that it has each of our products once, under our id."""
        own = Product.objects.filter(organization=self.connection.organization)
        told = sorted((row["sku"], mapping["ext_product_id"]) for row in self.products() for mapping in row["mappings"])
        assert told == sorted((sku, str(pk)) for pk, sku in own.values_list("pk", "sku"))

    def move(self, reason: str, sku: str, quantity: int) -> None:
        body = {"product": self.id_of(sku), "quantity": quantity}
        self.sandbox.control("POST", f"pio/{reason}", json=body)

    def id_of(self, sku: str) -> int:
        return next(row["id"] for row in self.products() if row["sku"] == sku)

    def open(self) -> list[tuple[str, str]]:
        """Open what came in: state and error of each receipt, oldest first."""
        opening.open_waiting()
        return list(Receipt.objects.order_by("received_at", "pk").values_list("state", "error"))

    def begin(self, kind: str) -> SyncRun:
        return make_run(connection=self.connection, kind=kind)

    def work_out(self, run: SyncRun) -> SyncRun:
        """The run after as many turns as it takes, without the waits in between; it may be held."""
        for _ in range(MOST_TURNS):
            SyncRun.objects.filter(pk=run.pk, state="queued").update(next_attempt_at=run.created_at)
            running.run(run.pk)
            run = SyncRun.objects.get(pk=run.pk)
            if run.is_finished or run in SyncRun.objects.held():
                return run
        raise AssertionError(f"{run} does not come to an end")

    def do(self, kind: str) -> SyncRun:
        return self.work_out(self.begin(kind))

    def log_in_again(self) -> None:
        """As its owner does: the new token has no shop until the connection is opened again."""
        self.shop.token = self.shop.client.token()
        hand_over(self.shop.token, self.integration)
        self.integration.connect("pio", "Pio")
        connection = Connection.objects.get(pk=self.connection.pk)
        connecting.change_id(connection, connection.ext_shop_id, by=make_actor())


def hand_over(token: str, integration: Integration) -> None:
    integration.credential.secrets = {"access_token": token, "token_type": "bearer"}
    integration.credential.save()


def connected(sandbox: Sandbox, client: driver.Client, listener: driver.Listener, *, products: int) -> Warehouse:
    """A new shop there and a connection to it here, with hooks, and products that it does not know yet."""
    connection = make_warehouse()
    shop = client.shop(ext_shop_id=connection.ext_shop_id)
    hand_over(shop.token, connection.integration)
    door = Door(listener, path=f"/receive/{connection.integration.inbox.token}")
    call(connection.integration, lambda ours: ours.subscribe(connection.ref, listener.url))
    for _ in range(products):
        make_product(organization=connection.organization)
    return Warehouse(shop, connection, door)
