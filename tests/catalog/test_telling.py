"""Who hears of products and of stock, and what they are told."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from apps.audit.trail import Actor
from apps.catalog import registering, stocking, telling
from apps.catalog.models import Listing, Location, Product, StockLevel, StockMovement
from apps.catalog.stocking import By, Change
from apps.webhooks import schemas
from apps.webhooks.models import Event
from tests.factories import (
    make_level,
    make_listing,
    make_location,
    make_organization,
    make_partner_integration,
    make_product,
)
from tests.webhooks.hearing import World, audience, compare, fits, make_world

from .goods import good, read, take_in
from .partners import open_shop

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def world() -> World:
    return make_world()


def goods(world):
    """A product for each way in which shops may list it."""
    first, second, store = world.first, world.second, world.store
    lists = {"A": [first], "B": [second], "AB": [first, second], "S": [store], "ABS": [first, second, store], "N": []}
    for sku, shops in lists.items():
        product = make_product(organization=world.organization, sku=sku)
        for shop in shops:
            make_listing(shop=shop, product=product)
    make_listing(
        shop=first, product=make_product(organization=world.organization, sku="GONE"), removed_at=timezone.now()
    )
    make_product(sku="THEIRS")
    return Product.objects.order_by("sku")


def test_of_a_product_hears_whoever_may_see_it(world):
    seen = compare("product", goods(world), world.principals)
    assert seen == {
        "first": {"A", "AB", "ABS"},
        "second": {"B", "AB", "ABS"},
        "partner": {"A", "B", "AB", "ABS"},
        "wms": set(),
        "other wms": set(),
        "wide": {"A", "B", "AB", "S", "ABS", "N", "GONE"},
        "stranger": set(),
        "strange wide": set(),
    }


def test_of_stock_hears_who_lists_the_good_and_who_keeps_it(world):
    by_hand = make_location(organization=world.organization, name="Shelf")
    grid = make_location(integration=world.wms, kind=Location.Kind.EXTERNAL, name="Grid")
    for product in goods(world).filter(organization=world.organization):
        for place in (by_hand, grid):
            make_level(product=product, location=place)
    make_level()
    seen = compare("stock_level", StockLevel.objects.select_related("product", "location"), world.principals)
    assert {row.split(" at ")[1] for row in seen["wms"]} == {"Grid"}
    assert {who: len(rows) for who, rows in seen.items()} == {
        "first": 6,
        "second": 6,
        "partner": 8,
        "wms": 7,
        "other wms": 0,
        "wide": 14,
        "stranger": 0,
        "strange wide": 0,
    }


def test_whoever_gave_up_the_last_listing_of_a_product_hears_that_it_is_archived(world):
    first, second = world.first, world.second
    product = make_product(organization=world.organization, archived_at=NOON)
    make_listing(shop=first, product=product, removed_at=NOON)
    make_listing(shop=second, product=product, removed_at=NOON - timedelta(days=1))
    assert audience("product", [product.pk]) == {str(product.pk): {(first.pk, first.integration_id)}}


@pytest.mark.django_db(transaction=True)  # within one transaction every moment is the same
@pytest.mark.parametrize("way", ["delisted", "no longer listed"])
def test_however_it_was_given_up_its_last_shop_is_told(way):
    partner = make_partner_integration()
    (first, _), (second, _) = open_shop(partner), open_shop(partner)
    take_in(first, good())
    take_in(second, good())
    product = Product.objects.get()
    for shop in (second, first):
        if way == "delisted":
            registering.delist(product, list(Listing.objects.filter(shop=shop)), actor=Actor("Anna"))
        else:
            read(shop)
    event = Event.objects.get(type="product.archived")
    assert audience("product", [event.entity_id]) == {str(product.pk): {(first.pk, partner.pk)}}


def test_a_product_is_described_as_the_api_shows_it():
    product = make_product(
        sku="HAT-1",
        name="Top hat",
        barcodes=["871"],
        price=Decimal("19.9500"),
        currency="EUR",
        weight=Decimal("250.000"),
        height=Decimal("120.125"),
        tags=["summer"],
    )
    Product.objects.filter(pk=product.pk).update(created_at=NOON, updated_at=NOON)
    assert telling.products([str(product.pk)]) == {
        str(product.pk): {
            "id": product.pk,
            "sku": "HAT-1",
            "name": "Top hat",
            "barcodes": ["871"],
            "image_src": "",
            "price": {"currency": "EUR", "value": "19.95"},
            "weight": 250,
            "length": None,
            "width": None,
            "height": 120.125,
            "hs_code": "",
            "country_of_origin": "",
            "brand": "",
            "type": "",
            "tags": ["summer"],
            "version": 1,
            "created_at": "2026-11-21T12:00:00.000Z",
            "updated_at": "2026-11-21T12:00:00.000Z",
            "archived_at": None,
        }
    }
    bare = make_product(price=None, archived_at=NOON)
    for told in telling.products([str(product.pk), str(bare.pk)]).values():
        assert fits(told, schemas.PRODUCT) == []


def test_stock_is_told_with_what_it_is_of_and_where_it_lies():
    product = make_product(sku="HAT-1", name="Top hat")
    place = make_location(organization=product.organization, name="Shelf", kind=Location.Kind.GRID)
    stocking.change(product.organization, [Change(product.pk, place.pk, on_hand=5)], by=By("operator", "Anna"))
    event = Event.objects.get(type="stock.changed")
    assert event.data == {
        "product_id": product.pk,
        "sku": "HAT-1",
        "name": "Top hat",
        "location_id": str(place.pk),
        "location_name": "Shelf",
        "location_kind": "grid",
        "in_stock": 5,
        "reserved": 0,
        "available": 5,
        "incoming": 0,
        "cause": "operator",
        "change": 5,
    }
    assert fits(event.data, schemas.STOCK) == []


def test_what_is_gone_is_described_by_nobody():
    assert telling.products(["1"]) == {}
    assert audience("product", [1]) == audience("stock_level", [1]) == {"1": set()}


@pytest.mark.parametrize("many", [1, 500])
def test_many_are_described_with_one_statement(django_assert_num_queries, many):
    organization = make_organization()
    products = Product.objects.bulk_create(
        Product(organization=organization, sku=f"SKU-{n}", name="Hat") for n in range(many)
    )
    with django_assert_num_queries(1):
        assert len(telling.products([str(row.pk) for row in products])) == many


def test_the_words_of_the_schema_are_the_models():
    assert list(schemas.PLACES) == Location.Kind.values
    assert list(schemas.CAUSES) == StockMovement.Cause.values
