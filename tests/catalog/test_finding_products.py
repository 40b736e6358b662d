"""Which product an item of a platform becomes or joins: by its SKU, by a pair of SKUs, or none yet."""

import pytest

from apps.catalog.models import HeldReport, Listing, Product, StockLevel
from apps.integrations.models import Integration
from tests.factories import make_held_report, make_integration, make_location, make_pair, make_shop

from .goods import good, listed, read, skus

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop():
    return make_shop()


def pair(integration: Integration, first: str, second: str) -> None:
    make_pair(integration=integration, first=first, second=second)


def held(shop, **fields):
    """A count that a warehouse of the shop's organization reported."""
    warehouse = make_integration(organization=shop.organization)
    make_held_report(location=make_location(integration=warehouse), **fields)


def places():
    """SKU at the platform, SKU of the product, and status of each listing."""
    return sorted(Listing.objects.values_list("sku", "product__sku", "status"))


def test_an_item_joins_the_product_its_pair_names(shop):
    pair(shop.integration, "HAT-1", "CAP-9")
    read(shop, [good(1), good(2)])
    assert places() == [("HAT-1", "CAP-9", "linked"), ("HAT-2", "HAT-2", "linked")]
    assert listed(shop) == {good(1), good(2)}


def test_a_pair_made_later_moves_the_listing_at_the_next_reading_and_a_removed_one_moves_it_back(shop):
    read(shop, [good(1)])
    pair(shop.integration, "HAT-1", "CAP-9")
    read(shop, [good(1)])
    assert (places(), skus(Product.objects.current())) == ([("HAT-1", "CAP-9", "linked")], ["CAP-9"])
    shop.integration.sku_pairs.all().delete()
    read(shop, [good(1)])
    assert (places(), skus(Product.objects.current())) == ([("HAT-1", "HAT-1", "linked")], ["HAT-1"])


def test_another_integrations_pairs_do_not_count(shop):
    pair(make_integration(organization=shop.organization), "HAT-1", "CAP-9")
    read(shop, [good(1)])
    assert places() == [("HAT-1", "HAT-1", "linked")]


def test_an_unknown_sku_of_a_shop_that_makes_no_products_waits(shop):
    other = make_shop(integration=make_integration(organization=shop.organization), creates_products=False)
    read(shop, [good(1)])
    read(other, [good(1), good(2)])
    assert places() == [("HAT-1", "HAT-1", "linked"), ("HAT-1", "HAT-1", "linked"), ("HAT-2", None, "unlinked")]
    assert skus(Product.objects.all()) == ["HAT-1"]


def test_what_waits_is_linked_once_its_sku_is_known(shop):
    other = make_shop(integration=make_integration(organization=shop.organization), creates_products=False)
    read(other, [good(2)])
    read(other, [good(2)])
    assert places() == [("HAT-2", None, "unlinked")]
    read(shop, [good(7, sku="HAT-2")])
    read(other, [good(2)])
    assert places() == [("HAT-2", "HAT-2", "linked"), ("HAT-2", "HAT-2", "linked")]


def test_what_waits_becomes_a_product_once_the_shop_may_make_them(shop):
    shop.creates_products = False
    read(shop, [good(1)])
    shop.creates_products = True
    read(shop, [good(1)])
    assert places() == [("HAT-1", "HAT-1", "linked")]


def test_a_listing_whose_new_sku_is_nobodys_waits_and_leaves_its_product(shop):
    read(shop, [good(1)])
    shop.creates_products = False
    read(shop, [good(1, sku="CAP-1")])
    assert (places(), skus(Product.objects.current())) == ([("CAP-1", None, "unlinked")], [])


def test_a_count_that_waited_for_a_sku_counts_once_its_product_is_made(shop):
    held(shop, sku="HAT-1", on_hand=12)
    held(shop, sku="HAT-9", on_hand=3)
    read(shop, [good(1), good(2)])
    assert list(StockLevel.objects.values_list("product__sku", "on_hand")) == [("HAT-1", 12)]
    assert list(HeldReport.objects.values_list("sku", flat=True)) == ["HAT-9"]


def test_what_waited_stays_when_no_product_is_made(shop):
    read(shop, [good(1)])
    held(shop, sku="HAT-9")
    read(shop, [good(1, name="Cap")])
    assert (HeldReport.objects.count(), StockLevel.objects.count()) == (1, 0)
