"""Which product a listing stands for, said by a person: `linking.link` and `linking.unlink`."""

import pytest

from apps.catalog import linking
from apps.catalog.models import Listing, Product, Publication
from apps.webhooks.models import Event
from tests.factories import make_integration, make_organization, make_shop

from .goods import check, good, read

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop():
    """A shop that lists two hats."""
    shop = make_shop()
    read(shop, [good(1), good(2)])
    Event.objects.all().delete()
    return shop


def listing(number):
    return Listing.objects.get(ext_product_id=f"p{number}")


def product(number):
    return Product.objects.get(sku=f"HAT-{number}")


def events():
    told = Event.objects.order_by("id").values_list("type", "entity", "entity_id", "sequence", "data")
    return [(type, entity, Product.objects.get(pk=pk).sku, *rest) for type, entity, pk, *rest in told]


def link(*pairs):
    """Listings and products by their numbers."""
    organization = Listing.objects.first().organization
    changed = linking.link(organization, [(listing(one).pk, product(other).pk) for one, other in pairs])
    check(organization)
    return changed


def unlink(*numbers):
    organization = Listing.objects.first().organization
    changed = linking.unlink(organization, [listing(number).pk for number in numbers])
    check(organization)
    return changed


def test_a_linked_listing_stands_for_the_other_product_and_what_it_leaves_is_archived(shop):
    assert link((2, 1)) == 1
    assert (listing(2).product, listing(2).status, listing(2).describes_product) == (product(1), "linked", False)
    assert (product(1).version, product(1).archived_at, product(1).name) == (1, None, "Hat 1")
    assert (product(2).version, product(2).archived_at is None) == (2, False)
    assert events() == [("product.archived", "product", "HAT-2", 2, None)]


def test_a_link_to_where_it_was_changes_no_product(shop):
    assert link((1, 1), (2, 2)) == 0
    assert events() == []


def test_an_unlinked_listing_has_no_product_and_waits(shop):
    assert unlink(1) == 1
    assert (listing(1).product, listing(1).status, listing(1).describes_product) == (None, "unlinked", False)
    assert events() == [("product.archived", "product", "HAT-1", 2, None)]
    assert unlink(1) == 0


def test_a_product_whose_describer_is_taken_away_is_described_by_the_next(shop):
    link((2, 1))
    Event.objects.all().delete()
    unlink(1)
    assert (product(1).name, product(1).sku, product(1).version) == ("Hat 2", "HAT-1", 2)
    assert events() == [("product.updated", "product", "HAT-1", 2, None)]


def test_two_listings_may_swap_their_products(shop):
    assert link((1, 2), (2, 1)) == 2
    assert (listing(1).product, listing(2).product) == (product(2), product(1))
    assert (product(1).name, product(2).name) == ("Hat 2", "Hat 1")


@pytest.mark.parametrize("changed", [{}, {"name": "Cap"}, {"sku": "CAP-1"}])
def test_reading_the_platform_again_keeps_what_was_linked_by_hand(shop, changed):
    link((2, 1))
    read(shop, [good(1), good(2, **changed)])
    assert (listing(2).product, listing(2).status) == (product(1), "linked")


@pytest.mark.parametrize("changed", [{}, {"name": "Cap"}, {"sku": "HAT-2"}])
def test_reading_the_platform_again_keeps_what_was_unlinked_by_hand(shop, changed):
    unlink(1)
    read(shop, [good(1, **changed), good(2)])
    assert (listing(1).product, listing(1).status) == (None, "unlinked")


def test_what_was_linked_by_hand_still_describes_its_product(shop):
    link((1, 2), (2, 1))
    read(shop, [good(1, name="Cap"), good(2)])
    assert (product(2).name, product(1).name) == ("Cap", "Hat 2")


def test_another_organizations_listings_and_products_are_not_touched(shop):
    organization = make_organization()
    theirs = make_shop(integration=make_integration(organization=organization))
    read(theirs, [good(3)])
    assert linking.link(organization, [(listing(1).pk, product(3).pk)]) == 0
    assert linking.link(organization, [(listing(3).pk, product(1).pk)]) == 0
    assert linking.unlink(organization, [listing(1).pk]) == 0
    assert [listing(number).product for number in (1, 3)] == [product(1), product(3)]


def test_a_platform_is_told_the_stock_of_the_product_its_listing_stands_for_now(shop):
    for number in (1, 2):
        Publication.objects.create(
            organization=shop.organization, shop=shop, product=product(number), listing=listing(number), quantity=4
        )
    link((1, 2))
    unlink(2)
    told = Publication.objects.get()
    assert (told.listing, told.product, told.due_at is None) == (listing(1), product(2), False)


def test_many_are_linked_in_as_many_statements_as_one(shop, django_assert_max_num_queries):
    read(shop, [good(number) for number in range(1, 40)])
    with django_assert_max_num_queries(11):
        link_all = [(listing.pk, listing.product_id) for listing in Listing.objects.all()]
        swapped = [(one, other) for (one, _), (_, other) in zip(link_all, link_all[1:] + link_all[:1], strict=True)]
        assert linking.link(shop.organization, swapped) == 39


def test_nothing_to_link_is_nothing(shop):
    assert (linking.link(shop.organization, []), linking.unlink(shop.organization, [])) == (0, 0)
