"""A Vendure that sells: it lists the orders a test places, keeps what it is told of parcels, and errs when told to."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import requests
import responses

from apps.integrations.connectors.vendure import client as graphql
from tests.factories import make_connection, make_integration

from ..integrations.connectors.vendure.conftest import ADDRESS, ENDPOINT, recorded

type Answer = tuple[int, dict[str, str], str]
TEMPLATE = recorded("orders")["data"]["orders"]["items"][0]
LATER = "2099-01-01T00:00:00.000Z"  # placed after whenever a test reads first


@dataclass
class Selling:
    """`orders` by id. `wrong` answers come first, once each, by document; `meanwhile` is called before each answer.

    Of what is in `lost`, the next one is done and its answer never arrives.
    """

    orders: dict[str, dict[str, Any]] = field(default_factory=dict)
    wrong: dict[str, list[Answer | Exception]] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)
    meanwhile: Callable[[str], None] = lambda document: None
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def serve(self, web: responses.RequestsMock) -> None:
        web.add_callback(responses.POST, ENDPOINT, callback=self.answer)

    def place(self, *ids: str, **fields: Any) -> None:
        """Orders of two laptops and a tablet, paid, as recorded; placed in the order of their ids."""
        for id in ids:
            lines = [line | {"id": f"{id}-{n}"} for n, line in enumerate(TEMPLATE["lines"])]
            own = {"id": id, "code": f"CODE-{id}", "lines": lines, "orderPlacedAt": LATER, "fulfillments": []}
            self.orders[id] = TEMPLATE | own | fields

    def answer(self, request: requests.PreparedRequest) -> Answer:
        question = json.loads(request.body)
        document, variables = question["query"], question["variables"]
        self.asked.append((document, variables))
        self.meanwhile(document)
        if self.wrong.get(document):
            answer = self.wrong[document].pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer
        data = self.data(document, variables)
        if document in self.lost:
            self.lost.remove(document)
            raise requests.ConnectionError("the answer is lost")
        return 200, {}, json.dumps({"data": data})

    def data(self, document: str, variables: dict[str, Any]) -> dict[str, Any]:
        match document:
            case graphql.CHANNEL:
                return recorded("channel")["data"]
            case graphql.ORDERS:
                settings = {"serverConfig": {"moneyStrategyPrecision": 2}}
                return {"globalSettings": settings, "orders": {"items": self.listed(**variables)}}
            case graphql.FULFILLMENTS:
                return {"order": self.orders.get(variables["id"])}
            case graphql.FULFIL:
                return {"addFulfillmentToOrder": self.fulfil(variables["input"])}
            case graphql.SHIP:
                return {"transitionFulfillmentToState": self.ship(variables["id"])}
        raise AssertionError(document)

    def listed(self, *, filter: dict[str, Any], skip: int, take: int) -> list[dict[str, Any]]:
        found = [order for order in self.orders.values() if order["state"] not in filter["state"]["notIn"]]
        if "id" in filter:
            found = [order for order in found if order["id"] in filter["id"]["in"]]
        else:
            found = [order for order in found if order["orderPlacedAt"] > filter["orderPlacedAt"]["after"]]
        return sorted(found, key=lambda order: order["orderPlacedAt"])[skip : skip + take]

    def fulfil(self, wanted: dict[str, Any]) -> dict[str, Any]:
        pieces = {line["orderLineId"]: line["quantity"] for line in wanted["lines"]}
        [order] = [order for order in self.orders.values() if pieces.keys() <= {line["id"] for line in order["lines"]}]
        arguments = {argument["name"]: argument["value"] for argument in wanted["handler"]["arguments"]}
        made = {"id": f"f{len(order['fulfillments']) + 1}-{order['id']}", "state": "Pending", "lines": wanted["lines"]}
        order["fulfillments"].append(made | arguments)
        return {"__typename": "Fulfillment", "id": made["id"], "state": "Pending"}

    def ship(self, id: str) -> dict[str, Any]:
        for order in self.orders.values():
            for fulfillment in order["fulfillments"]:
                if fulfillment["id"] == id:
                    fulfillment["state"] = "Shipped"
        return {"__typename": "Fulfillment", "id": id}

    def times(self, document: str) -> int:
        """How often it was asked this."""
        return [asked for asked, _ in self.asked].count(document)


def make_store(**fields: Any) -> Any:
    """A connected store of that Vendure."""
    secrets = {"api_key": "a-key"}
    integration = make_integration(connector="vendure", settings={"address": ADDRESS}, secrets=secrets, **fields)
    return make_connection(integration=integration)
