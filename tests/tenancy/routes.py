"""Every route of the API, read from the resolver: a new one is in every test of this folder by itself."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from apps.api.errors import no_such_address
from apps.api.policy import POLICY, Rule
from apps.api.routes import Operations

from .world import World

# Addresses below /api/ that show the same to everybody, and hold no data.
PAGES = {"docs", "errors", "openapi"}
PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")

type Ids = dict[str, Any]


@dataclass(frozen=True)
class Route:
    """One method of one address; `path` is as in urls.py."""

    name: str
    method: str
    path: str

    @property
    def rule(self) -> Rule:
        return POLICY[self.name, self.method]

    @property
    def parameters(self) -> list[str]:
        return PARAMETER.findall(self.path)

    def address(self, ids: Ids) -> str:
        return "/api/" + PARAMETER.sub(lambda found: str(ids[found[1]]), self.path)

    def __str__(self) -> str:
        return f"{self.method} {self.name}"


def _patterns(found: Any, path: str = "") -> Iterator[tuple[str, URLPattern]]:
    for pattern in found:
        here = path + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _patterns(pattern.url_patterns, here)
        else:
            yield here, pattern


def _routes() -> Iterator[Route]:
    roots = [root for root in get_resolver().url_patterns if str(root.pattern) == "api/"]
    for path, pattern in _patterns(roots):
        view = getattr(pattern.callback, "cls", None)
        if view and issubclass(view, Operations):
            for method in ("get", "post", "put", "patch", "delete"):
                if hasattr(view, method):
                    yield Route(pattern.name or path, method.upper(), path.removeprefix("api/"))
        elif pattern.name not in PAGES and pattern.callback is not no_such_address:
            raise AssertionError(f"{path} is no operation: what may it show to whom?")


ROUTES = list(_routes())
BY_NAME = {str(route): route for route in ROUTES}

# What stands for a parameter of an address, in a world, for the integration that the caller calls for.
IDS: dict[str, Callable[[World, str], Any]] = {
    "organization_id": lambda world, side: world.organization.pk,
    "brand_id": lambda world, side: world.brand.pk,
    "store_id": lambda world, side: world.store.pk,
    "shop_id": lambda world, side: world.rows[f"{side}_shop"].pk,
    "integration_id": lambda world, side: world.rows[side].pk,
    "run_id": lambda world, side: world.rows[f"{side}_run"].pk,
    "product_id": lambda world, side: world.rows[f"{side}_listing"].product_id,
    "integration_product_id": lambda world, side: world.rows[f"{side}_listing"].pk,
    "location_id": lambda world, side: world.rows[f"{side}_location"].pk,
    "order_id": lambda world, side: world.rows[f"{side}_order"].pk,
    "fulfillment_id": lambda world, side: world.rows[f"{side}_fulfillment"].pk,
    "shipment_id": lambda world, side: world.rows[f"{side}_fulfillment"].pk,
    "hook_id": lambda world, side: world.rows[f"{side}_hook"].pk,
    "endpoint_id": lambda world, side: world.rows[f"{side}_hook"].endpoint_id,
    "delivery_id": lambda world, side: world.rows[f"{side}_delivery"].pk,
    "event_id": lambda world, side: f"out_{world.rows[f'{side}_delivery'].pk}",
    "key": lambda world, side: world.custom_key.pk,
}
NO_ROW = 2**60  # as the number of a row
WORDS = {"code": "pause", "what": "products"}  # parameters that name no row


def ids(route: Route, world: World, side: str) -> Ids:
    """The values of the route's parameters. KeyError: say in IDS what a new parameter stands for."""
    rows = IDS | {"pk": _pk_of(route)}
    return {name: WORDS[name] if name in WORDS else rows[name](world, side) for name in route.parameters}


def _pk_of(route: Route) -> Callable[[World, str], Any]:
    if route.name.startswith("connector"):
        return lambda world, side: world.rows[side].partner_id
    return lambda world, side: world.rows[side].pk


def unknown_ids(route: Route, own: Ids) -> Iterator[Ids]:
    """The address with one id, or all, that nothing has."""
    yield from crossed(route, own, {name: NO_ROW if isinstance(found, int) else uuid4() for name, found in own.items()})


def crossed(route: Route, own: Ids, foreign: Ids) -> Iterator[Ids]:
    """The address with each id, and then with all, exchanged for those of another organization."""
    rows = [name for name in route.parameters if name not in WORDS]
    for name in rows:
        yield own | {name: foreign[name]}
    if len(rows) > 1:
        yield own | {name: foreign[name] for name in rows}


def _yesterday() -> str:
    return (timezone.now() - timedelta(days=1)).isoformat()


NEW_PRODUCT = {"ext_product_id": "new", "sku": "NEW", "name": "New"}
NEW_ORDER = {"ext_order_id": "new", "lines": [{"sku": "NEW", "quantity": 1}]}
# Bodies that do something. {name} is of the world; what is not here is called with {}.
BODIES: dict[str, Callable[[World, str], Any]] = {
    "POST registration": lambda world, side: {
        "name": "New", "email": "dev@new.example", "callback_url": "https://new.example/callback"
    },
    "POST shops": lambda world, side: {"name": "New", "ext_shop_id": "new"},
    "POST connection": lambda world, side: {"storeId": "new"},
    "POST integrations": lambda world, side: {"name": "New", "connector_id": str(world.custom.partner_id)},
    "PUT integration": lambda world, side: {"name": "New"},
    "PUT integration-settings": lambda world, side: {},
    "POST connectors": lambda world, side: {"name": "New"},
    "POST products": lambda world, side: NEW_PRODUCT,
    "POST products-bulk": lambda world, side: {"products": [NEW_PRODUCT]},
    "PUT product": lambda world, side: {"name": "New"},
    "POST orders": lambda world, side: NEW_ORDER,
    "POST orders-bulk": lambda world, side: {"orders": [NEW_ORDER]},
    "PUT order": lambda world, side: {"notes": "New"},
    "POST fulfillments": lambda world, side: {
        "shipment_id": str(world.rows[f"{side}_fulfillment"].pk), "ext_fulfillment_id": "new"
    },
    "PUT shipment": lambda world, side: {"status": "sent"},
    "POST shipment-reject": lambda world, side: {"reason": "new"},
    "PUT integration-product": lambda world, side: {"stock_sync_enabled": False},
    "POST locations": lambda world, side: {"ext_location_id": "new", "name": "New"},
    "PUT location": lambda world, side: {"name": "New"},
    "PUT sku-mapping": lambda world, side: {"based_on": 0, "pairs": [["A", "B"]]},
    "PUT routing-rules": lambda world, side: {"rules": [{"name": "New", "kind": "block", "tags": ["new"]}]},
    "PUT shipping-methods": lambda world, side: {"pairs": [["Express", "DHL"]], "fallback": "POST"},
    "POST sku-mapping-preview": lambda world, side: {"pairs": [["A", "B"]]},
    "POST sku-mapping-rollback": lambda world, side: {"version": 0},
    "POST unmatched-accept": lambda world, side: {"matches": [{"sku": "UNKNOWN", "product_id": 1}]},
    "POST stock-differences-put-right": lambda world, side: {"product_ids": [1]},
    "POST inventory-reports": lambda world, side: {
        "location_id": str(world.rows[f"{side}_location"].pk), "style": "incremental",
        "rows": [{"sku": world.rows[f"{side}_listing"].sku, "change": 1}],
    },
    "POST hooks": lambda world, side: {"event": "order.created", "target_url": "https://1.1.1.1/new"},
    "PUT hook": lambda world, side: {"filter": [{"field": "sku", "value": "NEW"}]},
    "POST hook-preview": lambda world, side: {"event": "product.created"},
    "PUT endpoint": lambda world, side: {"name": "New", "headers": {"X-New": "1"}},
    "POST endpoint-resume": lambda world, side: {"choice": "all"},
    "POST deliveries-replay": lambda world, side: {"since": _yesterday(), "dry_run": True},
    "PUT connector": lambda world, side: {"version": 1, "name": "New"},
    "PUT inbox": lambda world, side: {"scheme": "standard"},
    "POST inbox-rotate-secret": lambda world, side: {"overlapSeconds": 60},
    "POST keys": lambda world, side: {"name": "New"},
    "POST key-rotate": lambda world, side: {"overlapSeconds": 60},
    "POST key-self-rotate": lambda world, side: {"overlapSeconds": 60},
}  # fmt: skip


def send(
    route: Route, address: str, *, headers: dict[str, str], body: Any = None, browser: Client | None = None
) -> HttpResponse:
    """One call, with a browser's cookies when it has some."""
    data = "" if route.method == "GET" else json.dumps({} if body is None else body)
    return (browser or Client()).generic(route.method, address, data, content_type="application/json", headers=headers)


def body_of(route: Route, world: World, side: str) -> Any:
    return BODIES.get(str(route), lambda world, side: {})(world, side)


def code_of(answer: HttpResponse) -> str:
    """The code of a refusal; empty for success."""
    return answer.json()["code"] if answer.status_code >= 400 else ""
