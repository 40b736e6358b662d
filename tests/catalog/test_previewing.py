"""What a mapping would change, told before it is saved; then saving it does just that."""

import pytest

from apps.audit.trail import Actor
from apps.catalog import remapping
from apps.catalog.models import HeldReport, Listing, Product, SkuMapping
from apps.catalog.pairs import Pair
from apps.catalog.previewing import SHOWN, preview
from apps.integrations.connectors.base import Category
from tests.factories import (
    make_custom_integration,
    make_held_report,
    make_integration,
    make_level,
    make_listing,
    make_location,
    make_product,
    make_publication,
    make_shop,
    make_unlinked,
)

NOTHING = {
    "moved": (0, []),
    "linked": (0, []),
    "unlinked": (0, []),
    "created": (0, []),
    "archived": (0, []),
    "released": (0, []),
    "published": (0, []),
}


@pytest.fixture
def integration(db):
    return make_integration(stock_buffer=2)


@pytest.fixture
def shop(integration):
    return make_shop(integration=integration, name="Main Street")


def told(found):
    return {kind: (changes.count, changes.first) for kind, changes in found.changes.items()}


def changes(integration, *pairs):
    return told(preview(integration, [Pair(*pair) for pair in pairs]))


def save(integration, *pairs):
    pairs = [Pair(*pair) for pair in pairs]
    return remapping.save(integration, pairs, origin=SkuMapping.Origin.LINE, actor=Actor("anna"))


def test_nothing_changes_where_nothing_is_listed(integration):
    found = preview(integration, [Pair("A", "B")])
    assert (found.based_on, found.added, found.removed, told(found)) == (0, 1, 0, NOTHING)
    save(integration, ("A", "B"))
    again = preview(integration, [Pair("A", "B")])
    assert (again.based_on, again.is_empty) == (1, True)


def test_listings_that_would_move_and_products_that_would_come_and_go(integration, shop):
    make_listing(shop=shop, product=make_product(organization=shop.organization, sku="HAT-1"))
    make_listing(shop=shop, product=make_product(organization=shop.organization, sku="HAT-2"))
    make_product(organization=shop.organization, sku="OURS-1")
    pairs = [("HAT-1", "OURS-1"), ("HAT-2", "OURS-2")]
    assert changes(integration, *pairs) == NOTHING | {
        "moved": (
            2,
            [
                {"sku": "HAT-1", "shop": "Main Street", "before": "HAT-1", "after": "OURS-1"},
                {"sku": "HAT-2", "shop": "Main Street", "before": "HAT-2", "after": "OURS-2"},
            ],
        ),
        "created": (1, [{"sku": "OURS-2"}]),
        "archived": (2, [{"sku": "HAT-1"}, {"sku": "HAT-2"}]),
    }
    assert set(Product.objects.values_list("sku", flat=True)) == {"HAT-1", "HAT-2", "OURS-1"}
    save(integration, *pairs)
    assert set(Product.objects.current().values_list("sku", flat=True)) == {"OURS-1", "OURS-2"}


def test_listings_that_would_be_linked_or_wait(integration):
    shop = make_shop(integration=integration, name="Main Street", creates_products=False)
    make_unlinked(shop=shop, sku="HAT-1")
    make_listing(shop=shop, product=make_product(organization=shop.organization, sku="HAT-2"))
    make_product(organization=shop.organization, sku="OURS-1")
    assert changes(integration, ("HAT-1", "OURS-1"), ("HAT-2", "NOBODYS")) == NOTHING | {
        "linked": (1, [{"sku": "HAT-1", "shop": "Main Street", "before": None, "after": "OURS-1"}]),
        "unlinked": (1, [{"sku": "HAT-2", "shop": "Main Street", "before": "HAT-2", "after": None}]),
        "archived": (1, [{"sku": "HAT-2"}]),
    }
    assert Listing.objects.filter(product=None).count() == 1


def test_a_product_that_another_shop_still_lists_is_not_archived(integration, shop):
    product = make_product(organization=shop.organization, sku="HAT-1")
    make_listing(shop=shop, product=product)
    make_listing(shop=make_shop(integration=make_integration(organization=shop.organization)), product=product)
    assert changes(integration, ("HAT-1", "OURS-1"))["archived"] == (0, [])


def test_counts_that_would_be_believed_and_what_platforms_would_be_told(integration, shop):
    organization = shop.organization
    warehouse = make_custom_integration(organization=organization, category=Category.LOGISTICS)
    product = make_product(organization=organization, sku="OURS-1")
    make_publication(listing=make_listing(shop=shop, product=product), quantity=8)
    make_level(product=product, location=make_location(organization=organization), on_hand=10)
    grid = make_location(integration=warehouse, name="Grid")
    make_held_report(location=grid, sku="BIN-1", on_hand=7)
    make_held_report(location=grid, sku="BIN-2", on_hand=9)
    assert changes(warehouse, ("OURS-1", "BIN-1")) == NOTHING | {
        "released": (1, [{"sku": "BIN-1", "ours": "OURS-1", "location": "Grid", "on_hand": 7}]),
        "published": (1, [{"sku": "OURS-1", "shop": "Main Street", "before": 8, "after": 15}]),
    }
    assert HeldReport.objects.count() == 2


def test_a_new_product_of_a_shop_sets_a_warehouses_count_free(integration, shop):
    organization = shop.organization
    warehouse = make_custom_integration(organization=organization, category=Category.LOGISTICS)
    make_listing(shop=shop, product=make_product(organization=organization, sku="HAT-1"))
    make_held_report(location=make_location(integration=warehouse, name="Grid"), sku="OURS-1", on_hand=7)
    found = changes(integration, ("HAT-1", "OURS-1"))
    assert found["released"] == (1, [{"sku": "OURS-1", "ours": "OURS-1", "location": "Grid", "on_hand": 7}])
    save(integration, ("HAT-1", "OURS-1"))
    assert not HeldReport.objects.exists()


def test_a_listing_that_moves_is_told_the_stock_of_its_new_product(integration, shop):
    organization = shop.organization
    make_publication(
        listing=make_listing(shop=shop, sku="HAT-1", product=make_product(organization=organization)), quantity=5
    )
    target = make_product(organization=organization, sku="OURS-1")
    make_level(product=target, location=make_location(organization=organization), on_hand=4)
    assert changes(integration, ("HAT-1", "OURS-1"))["published"] == (
        1,
        [{"sku": "HAT-1", "shop": "Main Street", "before": 5, "after": 2}],
    )


@pytest.mark.parametrize("count", [1, 3])
def test_a_preview_takes_as_many_statements_for_many_as_for_one(integration, shop, count, django_assert_num_queries):
    for n in range(count):
        listing = make_listing(shop=shop, product=make_product(organization=shop.organization, sku=f"HAT-{n}"))
        make_publication(listing=listing, quantity=1)
    with django_assert_num_queries(8):
        preview(integration, [Pair(f"HAT-{n}", f"OURS-{n}") for n in range(count)])


def test_the_first_hundred_are_named_and_all_counted(integration, shop):
    for n in range(SHOWN + 1):
        make_listing(shop=shop, product=make_product(organization=shop.organization, sku=f"HAT-{n:03}"))
    found = changes(integration, *((f"HAT-{n:03}", f"OURS-{n}") for n in range(SHOWN + 1)))
    count, first = found["moved"]
    assert (count, len(first)) == (SHOWN + 1, SHOWN)


def test_another_organizations_rows_are_no_part_of_it(integration, shop):
    stranger = make_listing(sku="HAT-1")
    make_publication(listing=stranger, quantity=1)
    make_held_report(sku="HAT-1")
    make_product(sku="OURS-1")
    assert changes(integration, ("HAT-1", "OURS-1")) == NOTHING
