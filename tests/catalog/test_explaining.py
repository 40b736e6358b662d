"""Every number explains itself (behaviours 62 and 64): totals, the ledger page by page, reservations, what was told."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.audit.trail import Actor
from apps.catalog import by_hand, explaining, promising, stocking
from apps.catalog.explaining import Stock
from apps.catalog.models import StockMovement
from apps.catalog.stocking import By, Change
from tests.factories import (
    make_held_report,
    make_integration,
    make_level,
    make_listing,
    make_location,
    make_product,
    make_publication,
    make_shop,
)

ORDER = StockMovement.Cause.ORDER


@pytest.fixture
def product(db):
    return make_product(sku="HAT-1", barcodes=["4006381333931"])


@pytest.fixture
def shelf(product):
    return make_location(organization=product.organization, name="A-1")


def store(product, shelf, pieces, *, times=1):
    for n in range(times):
        assert not by_hand.store(product, shelf, pieces, entry=f"{shelf.pk} {n}", actor=Actor("anna")).refused


def test_totals_leave_out_what_may_not_be_sold(product, shelf):
    make_level(product=product, location=shelf, on_hand=9, reserved=4, incoming=3, reserved_incoming=1)
    make_level(product=product, on_hand=2)
    make_level(product=product, location=make_location(organization=product.organization, is_active=False))
    make_level(product=product, location=make_location(organization=product.organization, excluded_from_totals=True))
    make_level()
    found = explaining.totals(product.organization, [product.pk, make_product().pk])
    assert found == {product.pk: Stock(11, 4, 3, 1)}
    assert (found[product.pk].available, found[product.pk].promised) == (7, 9)


@pytest.mark.parametrize("buffer", [0, 2, 9, 50])
def test_what_a_store_may_sell_is_what_it_is_told(product, shelf, buffer):
    make_level(product=product, location=shelf, on_hand=9, reserved=4, incoming=3, reserved_incoming=1)
    integration = make_integration(organization=product.organization, stock_buffer=buffer)
    make_listing(product=product, shop=make_shop(integration=integration))
    (told,) = explaining.explain(product).told
    expected = promising.atp(product.organization, [product.pk], buffer=buffer)[product.pk]
    assert (told.buffer, told.may_sell, told.publication) == (buffer, expected, None)


def test_what_was_told_stands_beside_it(product):
    listing = make_listing(product=product)
    publication = make_publication(listing=listing, quantity=7, told_at=timezone.now())
    (told,) = explaining.explain(product).told
    assert (told.listing, told.publication) == (listing, publication)


def test_the_ledger_is_read_page_by_page_whole_and_newest_first(product, shelf, monkeypatch):
    monkeypatch.setattr(explaining, "LINES", 4)
    other = make_location(organization=product.organization)
    for n in range(5):
        by_hand.store(product, shelf, 1, entry=f"{n}", actor=Actor("anna"))
        by_hand.store(product, other, 2, entry=f"{n}", actor=Actor("anna"))
    store(product, make_location(organization=product.organization), 3)
    levels = explaining.levels_of(product.organization, [product.pk])
    found, before, pages = [], "", 0
    while pages == 0 or before:
        page = explaining.ledger(levels, before=before)
        found, before, pages = [*found, *page.lines], page.older, pages + 1
    every = list(StockMovement.objects.order_by("-id"))
    assert (pages, [line.movement for line in found]) == (3, every)
    assert [line.level.pk for line in found] == [movement.level_id for movement in every]


@pytest.mark.parametrize("cursor", ["", "x", "1", "1.", "1.2.3", "1.2-", "9" * 40, "1." + "9" * 30, "-1.1", "\u0661.1"])
def test_a_cursor_that_makes_no_sense_begins_at_the_newest(product, shelf, cursor):
    store(product, shelf, 1)
    (level,) = levels = explaining.levels_of(product.organization, [product.pk])
    assert [line.level for line in explaining.ledger(levels, before=cursor).lines] == [level]


def test_a_cursor_of_another_product_shows_nothing_of_it(product, shelf):
    foreign = make_level()
    store(product, shelf, 1)
    levels = explaining.levels_of(product.organization, [product.pk])
    page = explaining.ledger(levels, before=f"{foreign.pk}.99")
    assert [line.level for line in page.lines] == levels


def test_what_is_reserved_says_for_which_order(product, shelf):
    store(product, shelf, 20)
    for order, pieces in (("order-1", 3), ("order-2", 5), ("order-3", 2)):
        wanted = [Change(product.pk, shelf.pk, reserved=pieces)]
        assert stocking.reserve(product.organization, wanted, by=By(ORDER, "orders", reference=order))
    stocking.release(
        product.organization, [Change(product.pk, shelf.pk, reserved=2)], by=By(ORDER, "orders", reference="order-3")
    )
    assert explaining.explain(product).reserved_for == [("order-2", 5), ("order-1", 3)]


def test_counts_that_wait_for_a_sku_that_looks_like_this_one_are_named(product):
    there = make_location(integration=make_integration(organization=product.organization))
    meant = [make_held_report(location=there, sku=sku) for sku in ("4006381333931", "hat-1")]
    make_held_report(location=there, sku="HAT-2")
    make_held_report(sku="HAT-1")
    assert explaining.explain(product).held == meant


def test_a_line_says_when_we_heard_of_it_only_when_that_was_later(product, shelf):
    now = timezone.now()
    level = make_level(product=product, location=shelf, version=0)
    for ago in (timedelta(seconds=59), timedelta(minutes=5)):
        level.version += 1
        StockMovement.objects.create(
            organization=product.organization, level=level, sequence=level.version, cause="report", on_hand_change=1,
            on_hand=11, reserved=0, incoming=0, reserved_incoming=0, occurred_at=now - ago, created_at=now,
        )  # fmt: skip
    later = [line.was_heard_later for line in explaining.ledger([level]).lines]
    assert later == [True, False, False]


@pytest.mark.parametrize("rows", [1, 3])
def test_a_number_is_explained_in_as_many_queries_for_three_as_for_one(product, rows, django_assert_num_queries):
    for _ in range(rows):
        warehouse = make_integration(organization=product.organization)
        place = make_location(organization=product.organization, integration=warehouse, ext_location_id="1")
        make_level(product=product, location=place, reserved=1)
        make_publication(listing=make_listing(product=product))
        make_held_report(location=place, sku=product.sku)
    with django_assert_num_queries(6):
        explained = explaining.explain(product)
        for line in explained.ledger.lines:
            assert line.story and str(line.level.location.integration) and not line.movement.integration
        for told in explained.told:
            assert str(told.listing.shop.integration) and told.publication
        for report in explained.held:
            assert str(report.integration)
