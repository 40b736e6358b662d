"""The scopes that Otter publishes, and what each kind of grant may ask for."""

CONSENT = {
    "organization.read": "See your organization, its brands and its stores",
    "organization.service_integration": "Connect and disconnect your stores",
}
MACHINE = frozenset(
    [
        *("ping", "catalog", "stores.manage", "store.read", "callback.error.write"),
        *("orders.create", "orders.read", "orders.update", "direct.orders", "delivery.provider"),
        *("menus.async_job.read", "menus.entity_suspension", "menus.get_current", "menus.publish", "menus.read"),
        *("menus.upsert", "menus.upsert_hours"),
        *("manager.menus", "manager.orders", "manager.storefront", "manager.loyalty"),
        *("storefront.store_pause_unpause", "storefront.store_availability"),
        *("storefront.store_hours_configuration", "finance", "reports.generate_report", "reviews.reply"),
    ]
)


def within(requested: str, allowed: frozenset[str] | dict | set[str]) -> bool:
    """Whether the space-separated scopes are at least one and all allowed."""
    names = requested.split()
    return bool(names) and set(names) <= set(allowed)
