"""Pages into products and listings: `importing.merge` and what a complete list removes."""

from dataclasses import replace
from decimal import Decimal
from uuid import uuid4

import pytest

from apps.catalog import importing
from apps.catalog.models import Listing, Product, Sighting
from tests.factories import make_connection, make_integration, make_organization, make_shop

from .goods import check, good, listed, read, rows_updated, skus, take_in

Merged = importing.Merged
pytestmark = pytest.mark.django_db


@pytest.fixture
def shop():
    return make_shop()


@pytest.fixture
def second_shop(shop):
    """Another shop of the same organization."""
    return make_shop(integration=make_integration(organization=shop.organization))


def test_a_new_item_becomes_a_product_and_the_listing_that_describes_it(shop):
    assert take_in(shop, good()) == Merged(created=1)
    product, listing = Product.objects.get(), Listing.objects.get()
    assert listed(shop) == {good()}
    assert (product.sku, product.name, product.barcodes) == ("HAT-1", "Hat 1", ["8710000000001"])
    assert (product.price, product.currency, product.image_src) == (Decimal("19.95"), "EUR", good().image_src)
    assert (listing.product, listing.status, listing.describes_product) == (product, "linked", True)
    assert (listing.order_sync_enabled, listing.stock_sync_enabled) == (True, True)
    assert {product.organization, listing.organization} == {shop.organization}


def test_a_page_counts_what_is_new_changed_and_as_before(shop):
    take_in(shop, good(1), good(2), good(3))
    assert take_in(shop, good(1), good(2, quantity=6), good(3, name="Cap"), good(4)) == Merged(1, 2, 1)


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "Cap"}, {"barcodes": ()}, {"price": Decimal("20")}, {"price": None}, {"currency": "USD"},
        {"image_src": ""}, {"quantity": 0}, {"quantity": None}, {"sku": "CAP-1"}, {"barcodes": ("1", "2")},
        {"weight": Decimal("80.5")}, {"length": Decimal("300")}, {"width": Decimal("0")}, {"height": Decimal("0.001")},
        {"hs_code": "6505.00"}, {"country_of_origin": "EC"}, {"brand": "Great Hats"}, {"type": "beret"},
        {"tags": ("straw", "sun")},
    ],
)  # fmt: skip
def test_any_field_that_changes_is_taken_over(shop, fields):
    take_in(shop, good(1), good(2))
    assert take_in(shop, good(1, **fields), good(2)) == Merged(updated=1, unchanged=1)
    assert listed(shop) == {good(1, **fields), good(2)}


@pytest.mark.django_db(transaction=True)
def test_an_unchanged_page_updates_no_row(shop):
    take_in(shop, *map(good, range(50)))
    before = rows_updated("catalog_product"), rows_updated("catalog_listing")
    assert take_in(shop, *map(good, range(50))) == Merged(unchanged=50)
    assert (rows_updated("catalog_product"), rows_updated("catalog_listing")) == before


@pytest.mark.django_db(transaction=True)
def test_one_changed_product_updates_one_row(shop):
    take_in(shop, *map(good, range(50)))
    before = rows_updated("catalog_product"), rows_updated("catalog_listing")
    take_in(shop, *map(good, range(49)), good(49, name="Cap"))
    assert (rows_updated("catalog_product"), rows_updated("catalog_listing")) == (before[0] + 1, before[1] + 1)


@pytest.mark.django_db(transaction=True)
def test_a_quantity_is_the_listings_and_touches_no_product(shop):
    take_in(shop, *map(good, range(50)))
    before = rows_updated("catalog_product"), rows_updated("catalog_listing")
    take_in(shop, *map(good, range(49)), good(49, quantity=3))
    assert (rows_updated("catalog_product"), rows_updated("catalog_listing")) == (before[0], before[1] + 1)


@pytest.mark.django_db(transaction=True)
def test_a_first_load_writes_each_row_once(shop):
    before = rows_updated("catalog_product"), rows_updated("catalog_listing")
    take_in(shop, *map(good, range(50)))
    assert (rows_updated("catalog_product"), rows_updated("catalog_listing")) == before


def twins(number: int) -> list:
    return [good(1, name="First"), good(2, sku="HAT-1", name="Second")][:number]


@pytest.mark.django_db(transaction=True)
def test_two_items_of_a_page_with_one_sku_share_a_product_that_the_first_describes(shop):
    take_in(shop, *twins(2))
    assert [(product.sku, product.name) for product in Product.objects.all()] == [("HAT-1", "First")]
    assert listed(shop) == set(twins(2))
    before = rows_updated("catalog_product")
    assert take_in(shop, *twins(2)) == Merged(unchanged=2)
    assert rows_updated("catalog_product") == before


@pytest.mark.django_db(transaction=True)
def test_two_items_of_different_pages_with_one_sku_do_not_overwrite_each_other(shop):
    first, second = twins(2)
    for _ in range(2):
        read(shop, [first], [second])
    before = rows_updated("catalog_product"), rows_updated("catalog_listing")
    read(shop, [first], [second])
    assert (rows_updated("catalog_product"), rows_updated("catalog_listing")) == before
    assert Product.objects.get().name == "First"


@pytest.mark.django_db(transaction=True)
def test_two_shops_with_one_sku_share_a_product_and_do_not_overwrite_each_other(shop, second_shop):
    first, second = twins(2)
    read(shop, [first])
    read(second_shop, [second])
    before = rows_updated("catalog_product")
    read(shop, [first])
    read(second_shop, [second])
    assert rows_updated("catalog_product") == before
    assert (Product.objects.get().name, listed(shop), listed(second_shop)) == ("First", {first}, {second})


def test_when_the_describer_goes_the_other_listing_describes_at_once(shop, second_shop):
    first, second = twins(2)
    read(shop, [first])
    read(second_shop, [second])
    assert read(shop, []) == 1
    assert Product.objects.get().name == "Second"


def test_when_the_describer_gets_another_sku_the_other_listing_describes_at_once(shop):
    first, second = twins(2)
    read(shop, [first, second])
    read(shop, [second], [good(1, sku="CAP-1", name="First")])
    assert {product.sku: product.name for product in Product.objects.all()} == {"HAT-1": "Second", "CAP-1": "First"}


def test_a_changed_sku_moves_the_listing_and_archives_what_it_leaves(shop):
    read(shop, [good(1)])
    read(shop, [good(1, sku="CAP-1")])
    assert skus(Product.objects.current()) == ["CAP-1"]
    assert skus(Product.objects.exclude(archived_at=None)) == ["HAT-1"]
    assert Listing.objects.get().product.sku == "CAP-1"


def test_a_changed_sku_joins_the_product_that_has_it(shop):
    read(shop, [good(1), good(2)])
    read(shop, [good(1), good(2, sku="HAT-1")])
    assert skus(Product.objects.current()) == ["HAT-1"]
    assert Product.objects.get(sku="HAT-1").listings.count() == 2


def test_two_items_may_swap_their_skus(shop):
    read(shop, [good(1), good(2)])
    swapped = [good(1, sku="HAT-2"), good(2, sku="HAT-1")]
    read(shop, swapped)
    assert listed(shop) == set(swapped)
    assert {product.sku: product.name for product in Product.objects.current()} == {"HAT-1": "Hat 2", "HAT-2": "Hat 1"}


def test_a_product_that_loses_its_listings_one_by_one_is_archived_with_the_last(shop):
    read(shop, twins(2))
    read(shop, [good(1, sku="CAP-1")], [good(2, sku="CAP-2")])
    assert skus(Product.objects.current()) == ["CAP-1", "CAP-2"]


def test_what_a_complete_list_lacks_is_removed_and_its_product_archived(shop):
    read(shop, [good(1), good(2)])
    assert read(shop, [good(1)]) == 1
    assert listed(shop) == {good(1)}
    assert skus(Product.objects.exclude(archived_at=None)) == ["HAT-2"]


def test_a_page_alone_removes_nothing(shop):
    read(shop, [good(1), good(2)])
    take_in(shop, good(1))
    assert listed(shop) == {good(1), good(2)}


def test_a_product_another_shop_still_lists_is_not_archived(shop, second_shop):
    read(shop, [good(1)])
    read(second_shop, [good(1)])
    assert read(shop, []) == 1
    assert skus(Product.objects.current()) == ["HAT-1"]


def test_a_product_that_comes_back_is_the_same_one_again(shop):
    read(shop, [good(1)])
    product, listing = Product.objects.get(), Listing.objects.get()
    read(shop, [])
    read(shop, [good(1, price=Decimal("5"))])
    again = Product.objects.get()
    assert (again.pk, again.archived_at, again.price) == (product.pk, None, Decimal("5"))
    assert Listing.objects.get().pk == listing.pk


def test_an_item_listed_again_by_another_id_revives_its_product(shop):
    read(shop, [good(1)])
    read(shop, [])
    read(shop, [good(9, sku="HAT-1", name="Hat 9")])
    assert (Product.objects.get().name, listed(shop)) == ("Hat 9", {good(9, sku="HAT-1", name="Hat 9")})


def test_an_item_that_cannot_be_read_any_more_keeps_its_listing(shop):
    read(shop, [good(1), good(2)])
    assert read(shop, [good(1), good(2, price=Decimal("-1"))]) == 0
    assert listed(shop) == {good(1), good(2)}


def test_a_product_changed_by_hand_gets_the_platforms_texts_again(shop):
    read(shop, [good(1)])
    Product.objects.update(name="By hand")
    read(shop, [good(1)])
    assert Product.objects.get().name == "Hat 1"


STRANGE = ["007", "7", " 7", "7 ", "７", "Ångström", "A\u030angstro\u0308m", "קסדה", "帽子", "👒🧢", "a\u200bb"]
STRANGE += [
    "{}",
    "{a,b}",
    '"',
    "a\\\\",
    "\\\\.",
    "a\rb",
    "'; --",
    "%s",
    '"\\n',
    "a\u2028b",
    "NULL",
    "null",
    "\\N",
    "a\tb\nc",
    "\x01",
]


@pytest.mark.parametrize("text", STRANGE)
def test_texts_are_kept_byte_for_byte(shop, text):
    item = good(1, sku=text, name=text, ext_product_id=text, ext_variant_id=text, barcodes=(text, "1"))
    item = replace(item, brand=text, type=text, tags=("1", text), image_src=text)
    read(shop, [item])
    assert listed(shop) == {item}
    assert take_in(shop, item) == Merged(unchanged=1)


def test_skus_that_look_alike_are_different_products(shop):
    alike = ["007", "7", " 7", "7 ", "７", "a", "A", "\u00c5", "A\u030a"]
    read(shop, [good(number, sku=sku) for number, sku in enumerate(alike)])
    assert skus(Product.objects.current()) == sorted(alike)


def test_the_same_skus_in_another_organization_are_its_own(shop):
    stranger = make_shop(integration=make_integration(organization=make_organization()))
    read(stranger, [good(1), good(2)])
    theirs = list(Product.objects.values()) + list(Listing.objects.values())
    read(shop, [good(1, name="Ours"), good(3)])
    read(shop, [good(1, name="Ours again")])
    read(shop, [])
    mine = {"organization": shop.organization}
    assert list(Product.objects.exclude(**mine).values()) + list(Listing.objects.exclude(**mine).values()) == theirs
    check(stranger.organization)


def test_a_look_that_meets_a_page_again_says_so(shop):
    run = uuid4()
    assert take_in(shop, good(1), good(2), run=run).repeated is False
    assert take_in(shop, good(2), good(1), run=run).repeated is True
    assert take_in(shop, good(2), good(3), run=run).repeated is False
    assert take_in(shop, good(1), good(2), run=run, look=2).repeated is False
    assert take_in(shop, good(1), good(2), run=uuid4()).repeated is False


def test_what_either_look_met_is_not_unseen(shop):
    read(shop, [good(1), good(2), good(3)])
    run = uuid4()
    take_in(shop, good(1), run=run)
    assert importing.count_unseen(shop, run=run) == (2, 3)
    take_in(shop, good(2), run=run, look=2)
    assert importing.count_unseen(shop, run=run) == (1, 3)


def test_a_run_that_met_nothing_has_everything_unseen(shop):
    read(shop, [good(1)])
    assert importing.count_unseen(shop, run=uuid4()) == (1, 1)


def test_sightings_are_dropped_with_their_run(shop):
    kept, dropped = uuid4(), uuid4()
    take_in(shop, good(1), run=kept)
    take_in(shop, good(1), run=dropped)
    importing.forget_sightings(dropped)
    assert [sighting.run for sighting in Sighting.objects.all()] == [kept]


def test_a_page_is_merged_in_a_fixed_number_of_statements(shop, django_assert_num_queries):
    pages = [importing.sort_out(map(good, range(size))) for size in (1, 200)]
    for page in pages:
        importing.merge(shop, [page], run=uuid4())
    for page in pages:
        with django_assert_num_queries(5):  # make the table, empty it, copy, look up, note
            importing.merge(shop, [page], run=uuid4())


def test_a_connected_shop_is_read_like_any_other():
    read(make_connection().shop, [good(1)])
    assert Product.objects.count() == 1


def test_a_first_reading_makes_what_any_other_would(shop):
    first, second = [good(1), good(2, sku="HAT-1")], [good(3, name="Cap")]
    merged = importing.merge(shop, [importing.sort_out(first), importing.sort_out(second)], is_first=True)
    assert merged == Merged(created=3)
    assert listed(shop) == {*first, *second}
    check(shop.organization)
    assert importing.merge(shop, [importing.sort_out(first), importing.sort_out(second)]) == Merged(unchanged=3)


def test_an_item_told_twice_in_a_first_reading_counts_as_told_last(shop):
    importing.merge(shop, [importing.sort_out([good(1)])], is_first=True)
    again = good(1, sku="HAT-9", name="Cap")
    assert importing.merge(shop, [importing.sort_out([again, good(2)])], is_first=True) == Merged(created=1, updated=1)
    assert listed(shop) == {again, good(2)}
    check(shop.organization)


def test_a_first_reading_joins_products_that_are_there(shop):
    other = make_shop(integration=make_integration(organization=shop.organization))
    importing.merge(other, [importing.sort_out([good(1, name="Known")])])
    importing.merge(shop, [importing.sort_out([good(1), good(2)])], is_first=True)
    assert sorted(Product.objects.values_list("sku", "name")) == [("HAT-1", "Known"), ("HAT-2", "Hat 2")]
    check(shop.organization)
