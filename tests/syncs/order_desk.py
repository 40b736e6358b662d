"""A Pio that takes orders: it keeps what it was told, answers wrongly when told to, and remembers each call."""

import json
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
import responses
from django.utils import timezone

from apps.orders.models import Fulfillment
from apps.shops.models import Connection
from apps.syncs import handing_over
from apps.syncs.models import OrderFeed
from tests.conftest import PIO
from tests.factories import make_fulfillment, make_handover, make_order, make_product

API = f"{PIO}/api/v1/orders"
DROPPED = requests.ConnectionError("dropped")
type Answer = tuple[int, dict[str, str], str] | Exception


def refusal(status: int, code: str = "", **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return status, named, json.dumps({"code": code, "message": "No."})


@dataclass
class OrderDesk:
    """`orders` as they stand there, by id. `wrong` answers come first, by method; with "*" for any. `bad` ones come
    whenever an order of that number is sent. After `accepted` the answer is lost.
    """

    orders: dict[str, dict[str, Any]] = field(default_factory=dict)
    wrong: dict[str, list[Answer]] = field(default_factory=lambda: defaultdict(list))
    bad: dict[str, Answer] = field(default_factory=dict)
    accepted: int = 0
    calls: list[str] = field(default_factory=list)

    def serve(self, web: responses.RequestsMock) -> None:
        web.add_callback(responses.POST, API, callback=self.answer)
        web.add_callback(responses.GET, API, callback=self.answer)
        for number in range(1, 30):
            web.add_callback(responses.PUT, f"{API}/{number}", callback=self.answer)
            web.add_callback(responses.DELETE, f"{API}/{number}", callback=self.answer)

    def answer(self, request: requests.PreparedRequest) -> Any:
        method = str(request.method)
        self.calls.append(method)
        wrong = self.wrong[method] or self.wrong["*"]
        answer = wrong.pop(0) if wrong else getattr(self, method.lower())(request)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def post(self, request: requests.PreparedRequest) -> Answer:
        told = json.loads(request.body or b"")
        if told["order_number"] in self.bad:
            return self.bad[told["order_number"]]
        if any(told["ext_fulfillment_order_id"] == one["ext_fulfillment_order_id"] for one in self.orders.values()):
            return refusal(400, "order_already_exists")
        number = str(len(self.orders) + 1)
        self.orders[number] = told
        if self.accepted:
            self.accepted -= 1
            return DROPPED
        return 200, {}, json.dumps(told | {"id": int(number)})

    def get(self, request: requests.PreparedRequest) -> Answer:
        [reference] = parse_qs(urlsplit(str(request.url)).query)["ext_fulfillment_order_id"]
        every = [one | {"id": int(number)} for number, one in self.orders.items()]
        found = [one for one in every if one["ext_fulfillment_order_id"] == reference]
        return 200, {}, json.dumps({"data": found})

    def put(self, request: requests.PreparedRequest) -> Answer:
        number = _number(request)
        self.orders[number] |= json.loads(request.body or b"")
        return 200, {}, json.dumps(self.orders[number] | {"id": int(number)})

    def delete(self, request: requests.PreparedRequest) -> Answer:
        del self.orders[_number(request)]
        return 204, {}, ""

    @property
    def references(self) -> list[str]:
        return sorted(one["ext_fulfillment_order_id"] for one in self.orders.values())


def _number(request: requests.PreparedRequest) -> str:
    return str(request.url).rsplit("/", 1)[-1]


def make_owed(warehouse: Connection, *, owes: str = "send", known: bool = True, **fields: Any) -> Fulfillment:
    """Two hats that this warehouse is owed; `known` is whether it was told of hats. `fields` are of the order."""
    if "lines" not in fields:
        hat = make_product(organization=warehouse.organization)
        fields["lines"] = [{"product": hat, "sku": hat.sku, "quantity": 2}]
    if known:
        for line in fields["lines"]:
            make_handover(integration=warehouse.integration, product=line["product"])
    order = make_order(shop=warehouse.shop, **fields)
    location = warehouse.integration.locations.get()
    return make_fulfillment(order=order, location=location, owes=owes, due_at=timezone.now())


def step(fulfillment: Fulfillment, state: str, version: int, *, sent: int = 0, **fields: Any) -> dict[str, Any]:
    """How far Pio is with it; what was `sent` left in one parcel."""
    line = fulfillment.lines.get()
    lines = [{"sku": "HAT", "ext_order_line_item_id": str(line.order_line_id), "quantity": 2, "sent": sent}]
    parcels = [{"id": 7, "version": version, "carrier": "PostNL", "number": "3S1", "lines": lines}] if sent else []
    told = {"id": 9, "order_id": 1, "ext_fulfillment_order_id": str(fulfillment.pk), "state": state}
    return told | {"version": version, "lines": lines, "parcels": parcels, "closed": state == "fulfilled"} | fields


def hand_over(warehouse: Connection) -> bool:
    """A worker's turn."""
    OrderFeed.objects.enlist()
    return handing_over.hand_over(warehouse.integration_id)


def time_passes(**delta: float) -> None:
    """Every wait and lease of hand-overs is that much nearer to its end."""
    for rows, names in ((Fulfillment.objects, ("due_at", "lease_until")), (OrderFeed.objects, WAITS)):
        for row in rows.all():
            moved = {name: getattr(row, name) - timedelta(**delta) for name in names if getattr(row, name)}
            rows.filter(pk=row.pk).update(**moved)


WAITS = ("next_attempt_at", "lease_until")
