"""Behaviour 67: how much a platform may sell."""

import pytest

from apps.catalog.promising import atp, counted
from tests.factories import make_level, make_location, make_organization, make_product

pytestmark = pytest.mark.django_db


@pytest.fixture
def product():
    return make_product()


def promised(product, *, buffer=0) -> int:
    return atp(product.organization, [product.pk], buffer=buffer)[product.pk]


def test_it_is_on_hand_less_reserved_plus_incoming_less_reserved_incoming_less_the_buffer(product):
    make_level(product=product, on_hand=20, reserved=3, incoming=10, reserved_incoming=4)
    assert promised(product, buffer=5) == 20 - 3 + 10 - 4 - 5


def test_all_places_count_together_and_the_buffer_once(product):
    make_level(product=product, on_hand=5)
    make_level(product=product, location=make_location(shared=True), on_hand=7, reserved=1)
    assert promised(product, buffer=2) == 5 + 6 - 2


def test_it_is_never_below_zero(product):
    make_level(product=product, on_hand=3, reserved=4)
    assert promised(product) == 0
    assert promised(product, buffer=9) == 0


@pytest.mark.parametrize("flags", [{"is_active": False}, {"excluded_from_totals": True}])
def test_stock_that_may_not_be_sold_does_not_count(product, flags):
    make_level(product=product, on_hand=5)
    make_level(product=product, location=make_location(organization=product.organization, **flags), on_hand=100)
    assert promised(product) == 5


def test_a_place_that_takes_no_new_orders_still_counts(product):
    make_level(product=product, location=make_location(organization=product.organization, is_paused=True), on_hand=4)
    assert promised(product) == 4


def test_too_little_in_one_place_is_made_up_for_in_another(product):
    make_level(product=product, on_hand=2, reserved=5)
    make_level(product=product, on_hand=10)
    assert promised(product) == 7


def test_what_nobody_counted_is_nothing(product):
    assert promised(product) == 0
    assert counted(product.organization, [product.pk]) == set()


def test_what_somebody_counted_is_known_even_where_it_may_not_be_sold(product):
    closed = make_location(organization=product.organization, is_active=False)
    make_level(product=product, location=closed, on_hand=0)
    assert counted(product.organization, [product.pk]) == {product.pk}


def test_the_same_product_number_of_another_organization_is_not_looked_at(product):
    make_level(product=product)
    assert atp(make_organization(), [product.pk], buffer=0) == {product.pk: 0}


def test_a_hundred_products_take_one_statement(product, django_assert_num_queries):
    others = [make_level(product=make_product(organization=product.organization)).product for _ in range(3)]
    with django_assert_num_queries(1):
        found = atp(product.organization, [product.pk, *(other.pk for other in others)], buffer=0)
    assert list(found.values()) == [0, 10, 10, 10]
