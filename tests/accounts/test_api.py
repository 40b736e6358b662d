"""The organization, its brands and stores, over the API (Otter: contracts 3.2; behaviours 1 to 6)."""

from urllib.parse import urlencode
from uuid import uuid4

import pytest

from apps.accounts.models import Brand, Organization, Role
from apps.integrations.models import Integration, ReachableStore
from tests.api.calling import call, said, wrong
from tests.factories import (
    make_access_token,
    make_authorization,
    make_brand,
    make_custom_integration,
    make_key,
    make_member,
    make_organization,
    make_partner_integration,
    make_store,
)

ROOT = "organization/v1/organization"
BRANDS = f"{ROOT}/brands"


@pytest.fixture
def hats(db) -> Organization:
    return make_organization(name="Great Hats")


@pytest.fixture
def integration(hats) -> Integration:
    return make_partner_integration(organization=hats, grants=["organization.read"])


@pytest.fixture
def token(integration) -> str:
    return make_access_token(authorization=make_authorization(integration=integration))


@pytest.fixture
def brand(hats) -> Brand:
    return make_brand(organization=hats, name="Hats")


@pytest.fixture
def strange(db) -> Brand:
    """A brand of another organization, with a store."""
    return make_store(brand=make_brand(organization=make_organization(name="Great Shoes"))).brand


def pages(path: str, *, limit: int, token: str) -> list[list[dict]]:
    """Every page of a list, from the first to the last."""
    found, query = [], {"limit": str(limit)}
    while True:
        status, body = said(call("GET", f"{path}?{urlencode(query)}", token=token))
        assert status == 200
        found.append(body["items"])
        if "offsetToken" not in body:
            return found
        query["token"] = body["offsetToken"]


def test_the_organization_has_an_id_and_a_name(hats, token, strange):
    assert said(call("GET", ROOT, token=token)) == (200, {"id": str(hats.pk), "name": "Great Hats"})


def test_reading_it_takes_two_statements(hats, token, django_assert_max_num_queries):
    keys = [make_key(integration=make_custom_integration(organization=hats)), make_key(user=make_member())]
    for credential in [token, *keys]:
        with django_assert_max_num_queries(2):
            assert call("GET", ROOT, token=credential).status_code == 200


def test_a_person_is_told_of_their_own_organization_only(hats):
    """Behaviour 1, for the key of a person."""
    key = make_key(user=make_member(organization=hats, role=Role.ADMIN))
    assert said(call("GET", ROOT, token=key))[1]["name"] == "Great Hats"


def test_brands_are_listed_with_id_and_name(hats, token, brand, strange):
    expected = {"items": [{"id": str(brand.pk), "name": "Hats"}]}
    assert said(call("GET", f"{BRANDS}?limit=100", token=token)) == (200, expected)


def test_an_organization_without_brands_has_an_empty_list(token):
    assert said(call("GET", f"{BRANDS}?limit=100", token=token)) == (200, {"items": []})


@pytest.mark.parametrize(("limit", "sizes"), [(1, [1, 1, 1]), (2, [2, 1]), (3, [3]), (100, [3])])
def test_brands_come_in_pages_with_a_token_only_while_more_follow(hats, token, limit, sizes):
    for name in ("c", "a", "b"):
        make_brand(organization=hats, name=name)
    found = pages(BRANDS, limit=limit, token=token)
    assert [len(page) for page in found] == sizes
    assert [item["name"] for page in found for item in page] == ["a", "b", "c"]


def test_stores_are_listed_with_a_nullable_address(token, brand, strange):
    known = make_store(brand=brand, name="A", address="1 Main Street, Springfield")
    unknown = make_store(brand=brand, name="B", address="")
    make_store(brand=make_brand(organization=brand.organization))
    items = [
        {"id": str(known.pk), "name": "A", "address": {"fullAddress": "1 Main Street, Springfield"}},
        {"id": str(unknown.pk), "name": "B", "address": None},
    ]
    assert said(call("GET", f"{BRANDS}/{brand.pk}/stores?limit=100", token=token)) == (200, {"items": items})


def test_stores_come_in_pages(token, brand):
    for name in ("c", "a", "b", "b"):
        make_store(brand=brand, name=name)
    found = pages(f"{BRANDS}/{brand.pk}/stores", limit=3, token=token)
    assert [[item["name"] for item in page] for page in found] == [["a", "b", "b"], ["c"]]


@pytest.mark.parametrize("path", [BRANDS, BRANDS + "/{brand}/stores"])
@pytest.mark.parametrize("count", [1, 3])
def test_a_list_costs_the_same_however_long(path, count, token, brand, django_assert_num_queries):
    for _ in range(count):
        make_store(brand=make_brand(organization=brand.organization))
        make_store(brand=brand)
    with django_assert_num_queries(4 if "stores" in path else 3):
        assert call("GET", path.format(brand=brand.pk) + "?limit=100", token=token).status_code == 200


@pytest.mark.parametrize("path", [BRANDS, BRANDS + "/{brand}/stores"])
@pytest.mark.parametrize("query", ["", "?limit=", "?limit=0", "?limit=101", "?limit=x", "?limit=-1", "?limit=1.0"])
def test_a_list_wants_a_limit(path, query, token, brand):
    assert wrong(call("GET", path.format(brand=brand.pk) + query, token=token)) == ["limit"]


@pytest.mark.parametrize("cursor", ["x", "AAAA", "W10", "x" * 500])
def test_a_token_that_no_list_gave_is_refused(cursor, token):
    assert wrong(call("GET", f"{BRANDS}?limit=1&token={cursor}", token=token)) == ["token"]


def test_a_brand_and_a_store_are_read_by_their_ids(token, brand):
    store = make_store(brand=brand, name="Online", address="")
    assert said(call("GET", f"{BRANDS}/{brand.pk}", token=token)) == (200, {"id": str(brand.pk), "name": "Hats"})
    expected = {"id": str(store.pk), "name": "Online", "address": None}
    assert said(call("GET", f"{BRANDS}/{brand.pk}/stores/{store.pk}", token=token)) == (200, expected)


def test_another_organizations_brand_and_store_are_not_there(token, brand, strange):
    theirs = strange.stores.get()
    own = make_store(brand=brand)
    for path in (
        f"{strange.pk}",
        f"{strange.pk}/stores?limit=1",
        f"{strange.pk}/stores/{theirs.pk}",
        f"{brand.pk}/stores/{theirs.pk}",
        f"{strange.pk}/stores/{own.pk}",
        f"{uuid4()}",
        f"{brand.pk}/stores/{uuid4()}",
        "not-an-id",
    ):
        assert said(call("GET", f"{BRANDS}/{path}", token=token)) == (404, "not_found")


def test_a_store_of_another_brand_is_not_there(hats, token, brand):
    other = make_store(brand=make_brand(organization=hats))
    assert said(call("GET", f"{BRANDS}/{brand.pk}/stores/{other.pk}", token=token)) == (404, "not_found")


@pytest.fixture
def limited(integration, brand) -> str:
    """A token for the store Downtown of the brand Hats only; there are others."""
    make_store(brand=brand, name="Airport")
    make_store(brand=make_brand(organization=brand.organization, name="Caps"), name="Harbour")
    integration.reaches_all_stores = False
    integration.save()
    ReachableStore.objects.create(
        organization=integration.organization,
        integration=integration,
        store=make_store(brand=brand, name="Downtown"),
    )
    return make_access_token(authorization=make_authorization(integration=integration))


def test_consent_for_some_stores_shows_those_and_their_brands(limited, brand):
    assert [[item["name"] for item in page] for page in pages(BRANDS, limit=100, token=limited)] == [["Hats"]]
    stores = pages(f"{BRANDS}/{brand.pk}/stores", limit=100, token=limited)
    assert [[item["name"] for item in page] for page in stores] == [["Downtown"]]


def test_consent_for_some_stores_does_not_reach_the_others(limited, brand):
    caps = Brand.objects.get(name="Caps")
    for path in (f"{caps.pk}", f"{caps.pk}/stores?limit=1", f"{brand.pk}/stores/{brand.stores.get(name='Airport').pk}"):
        assert said(call("GET", f"{BRANDS}/{path}", token=limited)) == (404, "not_found")


def test_without_the_scope_nothing_is_read(hats, brand):
    integration = make_partner_integration(organization=hats, grants=["organization.service_integration"])
    token = make_access_token(authorization=make_authorization(integration=integration))
    store = make_store(brand=brand)
    for path in ("", "/brands?limit=1", f"/brands/{brand.pk}", f"/brands/{brand.pk}/stores/{store.pk}"):
        assert said(call("GET", ROOT + path, token=token)) == (403, "insufficient_scope")
        assert said(call("GET", ROOT + path)) == (401, "unauthorized")
