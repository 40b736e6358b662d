"""Who calls in the fuzzing, and what there is for them to find."""

import random
from dataclasses import dataclass, field
from typing import Any

from apps.accounts.models import Organization, Role
from apps.api import limits
from apps.integrations.models import ApiKey, Integration
from apps.shops.models import Shop
from tests.api.conftest import basic, bearer
from tests.factories import (
    make_access_token,
    make_authorization,
    make_connection,
    make_connector_key,
    make_custom_integration,
    make_key,
    make_listing,
    make_location,
    make_member,
    make_order,
    make_organization,
    make_partner,
    make_partner_integration,
    make_run,
    make_shop,
    make_store,
)

MANY = limits.Rate(1_000_000, 1_000_000)


def lift_limits() -> None:
    """In this process: what is measured here is not how much, but what is answered."""
    for name in ("CALLS", "CALLS_OF_A_SHOP", "FAILURES", "REGISTRATIONS"):
        setattr(limits, name, MANY)


@dataclass
class World:
    """A caller of one kind, in an organization of its own with one of everything. Renewed when it ended itself."""

    kind: str
    chance: random.Random = field(default_factory=lambda: random.Random(3))
    headers: dict[str, str] = field(default_factory=dict)
    ids: dict[str, list[str]] = field(default_factory=dict)

    def renew(self) -> None:
        organization = make_organization(name="Great Hats")
        custom = make_custom_integration(organization=organization, org_wide_access=self.kind == "org_wide_key")
        partner = make_partner_integration(organization=organization)
        self.headers = self._headers(organization, custom=custom, partner=partner)
        self.ids = _ids(organization, custom=custom, partner=partner)

    def _headers(self, organization: Organization, *, custom: Integration, partner: Integration) -> dict[str, str]:
        consent = make_authorization(integration=partner)
        match self.kind:
            case "anonymous":
                return {}
            case "application":
                return basic(make_partner().application.client_id)
            case "connector_key":
                return bearer(make_connector_key(integration=custom))
            case "user_key":
                return bearer(make_key(user=make_member(organization=organization, role=Role.ADMIN)))
            case "key" | "org_wide_key":
                return bearer(make_key(integration=custom))
            case "shop":
                make_shop(integration=partner, authorization=consent)
        return bearer(make_access_token(authorization=consent))

    def pick(self, name: str) -> str | None:
        """An id that this parameter may have here: mostly the caller's own, sometimes a stranger's, or none."""
        known = self.ids.get(name)
        return self.chance.choice(known) if known and self.chance.random() < 0.8 else None


def _ids(organization: Organization, *, custom: Integration, partner: Integration) -> dict[str, list[str]]:
    """Good values of path parameters, by their names."""
    connection = make_connection(integration=custom)
    run = make_run(connection=connection)
    free = make_store(brand=connection.brand)
    key = ApiKey.objects.filter(integration=custom).first() or _spare(custom)
    theirs = Shop.objects.exclude(authorization=None).filter(integration=partner).first()
    listings = [make_listing(shop=shop) for shop in (connection.shop, theirs) if shop]
    rows = {
        "organization_id": [organization],
        "integration_id": [custom, partner],
        "brand_id": [connection.brand],
        "store_id": [connection.store, free],
        "shop_id": [connection.shop, make_shop(integration=partner)],
        "run_id": [run],
        "key": [key],
        "product_id": [listing.product for listing in listings],
        "integration_product_id": listings,
        "order_id": [make_order(shop=shop) for shop in (connection.shop, theirs) if shop],
        "location_id": [make_location(integration=custom), make_location(integration=partner)],
    }
    found = {name: [str(row.pk) for row in some] for name, some in rows.items()}
    strangers = str(make_custom_integration().pk)
    return found | {
        "id": [str(custom.pk), str(custom.partner_id), str(partner.pk), strangers],
        "pk": [str(custom.pk), str(custom.partner_id), str(partner.pk), strangers],
        "code": ["test_connection", "sync_now", "pause", "resume", "reconnect_link", "export_configuration"],
        "what": ["orders", "products", "shipping-services", "product-stocks"],
    }


def _spare(custom: Integration) -> Any:
    make_key(integration=custom)
    return ApiKey.objects.get(integration=custom)
