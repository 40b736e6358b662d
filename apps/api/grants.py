"""What a caller may be allowed: the same strings are OAuth scopes and the grants of API keys."""

from typing import Any

from django.utils.translation import gettext_lazy as _

ENTITIES: dict[str, tuple[Any, Any]] = {
    "connectors": (_("See its own connectors"), _("Make and change its own connectors")),
    "events": (_("See what happened"), _("Have events sent again")),
    "fulfillments": (_("See what was picked and shipped"), _("Report what was picked and shipped")),
    "hooks": (_("See which notices it gets"), _("Choose which notices it gets")),
    "integrations": (_("See which integrations you have"), _("Make, change and stop integrations")),
    "inventory": (_("See your stock"), _("Report stock at its own locations")),
    "locations": (_("See where your goods lie"), _("Add and change its own locations")),
    "orders": (_("See your orders"), _("Add, change and cancel orders")),
    "products": (_("See your products"), _("Add and change products")),
    "shipments": (_("See what is to be shipped"), _("Take over what is to be shipped")),
    "shops": (_("See its shops"), _("Add and close shops")),
}
# Otter's published scopes (contracts 3.1); the other side of our own wizard.
ORGANIZATION: dict[str, Any] = {
    "organization.read": _("See the name of your organization, its brands and its stores"),
    "organization.service_integration": _("Connect your stores to itself, and disconnect them"),
}
# What an application may do about itself, with its client credentials; no organization has a say in it.
ITSELF: dict[str, Any] = {
    "ping": _("See whether we answer"),
    "self:read": _("See its own registration"),
    "self:write": _("End its own registration"),
}
READS: dict[str, Any] = {f"{entity}:read": words[0] for entity, words in ENTITIES.items()}
WRITES: dict[str, Any] = {f"{entity}:write": words[1] for entity, words in ENTITIES.items()}
GRANTS: dict[str, Any] = READS | WRITES
CONSENTED: dict[str, Any] = ORGANIZATION | GRANTS  # what an organization can consent to
SCOPES: dict[str, Any] = CONSENTED | ITSELF


def _pair(*entities: str) -> tuple[str, ...]:
    return tuple(f"{entity}:{verb}" for entity in entities for verb in ("read", "write"))


# What a connector of each category usually needs (Pipe17, contracts 2.1). A warehouse sees no orders, only what it is
# to ship.
RECOMMENDED: dict[str, tuple[str, ...]] = {
    "shop": (*_pair("shops", "products", "orders", "hooks"), "inventory:read", "fulfillments:read"),
    "logistics": (
        *_pair("locations", "inventory", "shipments", "fulfillments", "hooks"),
        "products:read",
    ),
    "shipping": (*_pair("shipments", "hooks"), "fulfillments:read"),
    "payment": ("orders:read", *_pair("hooks")),
    "erp": (*_pair("products", "hooks"), "orders:read", "inventory:read", "fulfillments:read", "locations:read"),
}


def unknown(grants: list[str]) -> list[str]:
    """Those of the list that no key or integration can be given."""
    return [grant for grant in grants if grant not in CONSENTED]
