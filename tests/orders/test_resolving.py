"""What lines of orders are in our own words, and what is missing of an order."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.orders.models import Order
from apps.orders.resolving import Obstacle, missing_fields, obstacles, resolve
from tests.factories import (
    TO_ANN,
    make_custom_integration,
    make_fulfillment,
    make_ignored_sku,
    make_integration,
    make_listing,
    make_order,
    make_pair,
    make_product,
    make_shop,
    make_unlinked,
)

pytestmark = pytest.mark.django_db


def resolved(order):
    """SKU of the product of each line, and whether it is left out."""
    resolve(Order.objects.filter(pk=order.pk))
    return list(order.lines.values_list("product__sku", "is_excluded"))


def order_of(shop, *lines):
    return make_order(shop=shop, lines=lines)


@pytest.fixture
def shop():
    return make_shop()


def test_a_line_is_what_the_shop_lists_under_its_ids_whatever_its_sku(shop):
    listing = make_listing(shop=shop, ext_product_id="7", ext_variant_id="1")
    make_product(organization=shop.organization, sku="OTHER")
    order = order_of(shop, {"sku": "OTHER", "ext_product_id": "7", "ext_variant_id": "1"})
    assert resolved(order) == [(listing.product.sku, False)]


def test_a_listing_that_is_gone_from_its_platform_still_says_what_was_bought(shop):
    listing = make_listing(shop=shop, ext_product_id="7", removed_at="2026-01-01T00:00:00Z")
    assert resolved(order_of(shop, {"sku": "GONE", "ext_product_id": "7"})) == [(listing.product.sku, False)]


def test_a_line_is_else_the_product_of_its_sku(shop):
    make_product(organization=shop.organization, sku="HAT")
    make_product(sku="CAP")
    assert resolved(order_of(shop, {"sku": "HAT"}, {"sku": "CAP"})) == [("HAT", False), (None, False)]


@pytest.mark.parametrize(("category", "pair"), [("shop", ("THEIRS", "OURS")), ("logistics", ("OURS", "THEIRS"))])
def test_a_pair_of_its_integration_turns_its_sku_into_ours(category, pair):
    integration = make_custom_integration(category=category)
    make_pair(integration=integration, first=pair[0], second=pair[1])
    make_product(organization=integration.organization, sku="OURS")
    make_product(organization=integration.organization, sku="THEIRS")
    assert resolved(order_of(make_shop(integration=integration), {"sku": "THEIRS"})) == [("OURS", False)]


def test_what_an_unlinked_listing_is_its_sku_may_tell(shop):
    make_unlinked(shop=shop, ext_product_id="7", sku="HAT")
    order = order_of(shop, {"sku": "HAT", "ext_product_id": "7"})
    assert resolved(order) == [(None, False)]
    make_product(organization=shop.organization, sku="HAT")
    assert resolved(order) == [("HAT", False)]


@pytest.mark.parametrize("line", [{"sku": "X", "ext_product_id": "7"}, {"sku": "HAT"}])
def test_a_listing_that_takes_no_part_in_orders_leaves_its_line_out(shop, line):
    product = make_product(organization=shop.organization, sku="HAT")
    make_listing(shop=shop, product=product, ext_product_id="7", order_sync_enabled=False)
    assert resolved(order_of(shop, line)) == [("HAT", True)]


def test_an_ignored_sku_leaves_its_line_out_and_comes_back_when_it_is_heeded(shop):
    ignored = make_ignored_sku(integration=shop.integration, sku="TIP")
    make_ignored_sku(integration=make_integration(organization=shop.organization), sku="HAT")
    order = order_of(shop, {"sku": "TIP"}, {"sku": "HAT"})
    assert resolved(order) == [(None, True), (None, False)]
    ignored.delete()
    assert resolved(order) == [(None, False), (None, False)]


def test_a_line_keeps_its_product_when_its_sku_means_nothing_any_more(shop):
    product = make_product(organization=shop.organization, sku="HAT")
    order = order_of(shop, {"sku": "HAT"})
    resolve([order])
    product.sku = "TOP-HAT"
    product.save()
    assert resolved(order) == [("TOP-HAT", False)]


@pytest.mark.parametrize(
    ("state", "sku"), [("ready", "A"), ("partly_shipped", "A"), ("rejected", "B"), ("cancelled", "B")]
)
def test_what_a_warehouse_has_stays_what_it_was_sent_as(shop, state, sku):
    product = make_product(organization=shop.organization, sku="A")
    make_product(organization=shop.organization, sku="B")
    order = order_of(shop, {"sku": "THEIRS", "product": product})
    make_fulfillment(order=order, state=state)
    make_pair(integration=shop.integration, first="THEIRS", second="B")
    assert resolved(order) == [(sku, False)]


@pytest.mark.parametrize("count", [1, 20])
def test_many_orders_of_an_integration_are_one_statement(shop, count):
    for _ in range(count):
        order_of(shop, {"sku": "HAT"}, {"sku": "CAP"})
    orders = list(Order.objects.select_related("integration__partner"))
    with CaptureQueriesContext(connection) as asked:
        resolve(orders)
    assert len(asked) == 1


def test_each_unknown_sku_is_named_once():
    order = make_order(lines=[{"sku": "A", "name": "Hat"}, {"sku": "A", "name": "Hat"}, {"sku": "", "name": "Gift"}])
    assert obstacles(order, list(order.lines.all())) == [
        Obstacle("unknown_sku", "owner", "A", {"name": "Hat"}),
        Obstacle("unknown_sku", "owner", "Gift", {"name": "Gift"}),
    ]


@pytest.mark.parametrize("line", [{"is_excluded": True}, {"quantity": 2, "cancelled": 2}])
def test_an_order_without_lines_for_us_is_not_ours(line):
    order = make_order(lines=[{"sku": "A"} | line])
    assert obstacles(order, list(order.lines.all())) == [Obstacle("nothing_to_ship", "nobody")]


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        ({}, []),
        ({"address1": " "}, ["address1"]),
        ({"city": "", "zip": ""}, ["city", "zip"]),
        ({"country": ""}, ["country"]),
        ({"country": "AE", "zip": ""}, []),
        ({"country": "hk", "zip": ""}, []),
        ({"first_name": "", "last_name": ""}, ["last_name"]),
        ({"first_name": "", "last_name": "", "company": "Hats Ltd"}, []),
        ({"last_name": ""}, []),
    ],
)
def test_an_address_needs_what_a_parcel_needs(changes, missing):
    assert missing_fields(TO_ANN | changes) == missing
