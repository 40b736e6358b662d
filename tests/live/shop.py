"""The Vendure under test: its processes, and its Admin API as its own dashboard would use it."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests

from config.local.child import Child
from config.local.guard import Guard
from config.local.ports import HOST, port
from config.local.postgres import postgres
from config.local.programs import answers
from config.local.stopping import StopSignals

from .installing import run_to_the_end

USER = "superadmin"
VARIANTS = """query ($skip: Int!) {
  productVariants(options: {skip: $skip, take: 1000, sort: {id: ASC}}) { totalItems items {
    id productId sku name price currencyCode stockOnHand stockAllocated
    featuredAsset { preview } product { featuredAsset { preview } }
} } }"""


@contextmanager
def serving(installed: Path, *, state: Path, guard: Guard, stop: StopSignals) -> Iterator["Shop"]:
    """A Vendure with its sample catalogue in a fresh database, for the block. Raises ChildFailed or Stopped."""
    database, url = postgres(state / "postgres", log=state / "postgres.log", durable=False)
    password, number = secrets.token_urlsafe(16), port("VENDURE_PORT", default=0)
    with guard.running(database):
        env = (
            os.environ
            | environment(url)
            | {
                "SHOP_PORT": str(number),
                "SHOP_PASSWORD": password,
                "SHOP_ASSETS": str(state / "assets"),
            }
        )
        filling = vendure("populate", installed=installed, log=state / "populate.log", env=env)
        run_to_the_end(filling, guard=guard, stop=stop, within=180)
        server = vendure(installed=installed, log=state / "vendure.log", env=env)
        server.ready = lambda: answers(number, "/health")
        with guard.running(server):
            yield Shop(f"http://{HOST}:{number}", password=password, database=url)


def environment(url: str) -> dict[str, str]:
    """What Node's PostgreSQL client needs to know of a DATABASE_URL on a unix socket."""
    parts = urlsplit(url)
    host = dict(parse_qsl(parts.query))["host"]
    return {
        "PGHOST": host,
        "PGUSER": parts.username or "",
        "PGDATABASE": parts.path.lstrip("/"),
        "NODE_ENV": "production",
        "VENDURE_DISABLE_TELEMETRY": "true",
    }


def vendure(*arguments: str, installed: Path, log: Path, env: dict[str, str]) -> Child:
    return Child(name="Vendure", command=["node", "server.js", *arguments], log=log, env=env, cwd=installed)


class Refused(Exception):
    """Vendure did not do what the rehearsal needs."""


class Shop:
    """An administrator's view. Raises Refused."""

    def __init__(self, address: str, *, password: str, database: str) -> None:
        self.address = address
        self.database = database
        self.password = password
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["Authorization"] = f"Bearer {self._log_in()}"
        self.session.cookies.clear()

    def ask(self, document: str, *, channel: str = "", **variables: Any) -> dict[str, Any]:
        headers = {"vendure-token": channel} if channel else {}
        body = {"query": document, "variables": variables}
        answer = self.session.post(f"{self.address}/admin-api", json=body, headers=headers, timeout=30).json()
        if answer.get("errors"):
            raise Refused(answer["errors"])
        return answer["data"]

    def _log_in(self) -> str:
        query = "mutation ($u: String!, $p: String!) { login(username: $u, password: $p) { __typename } }"
        body = {"query": query, "variables": {"u": USER, "p": self.password}}
        response = self.session.post(f"{self.address}/admin-api", json=body, timeout=30)
        return response.headers["vendure-auth-token"]

    def make_key(self) -> str:
        """An API key that may read the settings, and read and update the catalogue and orders, and nothing else."""
        role = self.ask(
            """mutation { createRole(input: {
                code: "logistics", description: "Logistics",
                permissions: [ReadSettings, ReadCatalog, UpdateCatalog, ReadOrder, UpdateOrder]
            }) { id } }"""
        )["createRole"]["id"]
        made = self.ask(
            """mutation ($role: ID!) { createApiKey(input: {
                roleIds: [$role], translations: [{languageCode: en, name: "The 3PL"}]
            }) { apiKey } }""",
            role=role,
        )
        return made["createApiKey"]["apiKey"]

    def variants(self, *, channel: str = "") -> list[dict[str, Any]]:
        """Every variant of a channel."""
        found: list[dict[str, Any]] = []
        while True:
            page = self.ask(VARIANTS, channel=channel, skip=len(found))["productVariants"]
            found += page["items"]
            if len(found) == page["totalItems"]:
                return found
            if not page["items"]:
                raise Refused("Vendure did not list all of its variants.")

    def stock(self, variant: str) -> tuple[int, int]:
        """How many pieces of a variant Vendure has, and how many of them its open orders hold."""
        query = "query ($id: ID!) { productVariant(id: $id) { stockLevels { stockOnHand stockAllocated } } }"
        levels = self.ask(query, id=variant)["productVariant"]["stockLevels"]
        return sum(level["stockOnHand"] for level in levels), sum(level["stockAllocated"] for level in levels)

    def available(self, variant: str) -> int:
        """How many pieces of a variant Vendure says may still be sold."""
        on_hand, allocated = self.stock(variant)
        return on_hand - allocated

    def order(self, number: str) -> dict[str, Any]:
        """An order by its id, as its page in Vendure's dashboard shows it."""
        query = """query ($id: ID!) { order(id: $id) {
            state payments { id } lines { id quantity productVariant { id } }
            fulfillments { state method trackingCode lines { orderLineId quantity } }
        } }"""
        return self.ask(query, id=number)["order"]

    def settle_payment(self, number: str) -> None:
        """The shop takes the money that the customer has authorized."""
        for payment in self.order(number)["payments"]:
            query = "mutation ($id: ID!) { settlePayment(id: $id) { __typename } }"
            settled = self.ask(query, id=payment["id"])["settlePayment"]["__typename"]
            if settled != "Payment":
                raise Refused(settled)

    def channel(self, token: str) -> str:
        """The id of the channel with this token."""
        return self.ask("query { activeChannel { id } }", channel=token)["activeChannel"]["id"]

    def change(self, variant: str, *, price: int, stock: int) -> None:
        self.ask(
            """mutation ($id: ID!, $price: Money!, $stock: Int!) {
                updateProductVariants(input: [{id: $id, price: $price, stockOnHand: $stock}]) { id }
            }""",
            id=variant,
            price=price,
            stock=stock,
        )

    def open_channel(self, code: str, *, seller: str, currency: str, variants: list[str]) -> str:
        """A second seller with a channel of its own that offers some variants at 0.9 of their price; its token."""
        here = self.ask(
            """query {
                activeChannel { defaultTaxZone { id } defaultShippingZone { id } } stockLocations { items { id } }
            }"""
        )
        owner = self.ask("mutation ($n: String!) { createSeller(input: {name: $n}) { id } }", n=seller)
        made = self.ask(
            """mutation ($input: CreateChannelInput!) {
                createChannel(input: $input) { ... on Channel { id token } }
            }""",
            input={
                "code": code,
                "token": f"{code}-{secrets.token_hex(8)}",
                "sellerId": owner["createSeller"]["id"],
                "defaultLanguageCode": "en",
                "pricesIncludeTax": False,
                "defaultCurrencyCode": currency,
                "availableCurrencyCodes": [currency],
                "defaultTaxZoneId": here["activeChannel"]["defaultTaxZone"]["id"],
                "defaultShippingZoneId": here["activeChannel"]["defaultShippingZone"]["id"],
            },
        )["createChannel"]
        self.ask(
            """mutation ($id: ID!, $variants: [ID!]!, $places: [ID!]!) {
                assignStockLocationsToChannel(input: {channelId: $id, stockLocationIds: $places}) { id }
                assignProductVariantsToChannel(
                    input: {channelId: $id, productVariantIds: $variants, priceFactor: 0.9}
                ) { id }
            }""",
            id=made["id"],
            variants=variants,
            places=[place["id"] for place in here["stockLocations"]["items"]],
        )
        return made["token"]
