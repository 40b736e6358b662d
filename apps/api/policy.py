"""Who may call what: one table, and the permission that reads it. A route without a row is closed to everybody."""

from dataclasses import dataclass
from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from .errors import Problem, unauthorized
from .principals import Kind, Principal


@dataclass(frozen=True, slots=True)
class Rule:
    """Which kinds of callers, and which grant they need (none when empty). No kinds at all: open to anybody."""

    kinds: frozenset[Kind]
    grant: str = ""

    @property
    def is_open(self) -> bool:
        return not self.kinds


OPEN = Rule(frozenset())
ITSELF = frozenset({Kind.APPLICATION})
DATA = frozenset({Kind.TOKEN, Kind.KEY, Kind.USER_KEY})
KEYS = DATA - {Kind.TOKEN}
DEFINITION = frozenset({Kind.CONNECTOR_KEY, Kind.USER_KEY, Kind.TOKEN})
EVERY_KEY = frozenset({Kind.KEY, Kind.CONNECTOR_KEY, Kind.USER_KEY})
PEOPLE = frozenset({Kind.USER_KEY})

# (route, method): rule. Routes are the names in the apps' api_urls.
POLICY: dict[tuple[str, str], Rule] = {
    ("ping", "GET"): Rule(ITSELF, "ping"),
    # Pio: registering, shops
    ("registration", "POST"): OPEN,
    ("registration-self", "GET"): Rule(ITSELF, "self:read"),
    ("registration-self", "DELETE"): Rule(ITSELF, "self:write"),
    ("shops", "GET"): Rule(DATA, "shops:read"),
    ("shops", "POST"): Rule(DATA - {Kind.USER_KEY}, "shops:write"),
    ("shop", "GET"): Rule(DATA, "shops:read"),
    ("shop", "DELETE"): Rule(DATA, "shops:write"),
    # Pio: products
    ("products", "GET"): Rule(DATA, "products:read"),
    ("products", "POST"): Rule(DATA, "products:write"),
    ("products-bulk", "POST"): Rule(DATA, "products:write"),
    ("product", "GET"): Rule(DATA, "products:read"),
    ("product", "PUT"): Rule(DATA, "products:write"),
    ("product", "DELETE"): Rule(DATA, "products:write"),
    # Pio: orders
    ("orders", "GET"): Rule(DATA, "orders:read"),
    ("orders", "POST"): Rule(DATA, "orders:write"),
    ("orders-bulk", "POST"): Rule(DATA, "orders:write"),
    ("order", "GET"): Rule(DATA, "orders:read"),
    ("order", "PUT"): Rule(DATA, "orders:write"),
    ("order", "DELETE"): Rule(DATA, "orders:write"),
    # What left, for those who sold it; and what a warehouse is to ship, which its integration's key alone takes and
    # reports (behaviour 60: no token changes stock)
    ("fulfillments", "GET"): Rule(DATA, "fulfillments:read"),
    ("fulfillments", "POST"): Rule(frozenset({Kind.KEY}), "fulfillments:write"),
    ("fulfillment", "GET"): Rule(DATA, "fulfillments:read"),
    ("shipments", "GET"): Rule(frozenset({Kind.KEY}), "shipments:read"),
    ("shipment", "GET"): Rule(frozenset({Kind.KEY}), "shipments:read"),
    ("shipment", "PUT"): Rule(frozenset({Kind.KEY}), "shipments:write"),
    ("shipment-reject", "POST"): Rule(frozenset({Kind.KEY}), "shipments:write"),
    # Otter: the organization and its connections
    ("organization", "GET"): Rule(DATA, "organization.read"),
    ("brands", "GET"): Rule(DATA, "organization.read"),
    ("brand", "GET"): Rule(DATA, "organization.read"),
    ("stores", "GET"): Rule(DATA, "organization.read"),
    ("store", "GET"): Rule(DATA, "organization.read"),
    ("connection", "GET"): Rule(DATA - {Kind.USER_KEY}, "organization.service_integration"),
    ("connection", "POST"): Rule(DATA - {Kind.USER_KEY}, "organization.service_integration"),
    ("connection", "DELETE"): Rule(DATA - {Kind.USER_KEY}, "organization.service_integration"),
    # pack.cloud: the integrations of an organization
    ("integrations", "GET"): Rule(DATA, "integrations:read"),
    ("integrations", "POST"): Rule(DATA, "integrations:write"),
    ("integration", "GET"): Rule(DATA, "integrations:read"),
    ("integration", "PUT"): Rule(DATA, "integrations:write"),
    ("integration", "DELETE"): Rule(DATA, "integrations:write"),
    ("integration-settings", "GET"): Rule(DATA, "integrations:read"),
    ("integration-settings", "PUT"): Rule(DATA, "integrations:write"),
    ("integration-revisions", "GET"): Rule(DATA, "integrations:read"),
    ("integration-actions", "GET"): Rule(DATA, "integrations:read"),
    ("integration-action", "POST"): Rule(DATA, "integrations:write"),
    ("integration-sync", "POST"): Rule(DATA, "integrations:write"),
    ("stock-differences", "GET"): Rule(DATA, "integrations:read"),
    ("stock-differences-put-right", "POST"): Rule(PEOPLE, "integrations:write"),
    ("integration-runs", "GET"): Rule(DATA, "integrations:read"),
    ("integration-run", "GET"): Rule(DATA, "integrations:read"),
    ("integration-products", "GET"): Rule(DATA, "products:read"),
    ("integration-product", "GET"): Rule(DATA, "products:read"),
    ("integration-product", "PUT"): Rule(DATA, "products:write"),
    # Pipe17: SKU mappings, of an integration with all its shops: no shop's own token sees or changes them
    ("sku-mapping", "GET"): Rule(KEYS, "integrations:read"),
    ("sku-mapping", "PUT"): Rule(KEYS, "integrations:write"),
    ("sku-mapping-preview", "POST"): Rule(KEYS, "integrations:read"),
    ("sku-mapping-versions", "GET"): Rule(KEYS, "integrations:read"),
    ("sku-mapping-rollback", "POST"): Rule(KEYS, "integrations:write"),
    ("unmatched", "GET"): Rule(KEYS, "products:read"),
    ("unmatched-accept", "POST"): Rule(KEYS, "products:write"),
    # Pipe17: what a shop's shipping method means at a warehouse, with all its shops
    ("shipping-methods", "GET"): Rule(KEYS, "integrations:read"),
    ("shipping-methods", "PUT"): Rule(KEYS, "integrations:write"),
    ("shipping-services", "GET"): Rule(KEYS, "integrations:read"),
    # Pipe17: routing rules, the organization's own
    ("routing-rules", "GET"): Rule(DATA, "orders:read"),
    ("routing-rules", "PUT"): Rule(PEOPLE, "orders:write"),
    # Pipe17: locations, made by the integration that fulfils from them
    ("locations", "GET"): Rule(DATA, "locations:read"),
    ("locations", "POST"): Rule(DATA - {Kind.USER_KEY}, "locations:write"),
    ("location", "GET"): Rule(DATA, "locations:read"),
    ("location", "PUT"): Rule(DATA, "locations:write"),
    # Stock. No token sets any, whatever it was granted (behaviour 60): a warehouse reports with its integration's key.
    ("inventory", "GET"): Rule(DATA, "inventory:read"),
    ("inventory-product", "GET"): Rule(DATA, "inventory:read"),
    ("inventory-ledger", "GET"): Rule(DATA, "inventory:read"),
    ("inventory-reports", "POST"): Rule(frozenset({Kind.KEY}), "inventory:write"),
    # Pio: hooks, and the addresses that they go to
    ("hooks", "GET"): Rule(DATA, "hooks:read"),
    ("hooks", "POST"): Rule(DATA, "hooks:write"),
    ("hook", "GET"): Rule(DATA, "hooks:read"),
    ("hook", "PUT"): Rule(DATA, "hooks:write"),
    ("hook", "DELETE"): Rule(DATA, "hooks:write"),
    ("hook-test", "POST"): Rule(DATA, "hooks:write"),
    ("hook-events", "GET"): Rule(DATA, "hooks:read"),
    ("hook-preview", "POST"): Rule(DATA, "hooks:read"),
    ("endpoints", "GET"): Rule(DATA, "hooks:read"),
    ("endpoint", "GET"): Rule(DATA, "hooks:read"),
    ("endpoint", "PUT"): Rule(DATA, "hooks:write"),
    ("endpoint", "DELETE"): Rule(DATA, "hooks:write"),
    ("endpoint-rotate-secret", "POST"): Rule(DATA, "hooks:write"),
    ("endpoint-pause", "POST"): Rule(DATA, "hooks:write"),
    ("endpoint-resume", "POST"): Rule(DATA, "hooks:write"),
    # What went out and what came in; and Pipe17's events, of an integration with all its shops
    ("deliveries", "GET"): Rule(DATA, "events:read"),
    ("deliveries-replay", "POST"): Rule(DATA, "events:write"),
    ("delivery", "GET"): Rule(DATA, "events:read"),
    ("delivery-replay", "POST"): Rule(DATA, "events:write"),
    ("events", "GET"): Rule(KEYS, "events:read"),
    ("event", "GET"): Rule(KEYS, "events:read"),
    ("event-rerun", "POST"): Rule(KEYS, "events:write"),
    # Pipe17: custom connectors, their integrations and keys. What gives rights away asks for a person's key: an
    # application's consent can be withdrawn, and a key of its making would outlive it.
    ("connectors", "GET"): Rule(DEFINITION, "connectors:read"),
    ("connectors", "POST"): Rule(PEOPLE, "connectors:write"),
    ("connector", "GET"): Rule(DEFINITION, "connectors:read"),
    ("connector", "PUT"): Rule(DEFINITION - {Kind.TOKEN}, "connectors:write"),
    ("connector", "DELETE"): Rule(PEOPLE, "connectors:write"),
    ("custom-integration", "GET"): Rule(DATA, "integrations:read"),
    ("custom-integration-enable", "POST"): Rule(PEOPLE, "integrations:write"),
    ("custom-integration-disable", "POST"): Rule(PEOPLE, "integrations:write"),
    ("configuration", "GET"): Rule(DATA, "integrations:read"),
    ("configuration", "PUT"): Rule(PEOPLE, "integrations:write"),
    ("inbox", "GET"): Rule(KEYS, "integrations:read"),
    ("inbox", "PUT"): Rule(PEOPLE, "integrations:write"),
    ("inbox-rotate-secret", "POST"): Rule(PEOPLE, "integrations:write"),
    ("keys", "GET"): Rule(DATA, "integrations:read"),
    ("keys", "POST"): Rule(PEOPLE, "integrations:write"),
    ("key", "GET"): Rule(DATA, "integrations:read"),
    ("key", "DELETE"): Rule(PEOPLE, "integrations:write"),
    ("key-rotate", "POST"): Rule(PEOPLE, "integrations:write"),
    ("key-self", "GET"): Rule(EVERY_KEY),
    ("key-self-rotate", "POST"): Rule(EVERY_KEY - {Kind.USER_KEY}),
}


def rule_of(request: Request) -> Rule | None:
    """The table's row for this call. HEAD is GET."""
    match = request.resolver_match
    method = "GET" if request.method == "HEAD" else request.method or ""
    return POLICY.get((match.url_name or "", method)) if match else None


class AsThePolicySays(BasePermission):
    """DRF's permission for every route.

    Raises Problem: unauthorized, forbidden, integration_disabled, insufficient_scope.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        rule = rule_of(request)
        if rule is None:
            raise Problem("forbidden", "No rule allows this call.")
        if not rule.is_open:
            _check(request.user, rule)
        return True


def _check(principal: Any, rule: Rule) -> None:
    if not isinstance(principal, Principal):
        raise unauthorized()
    if principal.is_disabled:
        raise Problem("integration_disabled")
    if principal.kind not in rule.kinds:
        raise Problem("forbidden")
    if rule.grant and rule.grant not in principal.grants:
        raise Problem("insufficient_scope", f"This needs the grant {rule.grant}.", headers=_challenge(rule.grant))


def _challenge(grant: str) -> dict[str, str]:
    """RFC 6750, 3.1."""
    return {"WWW-Authenticate": f'Bearer realm="Crossdock", error="insufficient_scope", scope="{grant}"'}
