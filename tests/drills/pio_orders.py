"""Orders that are owed to a warehouse at the simulated Pio, and what has become of them on both sides."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import connection

from apps.catalog.models import Product
from apps.orders.models import Fulfillment, Order
from apps.syncs import handing_over, opening
from tests.factories import make_fulfillment, make_order
from tests.sandbox.pio.driver import becomes
from tests.syncs.order_desk import time_passes

from .pio import MOST_TURNS, Warehouse

TURN = """
import sys, django
django.setup()
from apps.syncs import handing_over
handing_over.due()
handing_over.hand_over(sys.argv[1])
"""


@dataclass
class Orders:
    """Some orders of one piece each, and their fulfilments at this warehouse."""

    pio: Warehouse
    owed: list[Fulfillment]

    @property
    def references(self) -> list[str]:
        return [str(one.pk) for one in self.owed]

    def there(self) -> list[str]:
        """Our reference of every order that Pio ever accepted of ours, straight from its ledger; oldest first."""
        rows = map(json.loads, self.pio.sandbox.control("GET", "pio/orders").text.splitlines())
        return [row["ext_fulfillment_order_id"] for row in rows if row["ext_fulfillment_order_id"] in self.references]

    def here(self) -> list[str]:
        """The state of each fulfilment."""
        return [Fulfillment.objects.get(pk=one.pk).state for one in self.owed]

    def states(self) -> set[str]:
        """The states that the orders are in."""
        return set(Order.objects.filter(fulfillments__in=self.owed).values_list("state", flat=True))

    def turn(self) -> None:
        """A worker's turn at whatever is due."""
        for integration in handing_over.due():
            handing_over.hand_over(integration)

    def work_out(self) -> None:
        """As many turns as it takes, without the waits in between; until nothing is owed, or somebody has to help."""
        for _ in range(MOST_TURNS):
            self.turn()
            time_passes(hours=2)
            if not handing_over.due():
                return
        raise AssertionError(f"still owed: {list(Fulfillment.objects.exclude(owes='').values('error', 'tries'))}")

    def at_port(self, deed: str, one: Fulfillment, **details: Any) -> None:
        """Somebody there does this with one of them, once Pio has prepared it."""
        prepared = becomes(lambda: self._prepared(one))
        self.pio.shop.at_port(deed, prepared, **details)

    def _prepared(self, one: Fulfillment) -> dict[str, Any] | None:
        own = self.pio.shop.fulfillments()
        return next((found for found in own if found["ext_fulfillment_order_id"] == str(one.pk)), None)

    def prepared(self) -> None:
        """Waits until Pio has prepared them all, and has told so."""
        for one in self.owed:
            becomes(lambda: self._prepared(one))  # noqa: B023 - called at once
        self.hear()

    def pick_all(self) -> None:
        for one in self.owed:
            self.at_port("start", one)
            self.at_port("send", one, carrier="PostNL", number=f"3S-{one.pk}")

    def hear(self) -> None:
        """Let in whatever Pio has to tell, and open it."""
        while any(told["state"] == "waiting" for told in self.pio.shop.deliveries()):
            self.pio.door.answers(1, within=0.5)
        self.pio.door.answers(0)
        opening.open_waiting()

    @contextmanager
    def worker(self) -> Iterator[subprocess.Popen[bytes]]:
        """Another process that has its turn."""
        place = settings.CONNECTOR_ENVIRONMENT["pio"]
        database = connection.settings_dict
        url = f"postgresql://{database['USER']}@/{database['NAME']}?host={database['HOST']}"
        named = {f"PIO_{name}": value for name, value in place.items()} | {"DATABASE_URL": url}
        command = [sys.executable, "-c", TURN, str(self.pio.connection.integration_id)]
        environment = os.environ | named | {"DJANGO_SETTINGS_MODULE": "config.settings"}
        with subprocess.Popen(command, env=environment) as process:
            try:
                yield process
            finally:
                process.kill()


def owed_to(pio: Warehouse, *, count: int = 3) -> Orders:
    """So many orders, each of one piece of another product."""
    products = Product.objects.filter(organization=pio.connection.organization).order_by("pk")[:count]
    location = pio.integration.locations.get()
    owed = [_owed(pio, product, location) for product in products]
    return Orders(pio, owed)


def _owed(pio: Warehouse, product: Product, location: Any) -> Fulfillment:
    line = {"sku": product.sku, "product": product, "quantity": 1}
    order = make_order(shop=pio.connection.shop, lines=[line], release_at=pio.connection.connected_at)
    return make_fulfillment(order=order, location=location, owes="send", due_at=pio.connection.connected_at)
