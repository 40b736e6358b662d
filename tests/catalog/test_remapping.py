"""Saving a mapping: versions, what moves with them, and two people at once."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.api.errors import Problem
from apps.audit.models import Entry
from apps.audit.trail import Actor
from apps.catalog import mapping, remapping
from apps.catalog.models import HeldReport, Listing, Product, SkuMapping, SkuPair, StockLevel
from apps.catalog.pairs import Pair
from apps.integrations.connectors.base import Category
from apps.webhooks.models import Event
from tests.concurrency import at_once
from tests.factories import (
    make_custom_integration,
    make_held_report,
    make_integration,
    make_listing,
    make_location,
    make_member,
    make_product,
    make_shop,
)

ANNA = Actor("anna@great-hats.example")


def save(integration, *pairs, **options):
    options = {"origin": SkuMapping.Origin.LINE, "actor": ANNA} | options
    return remapping.save(integration, [Pair(*pair) for pair in pairs], **options)


def stands_for(shop):
    """What each SKU of a shop stands for now."""
    listings = Listing.objects.filter(shop=shop).select_related("product")
    return {listing.sku: listing.product and listing.product.sku for listing in listings}


@pytest.fixture
def integration(db):
    return make_integration()


@pytest.fixture
def shop(integration):
    return make_shop(integration=integration)


@pytest.fixture
def strict_shop(integration):
    """One whose unknown SKUs wait."""
    return make_shop(integration=integration, creates_products=False)


def make_good(shop, sku, *, product=None):
    """A listing of this SKU that stands for a product of the same, unless given."""
    return make_listing(
        shop=shop,
        sku=sku,
        product=product or make_product(organization=shop.organization, sku=sku),
        describes_product=product is None,
    )


# ---- Behaviour 66


def test_66_an_order_goes_from_the_first_sku_to_the_second_and_stock_back_at_a_shop(integration):
    save(integration, ("HAT-1", "OURS-1"))
    ordered = mapping.ours(integration, ["HAT-1"])["HAT-1"]
    assert ordered == "OURS-1"
    assert mapping.theirs(integration, [ordered]) == {"OURS-1": "HAT-1"}


def test_66_an_order_goes_from_the_first_sku_to_the_second_and_stock_back_at_a_warehouse(integration):
    warehouse = make_custom_integration(organization=integration.organization, category=Category.LOGISTICS)
    save(warehouse, ("OURS-1", "BIN-1"))
    sent = mapping.theirs(warehouse, ["OURS-1"])["OURS-1"]
    assert sent == "BIN-1"
    assert mapping.ours(warehouse, [sent]) == {"BIN-1": "OURS-1"}


# ---- What follows


def test_a_listing_moves_to_the_product_its_sku_means_now(integration, shop):
    make_good(shop, "HAT-1")
    make_product(organization=shop.organization, sku="OURS-1")
    save(integration, ("HAT-1", "OURS-1"))
    assert stands_for(shop) == {"HAT-1": "OURS-1"}
    left = Product.objects.get(sku="HAT-1")
    assert left.archived_at is not None
    assert list(Event.objects.filter(entity_id=str(left.pk)).values_list("type", flat=True)) == ["product.archived"]


def test_a_sku_of_ours_that_is_new_becomes_a_product_where_the_shop_makes_them(integration, shop):
    listing = make_good(shop, "HAT-1")
    save(integration, ("HAT-1", "OURS-1"))
    made = Product.objects.get(sku="OURS-1")
    assert (made.name, made.price) == (listing.name, listing.price)
    assert stands_for(shop) == {"HAT-1": "OURS-1"}
    assert list(Event.objects.filter(entity_id=str(made.pk)).values_list("type", "sequence")) == [
        ("product.created", 1)
    ]


def test_where_a_shop_makes_no_products_the_listing_waits(integration, strict_shop):
    make_good(strict_shop, "HAT-1")
    save(integration, ("HAT-1", "NOBODYS"))
    assert stands_for(strict_shop) == {"HAT-1": None}


def test_what_was_linked_by_hand_stays(integration, shop):
    chosen = make_product(organization=shop.organization, sku="CHOSEN")
    Listing.objects.filter(pk=make_good(shop, "HAT-1", product=chosen).pk).update(by_hand=True)
    make_product(organization=shop.organization, sku="OURS-1")
    save(integration, ("HAT-1", "OURS-1"))
    assert stands_for(shop) == {"HAT-1": "CHOSEN"}


def test_listings_of_other_integrations_and_organizations_stay_where_they_are(integration, shop):
    make_product(organization=shop.organization, sku="OURS-1")
    neighbour = make_shop(integration=make_integration(organization=shop.organization))
    stranger = make_shop()
    make_good(neighbour, "HAT-1")
    make_good(stranger, "HAT-1")
    save(integration, ("HAT-1", "OURS-1"))
    assert stands_for(neighbour) == stands_for(stranger) == {"HAT-1": "HAT-1"}


def test_no_mapping_leads_to_a_product_of_another_organization(integration, strict_shop):
    make_good(strict_shop, "HAT-1")
    make_product(sku="THEIRS")
    save(integration, ("HAT-1", "THEIRS"))
    assert stands_for(strict_shop) == {"HAT-1": None}


def test_a_count_that_waited_for_its_sku_is_believed(integration):
    warehouse = make_custom_integration(organization=integration.organization, category=Category.LOGISTICS)
    product = make_product(organization=integration.organization, sku="OURS-1")
    location = make_location(integration=warehouse)
    make_held_report(location=location, sku="BIN-1", on_hand=7)
    make_held_report(location=location, sku="BIN-2", on_hand=9)
    save(warehouse, ("OURS-1", "BIN-1"))
    assert list(HeldReport.objects.values_list("sku", flat=True)) == ["BIN-2"]
    assert list(StockLevel.objects.values_list("product", "on_hand")) == [(product.pk, 7)]


def test_saving_takes_as_many_statements_for_many_pairs_as_for_one(integration, shop):
    counts = []
    save(integration, ("HAT-0", "OURS"))
    for n in (1, 300):
        make_good(shop, f"HAT-{n}")
        with CaptureQueriesContext(connection) as done:
            save(integration, *((f"HAT-{k}", f"OURS-{n}-{k}") for k in range(n + 1)))
        counts.append(len(done))
    assert counts[0] == counts[1] <= 30


# ---- Versions


def test_each_saving_is_a_version_that_says_who_when_and_how(integration):
    anna = make_member(organization=integration.organization)
    save(integration, ("A", "B"), by=anna, note="from the old system")
    made = save(integration, ("A", "B"), ("C", "D"), origin=SkuMapping.Origin.FILE)
    assert [
        (one.number, one.pairs, one.origin, one.note, one.created_by) for one in remapping.versions(integration)
    ] == [
        (2, [["A", "B"], ["C", "D"]], "file", "", None),
        (1, [["A", "B"]], "line", "from the old system", anna),
    ]
    assert remapping.newest(integration) == made
    entry = Entry.objects.filter(action="mapping.save").latest("pk")
    assert (entry.actor, entry.integration_id) == (ANNA.text, integration.pk)
    assert (entry.before, entry.after) == (
        {"version": 1, "pairs": 1},
        {"version": 2, "pairs": 2, "origin": "file"},
    )


def test_only_pairs_that_differ_are_written(integration):
    save(integration, ("A", "B"), ("C", "D"))
    kept = SkuPair.objects.get(first="A")
    save(integration, ("A", "B"), ("C", "E"), ("F", "D"))
    assert SkuPair.objects.get(first="A").pk == kept.pk
    assert remapping.pairs_of(integration) == [Pair("A", "B"), Pair("C", "E"), Pair("F", "D")]


def test_partners_may_be_swapped(integration):
    save(integration, ("A", "B"), ("C", "D"))
    save(integration, ("A", "D"), ("C", "B"))
    assert remapping.pairs_of(integration) == [Pair("A", "D"), Pair("C", "B")]


def test_what_is_as_it_was_makes_no_version(integration):
    first = save(integration, ("A", "B"), ("C", "D"))
    assert save(integration, ("C", "D"), ("A", "B")) == first
    assert SkuMapping.objects.count() == 1


def test_rolling_back_is_a_new_version_and_listings_follow(integration, shop):
    make_good(shop, "HAT-1")
    make_product(organization=shop.organization, sku="OURS-1")
    save(integration, ("HAT-1", "OURS-1"))
    save(integration)
    assert stands_for(shop) == {"HAT-1": "HAT-1"}
    made = remapping.roll_back(integration, 1, actor=ANNA)
    assert (made.number, made.pairs, made.origin, made.note) == (
        3,
        [["HAT-1", "OURS-1"]],
        "rollback",
        "Version 1 again",
    )
    assert stands_for(shop) == {"HAT-1": "OURS-1"}


def test_one_can_go_back_to_the_time_before_the_first_version(integration):
    save(integration, ("A", "B"))
    assert remapping.roll_back(integration, 0, actor=ANNA).pairs == []


def test_nobody_can_go_back_to_a_version_that_never_was_or_is_anothers(integration):
    neighbour = make_integration(organization=integration.organization)
    save(neighbour, ("A", "B"))
    with pytest.raises(Problem, match="There is no version 1"):
        remapping.roll_back(integration, 1, actor=ANNA)


@pytest.mark.parametrize("based_on", [0, 2, -1])
def test_saving_over_somebody_elses_version_is_refused_and_changes_nothing(integration, based_on):
    save(integration, ("A", "B"))
    with pytest.raises(Problem) as caught:
        save(integration, ("A", "C"), based_on=based_on)
    assert caught.value.code == "stale_version"
    assert caught.value.detail == "Somebody saved version 1 meanwhile. Look at it, and save again."
    assert remapping.pairs_of(integration) == [Pair("A", "B")]
    assert save(integration, ("A", "C"), based_on=1).number == 2


@pytest.mark.django_db(transaction=True)
def test_of_two_who_save_at_once_one_is_told_to_look_again():
    integration = make_integration()
    numbers = iter("XY")
    outcomes = at_once(2, lambda: save(integration, ("A", next(numbers)), based_on=0))
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Problem", "SkuMapping"]
    assert [one.number for one in SkuMapping.objects.all()] == [1]


@pytest.mark.django_db(transaction=True)
def test_two_who_save_at_once_without_looking_make_two_versions():
    integration = make_integration()
    numbers = iter("XY")
    at_once(2, lambda: save(integration, ("A", next(numbers))))
    newest, older = SkuMapping.objects.all()
    assert (newest.number, older.number) == (2, 1)
    assert [list(pair) for pair in remapping.pairs_of(integration)] == newest.pairs
