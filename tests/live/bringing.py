"""The round trip: bought at Vendure, picked at the port of the simulated Pio, and shipped as Vendure itself says."""

import time
from collections.abc import Callable
from typing import Any

import psycopg
from playwright.sync_api import Page, expect

from config.local.run import Run

from .buyer import PAYMENT, SHIPPING, Buyer
from .ledger import Checks, say
from .owner import Owner
from .shop import Shop
from .warehouse import until_available

STORED, BOUGHT = 12, 2
SERVICE = "Standard (2 to 4 days)"
TRACKING = "3SXDOCK000042"
WITHIN = 60.0  # seconds for each leg of the way
OURS = "SELECT state, count(*) OVER () FROM orders_order WHERE number = %s"


def bring(shop: Shop, *, owner: Owner, run: Run, checks: Checks) -> dict[str, float]:
    """One order, from its customer to its parcel, and the stock that is left. How long its ways took, in seconds."""
    variant = shop.variants()[4]
    port = Port(owner.page, address=run.facts["pio_port_url"])
    warehouse = owner.connect_warehouse(**run.facts["pio_users"]["admin"])
    port.store(variant["sku"], STORED)
    until_available(shop, variant["id"], STORED)
    checks.equal("what lies at the warehouse is what Vendure sells", shop.available(variant["id"]), STORED)
    owner.map_shipping(SHIPPING, service=SERVICE)
    order = Buyer(shop.address).buy({variant["id"]: BOUGHT}, payment=PAYMENT)
    shop.settle_payment(order["id"])
    began = time.monotonic()
    said = owner.release(order["code"])
    arrived = time.monotonic() - began
    checks.equal("the order is held, so that its shop may still change it", "On hold" in said, True)
    picked = port.send(order["code"], carrier="PostNL", tracking=TRACKING)
    checks.equal("its picker sees what to pick", f"{BOUGHT} × {variant['sku']}" in picked, True)
    told = wait(lambda: shop.order(order["id"])["state"] == "Shipped")
    compare(shop, order, variant, run=run, checks=checks)
    history = owner.history(order["code"])
    checks.equal("its page tells the whole way", [word for word in WAY if word not in history], [])
    checks.equal("at the warehouse are as many as are left", port.pieces(variant["sku"]), STORED - BOUGHT)
    owner.pause(warehouse)
    say(f"  the order arrived after {arrived:.1f} s, its parcel was told after {told:.1f} s")
    return {"order_arrived_after": round(arrived, 1), "parcel_told_after": round(told, 1)}


WAY = ["Shipped", TRACKING, "PostNL"]


def compare(shop: Shop, order: dict[str, str], variant: dict[str, Any], *, run: Run, checks: Checks) -> None:
    """What Vendure's Admin API says in the end, and what the portal does."""
    found = shop.order(order["id"])
    parcels = [
        (parcel["state"], parcel["trackingCode"], parcel["method"].split(" ")[0], parcel["lines"])
        for parcel in found["fulfillments"]
    ]
    lines = [{"orderLineId": found["lines"][0]["id"], "quantity": BOUGHT}]
    expected = ("Shipped", [("Shipped", TRACKING, "PostNL", lines)])
    checks.equal("Vendure shows the order fulfilled, with its tracking, once", (found["state"], parcels), expected)
    wait(lambda: shop.stock(variant["id"]) == (STORED - BOUGHT, 0))
    checks.equal("… and the new stock", shop.stock(variant["id"]), (STORED - BOUGHT, 0))
    with psycopg.connect(run.facts["database_url"]) as database:
        ours = database.execute(OURS, [order["code"]]).fetchall()
    checks.equal("the portal has the order once, and shipped", ours, [("fulfilled", 1)])


def wait(is_so: Callable[[], bool]) -> float:
    """Seconds until it is so, WITHIN at most."""
    began = time.monotonic()
    while not is_so() and time.monotonic() - began < WITHIN:
        time.sleep(0.2)
    return time.monotonic() - began


class Port:
    """The simulator's pages for people of the warehouse; whoever agreed for it is signed in."""

    def __init__(self, page: Page, *, address: str) -> None:
        self.page = page
        self.address = address

    def store(self, sku: str, pieces: int) -> None:
        """As soon as the warehouse has been told of the product."""
        self._open(sku)
        self.page.get_by_label("Pieces").fill(str(pieces))
        self.page.get_by_role("button", name="Store", exact=True).click()
        expect(self.page.get_by_text(f"{pieces} in stock")).to_be_visible()

    def pieces(self, sku: str) -> int:
        """How many lie there."""
        self._open(sku)
        return int(self.page.get_by_text(" in stock, ").inner_text().split(" in stock")[0].split()[-1])

    def send(self, number: str, *, carrier: str, tracking: str) -> str:
        """Waits for the order, picks all of it, and sends it. What the list said of it."""
        link = self._until(f"{self.address}orders/", number)
        said = self.page.get_by_role("row").filter(has=link).inner_text()
        link.click()
        self.page.get_by_role("button", name="Start picking").click()
        self.page.get_by_label("Carrier").fill(carrier)
        self.page.get_by_label("Tracking number").fill(tracking)
        self.page.get_by_role("button", name="Send, and nothing follows").click()
        expect(self.page.get_by_text("closed")).to_be_visible()
        return said

    def _open(self, sku: str) -> None:
        row = self.page.get_by_role("row").filter(has_text=sku)
        self._until(f"{self.address}?q={sku}", sku, found=lambda: row.get_by_role("link"))
        row.get_by_role("link").click()

    def _until(self, address: str, name: str, *, found: Callable[[], Any] | None = None) -> Any:
        """The link of this name, once the page shows it."""
        link = found() if found else self.page.get_by_role("link", name=name)
        for _ in range(int(WITHIN)):
            self.page.goto(address)
            if link.count():
                return link
            self.page.wait_for_timeout(1000)
        raise AssertionError(f"{address} did not show {name}.")
