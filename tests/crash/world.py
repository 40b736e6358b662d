"""What the customers meet: shops with tokens of their own, and one warehouse that has what they buy."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg
import requests

from config.local.child import ChildFailed, wait_until
from config.local.programs import CHECKOUT
from config.local.run import Run

from .customers import Shop

PATIENCE = 180.0  # seconds that the work may stand still: longer than any lease a killed process leaves behind
READY = "SELECT count(*) FROM catalog_stocklevel WHERE on_hand > 0"
SENT = "SELECT count(*) FROM orders_fulfillment WHERE remote_id <> ''"


@dataclass
class World:
    run: Run
    shops: list[Shop]
    skus: list[str]
    database: str
    _sent: int = 0
    _looked: float = 0.0

    @classmethod
    def made(cls, run: Run) -> "World":
        """In a run that serves. Its warehouse knows the products, and we know its stock, by the portal's own syncs."""
        facts = run.facts
        command = [sys.executable, "-m", "tests.bench.inside", "tests.crash.making", facts["sandbox_url"]]
        done = subprocess.run(command, env=run.env, cwd=CHECKOUT, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ChildFailed(f"There are no shops: {done.stderr[-2000:]}")
        told = json.loads(done.stdout.splitlines()[-1])
        shops = [Shop(facts["api_url"], token) for token in told["tokens"]]
        world = cls(run, shops, told["skus"], facts["database_url"])
        world._stock()
        return world

    def _stock(self) -> None:
        """A million pieces of each product lie there, and the portal has heard of it."""
        self._until(lambda: len(self._products()) == len(self.skus), "the warehouse knows the products")
        for product in self._products():
            body = {"product": product["id"], "quantity": 1_000_000}
            self._control("POST", "pio/store", json=body)
        self._until(lambda: self._count(READY) == len(self.skus), "we know what lies there")

    def _until(self, condition: Callable[[], bool], what: str) -> None:
        if not wait_until(condition, within=PATIENCE, meanwhile=self.run.tend):
            raise ChildFailed(f"{PATIENCE:.0f} seconds, and it is not so yet: {what}.")

    def settle(self, orders: int, *, tend: Callable[[int], None], say: Callable[[str], None]) -> None:
        """Wait until so many orders are at the warehouse, or the work stands still for too long."""
        best, since, began = -1, time.monotonic(), time.monotonic()
        while (sent := self.sent()) < orders and time.monotonic() - since < PATIENCE:
            if sent > best:
                best, since = sent, time.monotonic()
            tend(sent)
            time.sleep(0.02)
        say(f"{sent} of {orders} are at the warehouse {time.monotonic() - began:.0f} s later.")

    def sent(self) -> int:
        """How many orders the warehouse has, as of a second ago."""
        if time.monotonic() - self._looked > 1:
            self._sent, self._looked = self._count(SENT), time.monotonic()
        return self._sent

    def orders(self) -> list[str]:
        """The shops' own name of every order we have."""
        return self._query("SELECT ext_order_id FROM orders_order")

    def events(self) -> list[str]:
        """That of every order of which partners are told."""
        return self._query(
            """SELECT o.ext_order_id FROM webhooks_event e JOIN orders_order o ON o.id::text = e.entity_id
               WHERE e.type = 'order.created'"""
        )

    def at_the_warehouse(self) -> list[str]:
        """That of every order the warehouse ever took, by its own ledger."""
        rows = map(json.loads, self._control("GET", "pio/orders").text.splitlines())
        return [row["ext_order_id"] for row in rows]

    def _products(self) -> list[dict[str, Any]]:
        rows = map(json.loads, self._control("GET", "pio/products").text.splitlines())
        return [row for row in rows if row["sku"] in self.skus]

    def _control(self, method: str, path: str, **options: Any) -> requests.Response:
        with requests.Session() as session:
            session.trust_env = False
            url = f"{self.run.facts['sandbox_url']}/_control/{path}"
            answer = session.request(method, url, timeout=60, **options)
        answer.raise_for_status()
        return answer

    def _count(self, statement: str) -> int:
        """Zero while the database cannot be asked."""
        return self._query(statement)[0] or 0

    def _query(self, statement: str) -> list[Any]:
        """The first column of the answer; [None] while the database cannot be asked."""
        try:
            with psycopg.connect(self.database, connect_timeout=2) as database:
                return [row[0] for row in database.execute(statement).fetchall()]  # type: ignore[arg-type]
        except psycopg.OperationalError:
            return [None]
