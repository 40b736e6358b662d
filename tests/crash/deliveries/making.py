"""`python -m tests.bench.inside tests.crash.deliveries.making ADDRESS…`: a warehouse with a key, and who hears of it.

Prints the key, the locations, the SKUs, and the secret of each endpoint by its address, as one line of JSON.
"""

import json
import sys

from apps.catalog.models import Location
from apps.webhooks.signing import new_key
from tests.factories import (
    make_custom_integration,
    make_endpoint,
    make_hook,
    make_key,
    make_location,
    make_organization,
    make_product,
    make_signing_secret,
)

LOCATIONS, PRODUCTS = 4, 50


def main(*addresses: str) -> None:
    organization = make_organization(name="Great Hats")
    warehouse = make_custom_integration(organization=organization, category="logistics", org_wide_access=True)
    kind = Location.Kind.EXTERNAL
    halls = [f"hall-{number}" for number in range(LOCATIONS)]
    locations = [make_location(integration=warehouse, kind=kind, ext_location_id=hall) for hall in halls]
    skus = [make_product(organization=organization).sku for _ in range(PRODUCTS)]
    secrets = {address: listening(organization, address) for address in addresses}
    told = {"key": make_key(integration=warehouse), "locations": [str(one.pk) for one in locations]}
    print(json.dumps(told | {"skus": skus, "secrets": secrets}))


def listening(organization, address: str) -> str:
    """The secret of an endpoint that its organization's people added, to hear of all stock."""
    secret = new_key()
    endpoint = make_endpoint(organization=organization, url=address)
    make_signing_secret(endpoint=endpoint, key=secret)
    make_hook(endpoint=endpoint, event="stock.changed")
    return secret


if __name__ == "__main__":
    main(*sys.argv[1:])
