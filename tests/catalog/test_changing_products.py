"""Changing a product over the API: whose words, which of its ids, and its SKU (Pio: contracts 1.5; behaviour 59)."""

import pytest

from apps.audit.models import Entry
from apps.catalog.models import HeldReport, Listing, Product, StockLevel
from tests.api.calling import call, said, wrong
from tests.factories import (
    make_custom_integration,
    make_held_report,
    make_level,
    make_location,
    make_pair,
    make_partner_integration,
    make_product,
)
from tests.happenings import of_goods

from .goods import check
from .partners import DESCRIBED, HAT, create, made, open_shop, read

pytestmark = pytest.mark.django_db
IN_USE = (400, "product_sku_already_exists_and_in_use_by_other_product")
NEEDED = (422, "old_ext_variant_id_required")


@pytest.fixture
def opened():
    return open_shop(make_partner_integration())


@pytest.fixture
def shop(opened):
    return opened[0]


@pytest.fixture
def token(opened) -> str:
    return opened[1]


def put(token, product, body, query=""):
    return call("PUT", f"v1/products/{product['id']}{query}", body, token=token)


def ids(token, product) -> list[tuple[str, str]]:
    return [(one["ext_product_id"], one["ext_variant_id"]) for one in read(token, product)["listings"]]


def test_what_is_left_out_stays(shop, token):
    before = made(token, **DESCRIBED)
    answer = put(token, before, {"name": "Bowler", "weight": None, "tags": []})
    after = answer.json()
    assert after == before | {
        "name": "Bowler", "weight": None, "tags": [], "version": 2, "updated_at": after["updated_at"]
    }  # fmt: skip
    assert list(of_goods().order_by("id").values_list("type", "sequence")) == [
        ("product.created", 1),
        ("product.updated", 2),
    ]
    entry = Entry.objects.get(action="product.update")
    assert entry.before == {"name": "Top hat", "weight": "250.000", "tags": "('summer', 'sale')"}
    assert entry.after == {"name": "Bowler", "weight": "None", "tags": "()"}
    check(shop.organization)


def test_what_is_as_it_was_changes_nothing(token):
    before = made(token, **DESCRIBED)
    assert put(token, before, DESCRIBED).json() == before
    assert put(token, before, {}).json() == before
    assert of_goods().count() == 1


def test_the_whole_of_what_was_read_is_no_body(token):
    product = made(token)
    assert wrong(put(token, product, product))[:2] == ["archived_at", "created_at"]


def test_a_new_sku_is_the_products_which_keeps_its_stock(shop, token):
    product = made(token)
    level = make_level(product=Product.objects.get(), on_hand=5)
    answer = put(token, product, {"sku": "CAP-1", "name": "Cap"})
    assert (answer.json()["id"], answer.json()["sku"], answer.json()["version"]) == (product["id"], "CAP-1", 3)
    assert read(token, product)["inventory"]["in_stock"] == level.on_hand
    assert list(of_goods().order_by("sequence").values_list("sequence", flat=True)) == [1, 2, 3]
    assert Product.objects.count() == 1
    check(shop.organization)


def test_a_new_sku_is_that_of_all_listings_of_the_shop(shop, token):
    made(token)
    product = made(token, ext_variant_id="red")
    put(token, product, {"sku": "CAP-1", "ext_product_id": "p1", "ext_variant_id": "red"})
    assert list(Listing.objects.values_list("sku", flat=True)) == ["CAP-1", "CAP-1"]
    check(shop.organization)


def test_what_was_counted_under_the_new_sku_is_taken_in(shop, token):
    product = made(token)
    warehouse = make_custom_integration(organization=shop.organization)
    make_held_report(location=make_location(integration=warehouse), sku="CAP-1", on_hand=7)
    put(token, product, {"sku": "CAP-1"})
    assert StockLevel.objects.get().on_hand == 7
    assert HeldReport.objects.count() == 0


def test_a_sku_that_another_product_has_is_refused(shop, token):
    product = made(token, **DESCRIBED)
    made(token, sku="CAP-1", ext_product_id="p2")
    make_product(organization=shop.organization, sku="OLD-1", archived_at=shop.created_at)
    make_product(sku="STRANGER")
    for sku in ("CAP-1", "OLD-1"):
        assert said(put(token, product, {"sku": sku, "name": "Cap"})) == IN_USE
    assert read(token, product)["name"] == "Top hat"
    assert put(token, product, {"sku": "STRANGER"}).status_code == 200
    check(shop.organization)


def test_a_product_that_another_shop_lists_keeps_its_sku(shop, token):
    _, other = open_shop(make_partner_integration(organization=shop.organization))
    product = made(token)
    made(other, ext_product_id="theirs")
    assert said(put(token, product, {"sku": "CAP-1"})) == (409, "sku_shared")
    assert read(other, product)["sku"] == "HAT-1"


def test_a_product_that_is_mapped_keeps_its_sku(shop, token):
    make_pair(integration=shop.integration, first="HAT-1", second="OUR-HAT")
    product = made(token)
    assert said(put(token, product, {"sku": "CAP-1"})) == (409, "sku_shared")
    for same in ("HAT-1", "OUR-HAT"):
        assert put(token, product, {"sku": same}).json() == product


def test_the_shop_that_brought_a_product_first_describes_it(shop, token):
    _, other = open_shop(make_partner_integration(organization=shop.organization))
    product = made(token)
    made(other, ext_product_id="theirs", name="A hat")
    assert put(other, product, {"name": "The hat"}).json()["name"] == "Top hat"
    assert put(token, product, {"name": "Bowler"}).json()["name"] == "Bowler"
    assert read(other, product)["name"] == "Bowler"
    assert set(Listing.objects.values_list("name", flat=True)) == {"Bowler", "The hat"}
    check(shop.organization)


def test_ids_are_changed_by_naming_the_old_ones(token):
    product = made(token, ext_variant_id="v1")
    old = {"old_ext_product_id": "p1", "old_ext_variant_id": "v1"}
    assert put(token, product, old | {"ext_product_id": "p2", "ext_variant_id": "v2"}).status_code == 200
    assert ids(token, product) == [("p2", "v2")]
    query = "?old_ext_product_id=p2&old_ext_variant_id=v2"
    assert put(token, product, {"ext_product_id": "p3"}, query).json()["ext_product_id"] == "p3"
    assert ids(token, product) == [("p3", "v2")]


@pytest.mark.parametrize(
    ("body", "query", "refusal"),
    [
        ({"ext_product_id": "p2"}, "", (400, "mismatched_ext_product_id")),
        ({"ext_variant_id": "v2"}, "", (400, "mismatched_ext_variant_id")),
        ({"old_ext_product_id": "p2", "ext_product_id": "p3"}, "", (400, "mismatched_ext_product_id")),
        ({"old_ext_product_id": "p1", "old_ext_variant_id": "v2"}, "", (400, "mismatched_ext_variant_id")),
        ({}, "?old_ext_product_id=p2", (400, "mismatched_ext_product_id")),
        ({"ext_variant_id": "v2"}, "?old_ext_product_id=p1", NEEDED),
        ({"old_ext_variant_id": "v1"}, "?old_ext_variant_id=v2", NEEDED),
        ({"old_ext_product_id": "p1"}, "?old_ext_product_id=p2", NEEDED),
    ],
)
def test_ids_that_are_not_the_products_are_refused(body, query, refusal, token):
    product = made(token, ext_variant_id="v1")
    assert said(put(token, product, body | {"name": "Bowler"}, query)) == refusal
    assert read(token, product)["name"] == "Top hat"


def test_of_several_ids_those_that_are_meant_have_to_be_named(token):
    product = made(token, ext_variant_id="v1")
    made(token, ext_variant_id="v2")
    assert said(put(token, product, {"name": "Bowler"})) == (400, "duplicate_products_found")
    assert said(put(token, product, {"ext_product_id": "p1", "name": "Bowler"})) == (400, "duplicate_products_found")
    assert said(put(token, product, {"old_ext_product_id": "p1", "ext_product_id": "p2"})) == NEEDED
    assert put(token, product, {"ext_product_id": "p1", "ext_variant_id": "v2"}).status_code == 200


def test_ids_that_another_listing_has_are_refused(token):
    product = made(token)
    made(token, sku="CAP-1", ext_product_id="p2")
    body = {"old_ext_product_id": "p1", "ext_product_id": "p2", "name": "Bowler"}
    assert said(put(token, product, body)) == (400, "ext_product_id_already_exists")
    assert (read(token, product)["name"], ids(token, product)) == ("Top hat", [("p1", "")])


@pytest.mark.parametrize("body", [{"name": ""}, {"sku": " "}, {"weight": -1}, {"id": 7}, {"price": {"value": "1"}}])
def test_what_is_wrong_with_a_change_is_named(body, token):
    product = made(token)
    (named,) = wrong(put(token, product, body))
    assert named.partition(".")[0] in body
    assert read(token, product)["version"] == 1


def test_a_change_of_nothing_that_is_there_is_refused(token):
    assert said(put(token, {"id": 7}, HAT)) == (404, "product_not_found")
    assert create(token).status_code == 200
