"""What platforms call the products, over the API (pack.cloud: contracts 4.2, behaviour 68)."""

import pytest

from apps.audit.models import Entry
from apps.catalog.models import Listing, Publication
from tests.api.calling import call, said, wrong
from tests.factories import (
    make_custom_integration,
    make_integration,
    make_key,
    make_listing,
    make_organization,
    make_product,
    make_publication,
    make_shop,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def key(owner) -> str:
    """A key of the owner's, which sees the whole organization."""
    return make_key(user=owner)


@pytest.fixture
def shop(owner):
    return make_shop(integration=make_integration(organization=owner.organization))


def path_of(organization, *parts: object) -> str:
    return "/".join(["v1/organizations", str(organization.pk), "integration-products", *map(str, parts)])


def put(key, listing, body):
    return call("PUT", path_of(listing.organization, listing.pk), body, token=key)


def listed(key, organization, query="") -> list[str]:
    answer = call("GET", path_of(organization) + query, token=key)
    assert answer.status_code == 200, answer.content
    return [row["code"] for row in answer.json()["data"]]


def moment(value) -> str:
    return value.isoformat().replace("+00:00", "Z")


def body_of(listing, **changes) -> dict:
    listing.refresh_from_db()
    return {
        "id": listing.pk,
        "integration_id": str(listing.shop.integration_id),
        "integration_reference": listing.ext_product_id,
        "integration_updated_at": moment(listing.updated_at),
        "name": listing.name,
        "brand_name": "",
        "code": listing.sku,
        "cost_price": None,
        "regular_price": {"currency": "USD", "value": "9.99"},
        "dimensions": {"length": None, "width": None, "height": None},
        "weight": None,
        "hs_code": "",
        "country_code_of_origin": "",
        "status": "linked",
        "order_sync_enabled": True,
        "stock_sync_enabled": True,
        "created_at": moment(listing.created_at),
        "updated_at": moment(listing.updated_at),
    } | changes


def test_an_integration_product_is_shown_as_published(key, shop):
    plain = make_listing(shop=shop)
    full = make_listing(
        shop=shop,
        ext_product_id="p1",
        ext_variant_id="v1",
        brand="Great Hats",
        weight="250.5",
        length="300",
        width="200",
        height="0.125",
        hs_code="6506.99",
        country_of_origin="NL",
        price=None,
    )
    assert said(call("GET", path_of(shop.organization, plain.pk), token=key)) == (200, body_of(plain))
    assert said(call("GET", path_of(shop.organization, full.pk), token=key)) == (
        200,
        body_of(
            full,
            integration_reference="p1/v1",
            brand_name="Great Hats",
            regular_price=None,
            dimensions={"length": 300, "width": 200, "height": 0.125},
            weight=250.5,
            hs_code="6506.99",
            country_code_of_origin="NL",
        ),
    )


def test_a_list_is_in_pages_by_shop_and_sku(key, shop):
    other = make_shop(integration=make_integration(organization=shop.organization))
    for number in (3, 1, 2):
        for one in (shop, other):
            make_listing(shop=one, product=make_product(organization=shop.organization, sku=f"{one.pk}-{number}"))
    make_listing(shop=shop, removed_at=shop.created_at)
    whole = call("GET", path_of(shop.organization), token=key).json()
    found, address = [], path_of(shop.organization) + "?per_page=2"
    while address:
        page = call("GET", address, token=key).json()
        found += page["data"]
        address = page["next"] and page["next"].partition("/api/")[2]
    assert found == whole["data"]
    assert [row["code"] for row in found] == [f"{one}-{n}" for one in sorted([shop.pk, other.pk]) for n in (1, 2, 3)]
    assert (whole["prev"], whole["next"], whole["per_page"]) == (None, None, 25)
    assert page["prev"] is not None


def test_a_list_is_narrowed_to_an_integration_and_a_status(key, shop):
    other = make_shop(integration=make_integration(organization=shop.organization))
    make_listing(shop=shop, product=make_product(organization=shop.organization, sku="HAT-1"))
    waits = make_listing(shop=other, product=make_product(organization=shop.organization, sku="HAT-2"))
    Listing.objects.filter(pk=waits.pk).update(product=None, status="unlinked")
    of = path_of(shop.organization)
    assert listed(key, shop.organization, f"?filter[integration_id]={shop.integration_id}") == ["HAT-1"]
    assert listed(key, shop.organization, "?filter[status]=unlinked") == ["HAT-2"]
    assert (
        listed(key, shop.organization, f"?filter[integration_id]={shop.integration_id}&filter[status]=unlinked") == []
    )
    assert wrong(call("GET", f"{of}?filter[status]=gone", token=key)) == ["status"]
    assert wrong(call("GET", f"{of}?filter[integration_id]=7", token=key)) == ["integration_id"]


@pytest.mark.parametrize("count", [1, 3])
def test_a_list_costs_the_same_however_long(count, key, shop, django_assert_num_queries):
    for _ in range(count):
        make_listing(shop=shop)
    with django_assert_num_queries(3):
        assert len(listed(key, shop.organization)) == count


def test_a_key_sees_those_of_its_own_integration(shop):
    custom = make_custom_integration(organization=shop.organization)
    own, theirs = make_listing(shop=make_shop(integration=custom)), make_listing(shop=shop)
    key = make_key(integration=custom)
    assert listed(key, shop.organization) == [own.sku]
    assert said(put(key, theirs, {"stock_sync_enabled": False})) == (404, "not_found")
    assert said(call("GET", path_of(make_organization()), token=key)) == (404, "not_found")


@pytest.mark.parametrize("flag", ["order_sync_enabled", "stock_sync_enabled"])
def test_a_flag_is_set_and_the_other_stays(flag, key, shop):
    listing = make_listing(shop=shop)
    answer = put(key, listing, {flag: False})
    assert said(answer) == (200, body_of(listing, **{flag: False}))
    assert getattr(listing, flag) is False
    entry = Entry.objects.get(action="listing.change")
    assert (entry.target_id, entry.before, entry.after) == (str(listing.pk), {flag: True}, {flag: False})
    assert said(put(key, listing, {flag: False}))[0] == 200
    assert Entry.objects.filter(action="listing.change").count() == 1


def test_an_unlinked_one_has_no_product_and_is_owed_nothing(key, shop):
    listing = make_listing(shop=shop)
    make_publication(listing=listing)
    answer = put(key, listing, {"status": "unlinked"})
    assert said(answer) == (200, body_of(listing, status="unlinked"))
    assert listing.product is None
    assert Publication.objects.count() == 0
    assert Entry.objects.get(action="listing.unlink").target_id == str(listing.pk)


def test_one_is_linked_to_a_product_by_its_sku_or_its_id(key, shop):
    listing = make_listing(shop=shop)
    product = make_product(organization=shop.organization, sku="OTHER")
    assert said(put(key, listing, {"sku": "OTHER"}))[0] == 200
    listing.refresh_from_db()
    assert (listing.product, listing.by_hand) == (product, True)
    put(key, listing, {"status": "unlinked"})
    assert said(put(key, listing, {"status": "linked", "product_id": product.pk})) == (200, body_of(listing))
    assert listing.product == product
    assert [entry.after for entry in Entry.objects.filter(action="listing.link")] == [{"product": "OTHER"}] * 2


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"status": "linked"}, ["status"]),
        ({"status": "gone"}, ["status"]),
        ({"status": "unlinked", "sku": "HAT-1"}, ["status"]),
        ({"sku": "HAT-1", "product_id": 1}, ["sku"]),
        ({"product_id": 0}, ["product_id"]),
        ({"product_id": 2**63}, ["product_id"]),
        ({"stock_sync_enabled": "yes"}, ["stock_sync_enabled"]),
        ({"quantity": 5}, ["quantity"]),
        ({"name": "Hat"}, ["name"]),
    ],
)
def test_what_cannot_be_is_named(body, named, key, shop):
    listing = make_listing(shop=shop)
    put(key, listing, {"status": "unlinked"})
    assert wrong(put(key, listing, body)) == named
    assert Listing.objects.get().product is None


def test_a_product_of_another_organization_is_none(key, shop):
    """TN-05."""
    listing, theirs = make_listing(shop=shop), make_product(sku="THEIRS")
    for body in ({"product_id": theirs.pk}, {"sku": "THEIRS"}, {"product_id": 2**62}):
        answer = put(key, listing, body | {"stock_sync_enabled": False})
        assert said(answer) == (404, "product_not_found")
    listing.refresh_from_db()
    assert (listing.product.organization, listing.stock_sync_enabled) == (shop.organization, True)
