"""Which events a merge leaves behind: one for each product that changed, numbered by its version."""

import pytest

from apps.catalog import importing
from apps.catalog.models import Product
from apps.webhooks.models import Event
from tests.factories import make_integration, make_organization, make_shop

from .goods import good, read

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop():
    return make_shop()


def told(organization):
    """Type, SKU, sequence and data of each event, oldest first; and the products' versions are the newest sequences."""
    skus = {str(product.pk): product.sku for product in Product.objects.filter(organization=organization)}
    events = list(Event.objects.filter(organization=organization, entity="product").order_by("id"))
    newest = {skus[event.entity_id]: event.sequence for event in events}
    assert newest == dict(Product.objects.filter(organization=organization).values_list("sku", "version"))
    return [(event.type, skus[event.entity_id], event.sequence, event.data) for event in events]


CREATED = [("product.created", "HAT-1", 1, None), ("product.created", "HAT-2", 1, None)]


def test_new_products_are_told_once(shop):
    read(shop, [good(1), good(2)])
    assert sorted(told(shop.organization)) == CREATED
    read(shop, [good(1), good(2)])
    assert sorted(told(shop.organization)) == CREATED


def test_what_changes_is_told_and_what_does_not_is_not(shop):
    read(shop, [good(1), good(2)])
    read(shop, [good(1, name="Cap"), good(2, quantity=3)])
    assert told(shop.organization)[2:] == [("product.updated", "HAT-1", 2, None)]


def test_what_is_no_longer_listed_is_told_and_so_is_its_coming_back(shop):
    read(shop, [good(1), good(2)])
    read(shop, [good(1)])
    read(shop, [good(1), good(2)])
    events = [("product.archived", "HAT-2", 2, None), ("product.updated", "HAT-2", 3, None)]
    assert told(shop.organization)[2:] == events


def test_a_new_sku_of_an_item_is_a_new_product(shop):
    read(shop, [good(1)])
    read(shop, [good(1, sku="CAP-1")])
    assert told(shop.organization)[1:] == [
        ("product.created", "CAP-1", 1, None),
        ("product.archived", "HAT-1", 2, None),
    ]


def test_a_second_shop_that_lists_a_product_changes_nothing_about_it(shop):
    read(shop, [good(1)])
    read(make_shop(integration=make_integration(organization=shop.organization)), [good(9, sku="HAT-1")])
    assert told(shop.organization) == [("product.created", "HAT-1", 1, None)]


def test_another_organization_hears_nothing(shop):
    stranger = make_shop(integration=make_integration(organization=make_organization()))
    read(shop, [good(1)])
    assert told(stranger.organization) == []


def test_many_pages_take_as_many_statements_as_one(shop, django_assert_max_num_queries):
    read(shop, [good(1)])
    pages = [importing.sort_out(good(number + 10 * page, name="Cap") for number in range(10)) for page in range(1, 6)]
    with django_assert_max_num_queries(12):
        assert importing.merge(shop, pages).created == 50
    with django_assert_max_num_queries(5):
        assert importing.merge(shop, pages) == importing.Merged(unchanged=50)
