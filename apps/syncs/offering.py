"""Which syncs an integration can be asked for (pack.cloud: contracts 4.1, behaviour 40)."""

from collections.abc import Mapping
from dataclasses import dataclass

from apps.api.errors import Problem
from apps.integrations.connectors import Connector, UnknownConnector
from apps.integrations.connectors.base import Category, CountsStock, PullsProducts, TakesProducts, TakesStock
from apps.integrations.connectors.orders import ListsServices, PullsOrders, ReadsSince
from apps.integrations.models import Integration

from .models import SyncRun


@dataclass(frozen=True, slots=True)
class Sync:
    """One sort of sync. `capability` is what a connector must be able to, None while no connector is asked for it.

    `flag` is the field of Integration that switches it off.
    """

    what: str
    categories: frozenset[Category]
    kind: str = ""
    capability: type | None = None
    flag: str = ""


GOODS = frozenset({Category.SHOP, Category.ERP})
SHIPS = frozenset({Category.SHIPPING, Category.LOGISTICS, Category.SHOP})
SYNCS: Mapping[str, Sync] = {
    "orders": Sync("orders", GOODS, SyncRun.Kind.ORDERS, PullsOrders, "order_sync_enabled"),
    "products": Sync("products", GOODS, SyncRun.Kind.PRODUCTS, PullsProducts, "product_sync_enabled"),
    "shipping-services": Sync("shipping services", SHIPS, SyncRun.Kind.SERVICES, ListsServices, "order_sync_enabled"),
    "product-stocks": Sync("product stocks", GOODS, SyncRun.Kind.STOCK, TakesStock, "stock_sync_enabled"),
}

# At a warehouse the same flow the other way: our products go there, its stock comes here.
STORES = frozenset({Category.LOGISTICS})
SYNCS_OF_WAREHOUSES: Mapping[str, Sync] = {
    "products": Sync("products", STORES, SyncRun.Kind.ITEMS, TakesProducts, "product_sync_enabled"),
    "product-stocks": Sync("product stocks", STORES, SyncRun.Kind.COUNT, CountsStock, "stock_sync_enabled"),
}


def sync_of(kind: Connector, code: str) -> Sync:
    """This one of SYNCS, as this sort of integration does it."""
    return SYNCS_OF_WAREHOUSES.get(code, SYNCS[code]) if kind.is_warehouse else SYNCS[code]


def supported(integration: Integration) -> list[str]:
    """The codes of SYNCS it can do, whatever state it is in."""
    return [code for code in SYNCS if not why_not(integration, code)]


def switched_on(integration: Integration) -> list[str]:
    """Those of `supported` that are not switched off; all of them when every one is."""
    able = supported(integration)
    return [code for code in able if getattr(integration, sync_of(integration.kind, code).flag)] or able


def can_begin_at(integration: Integration, code: str) -> bool:
    """Whether this one of SYNCS can be read from any moment on."""
    return code == "orders" and integration.kind.can(ReadsSince)


def can_compare(integration: Integration) -> bool:
    """Whether the other side tells us its stock, so that it can be compared with ours."""
    try:
        return integration.kind.can(CountsStock)
    except UnknownConnector:
        return False


def why_not(integration: Integration, code: str) -> str:
    """Why it cannot do this one of SYNCS; empty when it can."""
    try:
        return _why_not(integration.kind, sync_of(integration.kind, code))
    except UnknownConnector:
        return "The operator has removed its connector."


def _why_not(kind: Connector, sync: Sync) -> str:
    if kind.category not in sync.categories:
        return f"An integration of the category {kind.category.value} has no {sync.what} to sync."
    can = sync.capability is not None and kind.can(sync.capability)
    return "" if can else f"The connector {kind.name} cannot sync {sync.what}."


def check(integration: Integration, code: str) -> None:
    """Whether this one of SYNCS can be asked of it now.

    Raises Problem: sync_not_supported, integration_not_connected, conflict (it is switched off).
    """
    if reason := why_not(integration, code):
        raise Problem("sync_not_supported", reason)
    if not integration.is_connected:
        raise Problem("integration_not_connected")
    sync = sync_of(integration.kind, code)
    if not getattr(integration, sync.flag):
        raise Problem("conflict", f"Its sync of {sync.what} is switched off ({sync.flag}).")
