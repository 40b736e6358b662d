"""A client that was written for the vendor's own server needs only a new address: ours drives our server, over HTTP."""

import pytest
import requests

from apps.integrations.connectors.base import Rejected, RemoteBrand, RemoteStore, StoreRef, Unauthorized
from apps.integrations.connectors.otter.client import OtterClient
from tests.factories import (
    make_access_token,
    make_authorization,
    make_brand,
    make_organization,
    make_partner_integration,
    make_store,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def hats():
    return make_organization(name="Great Hats")


def client(address: str, token: str) -> OtterClient:
    session = requests.Session()
    session.trust_env = False
    session.headers["Authorization"] = f"Bearer {token}"
    return OtterClient(session, address=f"{address}/api")


@pytest.fixture
def partner(hats, live_server) -> OtterClient:
    token = make_access_token(authorization=make_authorization(integration=make_partner_integration(organization=hats)))
    return client(live_server.url, token)


def everything(page, more) -> list:
    """All items of a list, page by page."""
    items = list(page.items)
    while page.next_cursor:
        page = more(page.next_cursor)
        items += page.items
    assert not page.bad
    return items


def test_it_reads_the_organization_and_all_its_brands(partner, hats):
    brands = [make_brand(organization=hats, name=f"Brand {number:03}") for number in range(101)]
    assert (partner.organization().id, partner.organization().name) == (str(hats.pk), "Great Hats")
    found = everything(partner.brands(), partner.brands)
    assert found == [RemoteBrand(str(brand.pk), brand.name) for brand in brands]


def test_it_reads_stores_with_and_without_an_address(partner, hats):
    brand = make_brand(organization=hats)
    stores = [make_store(brand=brand, name=f"Store {number:03}", address="" if number else "1 Main Street")
              for number in range(101)]  # fmt: skip
    expected = [RemoteStore(str(store.pk), store.name, store.address) for store in stores]
    name = str(brand.pk)
    assert everything(partner.stores(name), lambda cursor: partner.stores(name, cursor)) == expected
    assert partner.store(name, expected[0].id) == expected[0]


def test_it_connects_replaces_and_disconnects(partner, hats):
    store = make_store(brand=make_brand(organization=hats))
    first, second = (StoreRef(str(store.brand_id), str(store.pk), name) for name in ("first", "second"))
    assert partner.connection(first) is None
    partner.connect(first)
    assert partner.connection(first) == "first"
    with pytest.raises(Rejected) as refused:
        partner.connect(second)
    assert (refused.value.status, partner.connection(first)) == (409, "first")
    partner.disconnect(first)
    partner.connect(second)
    assert partner.connection(first) == "second"
    for _ in range(2):
        partner.disconnect(second)
    assert partner.connection(first) is None


def test_it_understands_our_refusals(partner, live_server):
    theirs = make_store()
    with pytest.raises(Rejected) as refused:
        partner.store(str(theirs.brand_id), str(theirs.pk))
    assert (refused.value.status, refused.value.code) == (404, "not_found")
    with pytest.raises(Unauthorized):
        client(live_server.url, "nonsense").organization()
