"""What platforms are owed, and when: what is marked, what joins, what is enlisted (behaviour 68)."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from apps.catalog import owing
from apps.catalog.models import Listing, Publication, StockFeed
from apps.shops.models import Connection
from tests.factories import (
    make_connection,
    make_integration,
    make_level,
    make_listing,
    make_location,
    make_product,
    make_publication,
)

pytestmark = pytest.mark.django_db
LONG_AGO = timezone.now() - timedelta(days=1)


@pytest.fixture
def connection() -> Connection:
    """At a platform that takes stock."""
    return make_connection()


@pytest.fixture
def listing(connection) -> Listing:
    """One whose product somebody has counted."""
    made = make_listing(shop=connection.shop)
    make_level(product=made.product)
    return made


@pytest.fixture
def told(listing) -> Publication:
    """What the platform was told a day ago, and nothing is owed."""
    return make_publication(listing=listing, quantity=10, told_at=LONG_AGO, due_at=None)


def fresh(publication: Publication) -> Publication:
    publication.refresh_from_db()
    return publication


def waits(publication: Publication) -> float:
    """Seconds until it is due."""
    return (fresh(publication).due_at - timezone.now()).total_seconds()


def enlisted(connection: Connection) -> list[Listing]:
    owing.enlist(connection.shop)
    return [one.listing for one in Publication.objects.select_related("listing").order_by("listing")]


# ---- Marking


def test_a_change_is_owed_a_moment_later_so_that_further_changes_join(told):
    owing.owe(told.organization, [told.product_id])
    assert 0.05 < waits(told) < 0.26


def test_a_further_change_joins_and_postpones_nothing(told):
    owing.owe(told.organization, [told.product_id])
    first = fresh(told).due_at
    owing.owe(told.organization, [told.product_id])
    assert fresh(told).due_at == first


def test_what_was_told_just_now_waits_until_a_second_later(told):
    Publication.objects.update(told_at=timezone.now())
    owing.owe(told.organization, [told.product_id])
    assert 0.7 < waits(told) < 1.0


def test_a_change_while_it_is_being_told_is_owed_once_more(told):
    Publication.objects.update(due_at=timezone.now() + timedelta(seconds=90), is_being_told=True)
    owing.owe(told.organization, [told.product_id])
    assert (0.5 < waits(told) <= 1.0, fresh(told).is_being_told) == (True, False)


def test_other_products_and_organizations_are_left_alone(told):
    other = make_publication(due_at=None)
    owing.owe(told.organization, [other.product_id])
    assert (fresh(told).due_at, fresh(other).due_at) == (None, None)


def test_a_place_that_is_closed_or_opened_concerns_what_lies_there(told):
    elsewhere = make_publication(listing=make_listing(shop=told.shop), due_at=None)
    here = told.product.stock_levels.get().location
    owing.owe_location(here)
    assert (waits(told) < 0.26, fresh(elsewhere).due_at) == (True, None)


def test_a_place_of_the_3pl_concerns_every_customer_with_goods_there(told):
    shared = make_location(shared=True)
    others = make_publication(due_at=None)
    for publication in (told, others):
        make_level(product=publication.product, location=shared)
    owing.owe_location(shared)
    assert [waits(one) < 0.26 for one in (told, others)] == [True, True]


def test_a_new_buffer_concerns_all_listings_of_the_integration(told):
    others = make_publication(due_at=None)
    owing.owe_integration(told.shop.integration)
    assert (waits(told) < 0.26, fresh(others).due_at) == (True, None)


@pytest.mark.parametrize("products", [1, 3])
def test_marking_takes_one_statement_for_any_number(told, products, django_assert_num_queries):
    more = [make_publication(listing=make_listing(shop=told.shop), due_at=None) for _ in range(products - 1)]
    with django_assert_num_queries(1):
        owing.owe(told.organization, [told.product_id, *(one.product_id for one in more)])
    assert Publication.objects.filter(due_at=None).count() == 0


@pytest.mark.django_db(transaction=True)
def test_the_doorbell_rings_once_for_a_shop_after_commit_and_not_for_what_joins(told, monkeypatch):
    rung = []
    monkeypatch.setattr(owing, "_send", rung.append)
    with transaction.atomic():
        owing.owe(told.organization, [told.product_id])
        assert rung == []
    owing.owe(told.organization, [told.product_id])
    assert rung == [told.shop_id]


# ---- Enlisting: behaviour 68


def test_a_linked_listing_is_enlisted_and_owed_if_somebody_counted_its_product(connection, listing):
    uncounted = make_listing(shop=connection.shop)
    assert enlisted(connection) == [listing, uncounted]
    first, second = Publication.objects.order_by("listing")
    assert (first.product, first.quantity, first.due_at <= timezone.now()) == (listing.product, None, True)
    assert (second.product, second.quantity, second.due_at) == (uncounted.product, None, None)
    assert StockFeed.objects.get().shop == connection.shop


@pytest.mark.parametrize(
    "fields",
    [{"status": "unlinked"}, {"stock_sync_enabled": False}, {"removed_at": LONG_AGO}],
    ids=["unlinked", "switched off", "gone"],
)
def test_a_listing_that_is_not_told_its_stock_is_left_out_also_when_it_was_told_before(connection, listing, fields):
    assert enlisted(connection) == [listing]
    Listing.objects.filter(pk=listing.pk).update(**fields)
    assert enlisted(connection) == []


def test_enlisting_again_changes_nothing(connection, told):
    before = Publication.objects.values().get()
    assert enlisted(connection) == [told.listing]
    assert Publication.objects.values().get() == before


def test_a_listing_that_stands_for_another_product_now_is_owed_that_ones_stock(connection, told):
    other = make_product(organization=connection.organization)
    Listing.objects.update(product=other)
    assert enlisted(connection) == [told.listing]
    publication = fresh(told)
    assert (publication.product, publication.quantity, publication.told_at) == (other, None, None)
    assert publication.due_at <= timezone.now()


def test_a_shop_that_was_never_connected_or_whose_platform_takes_no_stock_has_no_rows(listing):
    Connection.objects.update(state=Connection.State.DISCONNECTED)
    owing.enlist(listing.shop)
    unknown = make_listing(shop=make_connection(integration=make_integration(connector="gone")).shop)
    owing.enlist(unknown.shop)
    assert (Publication.objects.count(), StockFeed.objects.count()) == (0, 0)


@pytest.mark.parametrize("listings", [1, 3])
def test_enlisting_takes_as_many_statements_for_any_number(connection, listings, django_assert_num_queries):
    for _ in range(listings):
        make_level(product=make_listing(shop=connection.shop).product)
    owing.enlist(connection.shop)
    Publication.objects.all().delete()
    with django_assert_num_queries(7):
        owing.enlist(connection.shop)
    assert Publication.objects.count() == listings


def test_everything_a_shop_was_told_can_be_owed_again_but_nothing_of_what_nobody_counted(connection, told):
    make_listing(shop=connection.shop)
    assert owing.owe_everything(connection.shop) == 1
    assert (fresh(told).quantity, fresh(told).due_at <= timezone.now()) == (None, True)
