"""The whole product as `make demo` runs it, an owner who connects stores in it, and somebody who breaks things."""

import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import psutil
import psycopg
import requests
from redis import Redis

from config.local.child import wait_until
from config.local.compare import Comparison, compare
from config.local.pages import Visitor
from config.local.run import Run
from config.local.walk import connect_a_store

SUMMARIES = "/inventories/v1/summaries"
PATIENCE = 60  # seconds that an import may stand still
LONGEST_IMPORT = 110  # seconds; a little less than the owner waits


@dataclass
class Import:
    """The first import of a store, seen from the database and from the platform's ledger."""

    world: "World"
    store: str
    earlier: list[UUID]
    walk: "Future[str] | None" = None
    visitor: Visitor = field(default_factory=Visitor)

    def row(self) -> dict[str, Any]:
        """The run, or {} before there is one."""
        runs = self.world.query("SELECT row_to_json(run) FROM syncs_syncrun run WHERE id != ALL(%s)", self.earlier)
        return runs[0] if runs else {}

    def pages(self) -> int:
        return self.row().get("pages", 0)

    def asked(self) -> list[str]:
        """The cursor of each page that was asked for since the last look at the ledger was taken away."""
        ledger = self.world.control("GET", "requests").json()["requests"]
        return [entry["query"].get("token", "") for entry in ledger if entry["path"] == SUMMARIES]

    def reaches(self, pages: int) -> None:
        """Waits for so many committed pages. Any standstill ends the drill."""
        self.world.until(lambda: self.pages() >= pages, within=PATIENCE)

    def seconds_to_next_page(self) -> float:
        """How long it stands still from now on. Fails after PATIENCE."""
        began, pages = time.monotonic(), self.pages()
        self.reaches(pages + 1)
        return time.monotonic() - began

    def arrived(self) -> Comparison:
        """What the owner's file of products has, when their page says that it is all there, against the truth."""
        self.world.until(self.walk.done, within=LONGEST_IMPORT)
        ours = self.visitor.download(self.walk.result())
        return compare(ours, self.world.control("GET", f"stores/{self.store}/products").text)


@dataclass
class World:
    run: Run

    def query(self, statement: str, *parameters: Any) -> list[Any]:
        """The first column of the answer."""
        with psycopg.connect(self.run.facts["database_url"]) as database:
            return [row[0] for row in database.execute(statement, parameters).fetchall()]

    def control(self, method: str, path: str, **options: Any) -> requests.Response:
        with requests.Session() as session:
            session.trust_env = False
            url = f"{self.run.facts['sandbox_url']}/_control/{path}"
            answer = session.request(method, url, timeout=60, **options)
        answer.raise_for_status()
        return answer

    def until(self, condition: Callable[[], object], *, within: float, tended: bool = True) -> None:
        """Waits; the supervisor starts again what died, if it is `tended`."""
        looks = {"meanwhile": self.run.tend} if tended else {}
        assert wait_until(condition, within=within, **looks), f"not within {within} seconds; logs in {self.run.state}"

    @contextmanager
    def importing(self, account: str, *, products: int) -> Iterator[Import]:
        """An owner connects the first store of this account, which sells so many products, and watches."""
        store = self._first_store(account)
        self.control("POST", f"stores/{store}/catalogue", json={"products": products})
        self.control("DELETE", "requests")
        shop = Import(self, store, earlier=self.query("SELECT id FROM syncs_syncrun"))
        with ThreadPoolExecutor(max_workers=1) as owner:
            shop.walk = owner.submit(
                connect_a_store,
                shop.visitor,
                self.run.facts["portal_url"],
                owner=self.run.facts["users"]["owner"],
                platform="otter",
                account=self.run.facts["sandbox_users"][account],
                meanwhile=lambda: None,
            )
            yield shop
        shop.visitor.session.close()

    def kill_worker(self) -> int:
        """kill -9 to the worker and its pool, as a machine that runs out of memory does: the process id it had."""
        pid = self.run.children["worker"].pid
        os.killpg(pid, signal.SIGKILL)
        return pid

    def kill_pool(self) -> None:
        """kill -9 to the processes that work for the worker; it survives."""
        for child in psutil.Process(self.run.children["worker"].pid).children():
            child.kill()

    def broker(self) -> Redis:
        return Redis(unix_socket_path=self.run.facts["broker_url"].removeprefix("redis+socket://"))

    def wipe_broker(self) -> None:
        with self.broker() as broker:
            broker.flushall()

    def rings(self) -> int:
        """How many tasks wait in the broker."""
        with self.broker() as broker:
            return broker.llen("celery")

    def _first_store(self, account: str) -> str:
        """The one that the wizard shows first: brands and stores stand there by name."""
        organizations = self.control("GET", "state").json()["organizations"]
        (brands,) = [o["brands"] for o in organizations if o["name"].lower().replace(" ", "-") == account]
        first = min(brands, key=lambda brand: brand["name"])
        return min(first["stores"], key=lambda store: store["name"])["id"]


def repeated(asked: list[str]) -> int:
    """How many requests asked for what had been asked for before."""
    return sum(Counter(asked).values()) - len(set(asked))


def committed(asked: list[str], cursor: str) -> set[str]:
    """The pages before the one that a run goes on with."""
    return set(asked[: asked.index(cursor)])
