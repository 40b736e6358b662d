"""`python -m tests.bench.inside tests.crash.making SANDBOX`: shops of two partners, and a warehouse at that sandbox.

Prints the shops' tokens and the SKUs, as one line of JSON.
"""

import json
import os
import sys
from datetime import timedelta

from django.utils import timezone

from apps.integrations.sessions import call
from apps.webhooks.inboxes import address_of
from tests.factories import (
    make_access_token,
    make_authorization,
    make_integration,
    make_organization,
    make_partner_integration,
    make_product,
    make_shop,
    make_warehouse,
)
from tests.sandbox.driver import Sandbox
from tests.sandbox.pio.driver import Client

PARTNERS, SHOPS = 3, 5  # of each; a shop may call 20 times a second, all of a partner's together 100 times
PRODUCTS = 12


def main(sandbox: str) -> None:
    organization = make_organization(name="Great Hats")
    skus = [make_product(organization=organization).sku for _ in range(PRODUCTS)]
    pio = Client(Sandbox(sandbox), client_id=os.environ["PIO_CLIENT_ID"], secret=os.environ["PIO_CLIENT_SECRET"])
    token = pio.register().token()
    secrets = {"access_token": token, "token_type": "bearer"}
    account = {"connector": "pio", "account_ref": "pio", "account_name": "Pio"}
    warehouse = make_warehouse(
        organization=organization, integration=make_integration(organization=organization, secrets=secrets, **account)
    )
    pio.shop(ext_shop_id=warehouse.ext_shop_id, token=token)
    inbox = address_of(warehouse.integration.inbox)
    call(warehouse.integration, lambda client: client.subscribe(warehouse.ref, inbox))
    tokens = [token for _ in range(PARTNERS) for token in partner(organization)]
    print(json.dumps({"tokens": tokens, "skus": skus}))


def partner(organization) -> list[str]:
    integration = make_partner_integration(organization=organization, order_hold_seconds=0)
    return [shop(integration) for _ in range(SHOPS)]


def shop(integration) -> str:
    authorization = make_authorization(integration=integration, is_lasting=True)
    make_shop(integration=integration, authorization=authorization, store=None)
    return make_access_token(authorization=authorization, expires=timezone.now() + timedelta(days=1))


if __name__ == "__main__":
    main(sys.argv[1])
