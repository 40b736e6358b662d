"""Those who buy: each order is sent until somebody says that it is there, as any careful client does."""

import random
import time
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from threading import Lock
from typing import Any

import requests

AT_ONCE = 12
LONGEST_TRY = 15  # seconds that one call may take before it is sent again
LONGEST_WAIT = 2.0  # seconds between two tries


@dataclass(frozen=True)
class Shop:
    """Where orders are sent to, with a shop's own token."""

    address: str
    token: str


@dataclass
class Customers:
    """`acknowledged` is each order's id by its own number; `tries` counts all calls that were made for it."""

    shops: list[Shop]
    skus: list[str]
    size: int
    seed: int
    acknowledged: dict[str, str] = field(default_factory=dict)
    contradictions: list[str] = field(default_factory=list)
    refusals: dict[str, str] = field(default_factory=dict)
    tries: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    lock: Any = field(default_factory=Lock)
    numbers: Iterator[int] = field(default_factory=lambda: count(1))
    ended: int = 0

    @property
    def progress(self) -> float:
        return self.ended / self.size

    @property
    def are_done(self) -> bool:
        return self.ended >= self.size

    @contextmanager
    def buying(self) -> Iterator[None]:
        with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
            everybody = [pool.submit(self._buy_on) for _ in range(AT_ONCE)]
            yield
            for one in everybody:
                one.result()

    def _buy_on(self) -> None:
        with requests.Session() as session:
            session.trust_env = False
            while (number := self._next()) is not None:
                try:
                    self._buy(session, number)
                finally:
                    with self.lock:
                        self.ended += 1

    def _next(self) -> int | None:
        with self.lock:
            number = next(self.numbers)
            return number if number <= self.size else None

    def _buy(self, session: requests.Session, number: int) -> None:
        """Send one order until it is acknowledged. Every second carries a key; the others have their own ids alone."""
        chance = random.Random(f"{self.seed} {number}")
        shop, name = self.shops[number % len(self.shops)], f"order-{number}"
        headers = {"Authorization": f"Bearer {shop.token}"}
        if number % 2:
            headers["Idempotency-Key"] = f"{self.seed}-{number}"
        for pause in waits(chance):
            self.tries[name] += 1
            if self._send(session, shop, headers, name):
                break
            time.sleep(pause)
        if name in self.acknowledged and chance.random() < 0.1:  # whoever did not hear the answer sends it once more
            self._send(session, shop, headers, name)

    def _send(self, session: requests.Session, shop: Shop, headers: dict[str, str], name: str) -> bool:
        """Whether this is settled now."""
        body = order(name, skus=self.skus)
        try:
            answer = session.post(f"{shop.address}/v1/orders", json=body, headers=headers, timeout=LONGEST_TRY)
        except requests.RequestException:
            return False
        return self._note(name, answer)

    def _note(self, name: str, answer: requests.Response) -> bool:
        """Whether it is acknowledged by this answer: made, made before, or there already."""
        body = answer.json() if answer.headers.get("Content-Type", "").endswith("json") else {}
        if answer.status_code == 200:
            with self.lock:
                if self.acknowledged.setdefault(name, body["id"]) not in (body["id"], "there"):
                    self.contradictions.append(name)
                self.acknowledged[name] = body["id"]
            return True
        if answer.status_code == 400 and body.get("code") == "order_already_exists":
            with self.lock:
                self.acknowledged.setdefault(name, "there")
            return True
        if 400 <= answer.status_code < 500 and answer.status_code not in (409, 429):
            with self.lock:
                self.refusals[name] = answer.text[:300]
            return True
        return False


def waits(chance: random.Random) -> Iterator[float]:
    """Seconds between tries, for ever: a client does not give up an order."""
    pause = 0.05
    while True:
        yield pause * chance.uniform(0.5, 1)
        pause = min(pause * 2, LONGEST_WAIT)


def order(name: str, *, skus: list[str]) -> dict[str, Any]:
    """The same for the same name, whenever it is sent."""
    bought = random.Random(name).sample(skus, 3)
    return {
        "ext_order_id": name,
        "number": f"#{name}",
        "lines": [{"sku": sku, "quantity": 1, "ext_line_id": str(n), "price": "9.90"} for n, sku in enumerate(bought)],
        "destination": {"last_name": "de Vries", "address1": "Main 1", "city": "Delft", "zip": "2611", "country": "NL"},
        "currency": "EUR",
        "total": "29.70",
    }
