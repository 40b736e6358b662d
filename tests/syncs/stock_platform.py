"""A platform that is told stock: it keeps what it was told, answers wrongly when told to, and remembers each call."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import requests
import responses

from apps.catalog.models import Listing
from apps.integrations.connectors.vendure import client as graphql
from apps.shops.models import Connection
from tests.factories import make_connection, make_integration, make_listing, make_product

ADDRESS = "https://shop.example.com"
TOO_LARGE = 10_000  # the number at which it refuses a whole call, as it takes all of one or nothing
type Answer = tuple[int, dict[str, str], str]


@dataclass
class StockPlatform:
    """Every variant's stock as it was told last. `wrong` answers come first; `meanwhile` runs before each telling."""

    stock: dict[str, int] = field(default_factory=dict)
    wrong: list[Answer | Exception] = field(default_factory=list)
    missing: set[str] = field(default_factory=set)
    tellings: list[dict[str, int]] = field(default_factory=list)
    meanwhile: Callable[[], Any] = lambda: None

    def serve(self, web: responses.RequestsMock) -> None:
        web.add_callback(responses.POST, f"{ADDRESS}/admin-api", callback=self.answer)

    def answer(self, request: requests.PreparedRequest) -> Answer:
        if self.wrong:
            answer = self.wrong.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer
        question = json.loads(request.body)
        if question["query"] == graphql.CHANNEL:
            return _data(channel={"id": "1", "code": "x", "token": "t", "seller": {"id": "1", "name": "Seller"}})
        if question["query"] == graphql.STOCK:
            found = [self._item(one) for one in question["variables"]["ids"] if one not in self.missing]
            return _data(globalSettings={"trackInventory": True}, productVariants={"items": found})
        self.meanwhile()
        return self._change(question["variables"]["input"])

    def _item(self, variant: str) -> dict[str, Any]:
        levels = [{"stockLocationId": "1", "stockOnHand": self.stock.get(variant, -1), "stockAllocated": 0}]
        return {"id": variant, "trackInventory": "TRUE", "stockLevels": levels}

    def _change(self, changes: list[dict[str, Any]]) -> Answer:
        told = {change["id"]: change["stockLevels"][0]["stockOnHand"] for change in changes}
        if max(told.values()) >= TOO_LARGE:
            return 200, {}, json.dumps({"errors": [{"message": "no", "extensions": {"code": "USER_INPUT_ERROR"}}]})
        self.tellings.append(told)
        self.stock |= told
        return _data(updateProductVariants=[{"id": change["id"]} for change in changes])


def _data(**data: Any) -> Answer:
    return 200, {}, json.dumps({"data": data})


def refusal(status: int, **headers: str) -> Answer:
    return status, {name.replace("_", "-"): value for name, value in headers.items()}, "{}"


def make_stock_connection(**fields: Any) -> Connection:
    """A store of that platform."""
    if "integration" not in fields:
        organization = fields.pop("organization", None)
        fields["integration"] = make_integration(
            connector="vendure", organization=organization, settings={"address": ADDRESS}, secrets={"api_key": "a-key"}
        )
    return make_connection(**fields)


def make_variant(connection: Connection, variant: str, **fields: Any) -> Listing:
    """A listing under that variant's id, of a product that nobody has counted yet."""
    product = fields.pop("product", None) or make_product(organization=connection.organization)
    return make_listing(shop=connection.shop, product=product, ext_variant_id=variant, **fields)
