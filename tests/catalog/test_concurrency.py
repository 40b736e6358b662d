"""Shops of one organization that are read at the same time."""

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from django.db import transaction

from apps.catalog import importing
from apps.catalog.models import Product
from tests.concurrency import at_once, in_thread, wait_until_blocked
from tests.factories import make_integration, make_shop

from .goods import check, good, listed, read, take_in

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def shops():
    """Two shops of one organization."""
    first = make_shop()
    return first, make_shop(integration=make_integration(organization=first.organization))


def merge(shop, *items):
    return importing.merge(shop, [importing.sort_out(items)], run=uuid4())


def test_two_shops_that_bring_the_same_skus_at_once_share_their_products(shops):
    turns = iter(shops)
    goods = [good(number) for number in range(40)]
    merged = at_once(2, lambda: merge(next(turns), *goods))
    assert merged == [importing.Merged(created=40)] * 2
    assert Product.objects.count() == 40
    check(shops[0].organization)


def test_pages_in_opposite_orders_do_not_deadlock(shops):
    for shop in shops:
        take_in(shop, *(good(number) for number in range(40)))
    turns = iter([(shops[0], 1), (shops[1], -1)])

    def rewrite():
        shop, step = next(turns)
        for edition in range(5):
            merge(shop, *[good(number, name=f"Edition {edition}") for number in range(40)][::step])
        return True

    assert at_once(2, rewrite) == [True, True]
    check(shops[0].organization)


def test_a_product_without_a_describer_gets_one_from_two_shops_at_once(shops):
    for shop in shops:
        read(shop, [good(1)])
        read(shop, [])
    turns = iter(shops)
    assert at_once(2, lambda: merge(next(turns), good(1))) == [importing.Merged(updated=1)] * 2
    check(shops[0].organization)


def test_a_product_stays_current_when_one_shop_drops_it_while_another_takes_it_up(shops):
    first, second = shops
    read(first, [good(1)])
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            merge(second, good(1))
            removing = in_thread(pool, lambda: importing.remove_unseen(first, run=uuid4()))
            wait_until_blocked()
        assert removing.result(timeout=10) == 1
    check(first.organization)
    assert Product.objects.get().archived_at is None
    assert (listed(first), listed(second)) == (set(), {good(1)})


def test_shops_of_different_organizations_do_not_wait_for_each_other(shops):
    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        merge(shops[0], good(1))
        elsewhere = make_shop_now(pool)
        assert in_thread(pool, lambda: merge(elsewhere, good(1))).result(timeout=10) == importing.Merged(created=1)


def make_shop_now(pool):
    return in_thread(pool, make_shop).result(timeout=10)
