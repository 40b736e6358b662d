"""Who reports stock: each row of each call is one event. A call is sent until somebody says that it is there."""

import random
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import requests

from tests.crash.customers import LONGEST_TRY, waits

ROWS = 25  # of a call
ACKNOWLEDGED = {"applied", "unchanged"}  # the second of a call that was sent again

type Fact = tuple[str, str, int]  # at this location of this SKU lie so many


@dataclass
class Warehouse:
    """Counts every SKU at every location again and again, and each time there is one piece more.

    `acknowledged` are the facts that were taken; `refusals` what was answered to those that were not.
    """

    api: str
    key: str
    locations: list[str]
    skus: list[str]
    size: int
    seed: int
    acknowledged: set[Fact] = field(default_factory=set)
    refusals: dict[Fact, str] = field(default_factory=dict)
    again: int = 0
    lock: Any = field(default_factory=Lock)
    ended: list[Future[None]] = field(default_factory=list)

    @property
    def counts(self) -> int:
        """How often each level is counted, so that there are `size` events or a few more."""
        return -(-self.size // (len(self.locations) * len(self.skus)))

    @property
    def events(self) -> int:
        return self.counts * len(self.locations) * len(self.skus)

    @property
    def progress(self) -> float:
        return (len(self.acknowledged) + len(self.refusals)) / self.events

    @property
    def is_done(self) -> bool:
        return all(one.done() for one in self.ended)

    @contextmanager
    def reporting(self) -> Iterator[None]:
        """Somebody at each location."""
        with ThreadPoolExecutor(max_workers=len(self.locations)) as people:
            self.ended = [people.submit(self._report_all, location) for location in self.locations]
            yield
            for one in self.ended:
                one.result()

    def _report_all(self, location: str) -> None:
        with requests.Session() as session:
            session.trust_env = False
            session.headers["X-Api-Key"] = self.key
            for pieces in range(1, self.counts + 1):
                for first in range(0, len(self.skus), ROWS):
                    self._report(session, [(location, sku, pieces) for sku in self.skus[first : first + ROWS]])

    def _report(self, session: requests.Session, facts: list[Fact]) -> None:
        """Every second call carries a key of its own; the others are known by their version alone."""
        chance = random.Random(f"{self.seed} {facts}")
        headers = {"Idempotency-Key": str(chance.getrandbits(64))} if chance.random() < 0.5 else {}
        for pause in waits(chance):
            if self._send(session, facts, headers):
                return
            self.again += 1
            time.sleep(pause)

    def _send(self, session: requests.Session, facts: list[Fact], headers: dict[str, str]) -> bool:
        """Whether this is settled now."""
        address, body = f"{self.api}/v1/inventory/reports", report(facts)
        try:
            answer = session.post(address, json=body, headers=headers, timeout=LONGEST_TRY)
        except requests.RequestException:
            return False
        if answer.status_code in (409, 429) or answer.status_code >= 500:
            return False
        with self.lock:
            self._note(facts, answer)
        return True

    def _note(self, facts: list[Fact], answer: requests.Response) -> None:
        if answer.status_code != 200:
            self.refusals |= dict.fromkeys(facts, answer.text[:300])
            return
        for fact, row in zip(facts, answer.json()["results"], strict=True):
            if row["result"] in ACKNOWLEDGED:
                self.acknowledged.add(fact)
            else:
                self.refusals[fact] = str(row)


def report(facts: list[Fact]) -> dict[str, Any]:
    """The same for the same facts, whenever it is sent."""
    location, _, pieces = facts[0]
    rows = [{"sku": sku, "on_hand": on_hand} for _, sku, on_hand in facts]
    return {"location_id": location, "style": "snapshot", "version": pieces, "rows": rows}
