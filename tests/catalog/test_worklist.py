"""SKUs that are nobody's: what waits, what may be meant, and what becomes of an answer."""

import pytest

from apps.api.errors import Problem
from apps.audit.models import Entry
from apps.audit.trail import Actor
from apps.catalog import remapping, worklist
from apps.catalog.models import HeldReport, Listing, Product, StockLevel, WaitingSku
from apps.catalog.pairs import Pair
from apps.integrations.connectors.base import Category
from tests.factories import (
    make_custom_integration,
    make_held_report,
    make_integration,
    make_listing,
    make_location,
    make_pair,
    make_product,
    make_shop,
    make_unlinked,
)

ANNA = Actor("anna@great-hats.example")


@pytest.fixture
def integration(db):
    return make_integration()


@pytest.fixture
def shop(integration):
    return make_shop(integration=integration, creates_products=False)


@pytest.fixture
def warehouse(integration):
    return make_custom_integration(organization=integration.organization, category=Category.LOGISTICS)


def waiting(integration):
    rows = worklist.waiting(integration).open()
    return [(row.sku, row.listings, row.reports, row.times, row.name) for row in rows]


def stands_for(sku):
    listing = Listing.objects.select_related("product").get(sku=sku)
    return listing.product and listing.product.sku


# ---- What waits


def test_68_an_unlinked_listing_waits_in_the_worklist_and_a_linked_one_does_not(integration, shop):
    make_unlinked(shop=shop, sku="HAT-1", name="Red hat")
    make_listing(shop=shop)
    assert waiting(integration) == [("HAT-1", 1, 0, 1, "Red hat")]


def test_what_is_gone_closed_or_another_integrations_does_not_wait(integration, shop):
    make_unlinked(shop=shop, removed_at="2026-01-01T00:00Z")
    make_unlinked(shop=make_shop(integration=integration, is_active=False))
    make_unlinked(shop=make_shop(integration=make_integration(organization=integration.organization)))
    make_unlinked()
    assert waiting(integration) == []


def test_the_most_frequent_come_first_each_sku_once(integration, shop, warehouse):
    other = make_shop(integration=integration)
    for one in (shop, other):
        make_unlinked(shop=one, sku="HAT-2", name="Blue hat")
    make_unlinked(shop=shop, sku="HAT-1", name="Red hat")
    assert waiting(integration) == [("HAT-2", 2, 0, 2, "Blue hat"), ("HAT-1", 1, 0, 1, "Red hat")]
    location = make_location(integration=warehouse)
    make_held_report(location=location, sku="BIN-1", times=3)
    second = make_location(integration=warehouse, ext_location_id="second")
    make_held_report(location=second, sku="BIN-1", times=4)
    assert waiting(warehouse) == [("BIN-1", 0, 2, 7, "")]
    assert worklist.counts(integration.organization) == {integration: 2, warehouse: 1}


# ---- Accepting


def test_accepting_makes_a_pair_and_releases_all_that_waited(integration, shop):
    product = make_product(organization=shop.organization, sku="OURS-1")
    for one in (shop, make_shop(integration=integration)):
        make_unlinked(shop=one, sku="HAT-1")
    made = worklist.accept(integration, {"HAT-1": product.pk}, actor=ANNA)
    assert (made.number, made.pairs, made.origin, made.note) == (
        1,
        [["HAT-1", "OURS-1"]],
        "worklist",
        "Accepted: HAT-1",
    )
    assert set(Listing.objects.values_list("product", "status", "by_hand")) == {(product.pk, "linked", False)}
    assert waiting(integration) == []


def test_accepting_a_warehouses_sku_counts_what_it_reported(warehouse):
    product = make_product(organization=warehouse.organization, sku="OURS-1")
    location = make_location(integration=warehouse)
    make_held_report(location=location, sku="BIN-1", on_hand=7)
    made = worklist.accept(warehouse, {"BIN-1": product.pk}, actor=ANNA)
    assert made.pairs == [["OURS-1", "BIN-1"]]
    assert not HeldReport.objects.exists()
    assert list(StockLevel.objects.values_list("product", "on_hand")) == [(product.pk, 7)]


def test_where_the_skus_are_equal_no_pair_is_needed(integration, shop):
    product = make_product(organization=shop.organization, sku="HAT-1")
    make_unlinked(shop=shop, sku="HAT-1", by_hand=True)
    assert worklist.accept(integration, {"HAT-1": product.pk}, actor=ANNA) is None
    assert stands_for("HAT-1") == "HAT-1"
    assert remapping.pairs_of(integration) == []
    assert Entry.objects.get(action="sku.accept").after == {"HAT-1": "HAT-1"}


def test_accepting_keeps_other_pairs_and_replaces_the_skus_own(integration, shop):
    product = make_product(organization=shop.organization, sku="OURS-1")
    make_pair(integration=integration, first="HAT-1", second="NOBODYS")
    make_pair(integration=integration, first="HAT-2", second="OURS-2")
    make_unlinked(shop=shop, sku="HAT-1")
    worklist.accept(integration, {"HAT-1": product.pk}, actor=ANNA)
    assert remapping.pairs_of(integration) == [Pair("HAT-1", "OURS-1"), Pair("HAT-2", "OURS-2")]


def test_accepting_can_be_taken_back(integration, shop):
    product = make_product(organization=shop.organization, sku="OURS-1")
    make_unlinked(shop=shop, sku="HAT-1")
    made = worklist.accept(integration, {"HAT-1": product.pk}, actor=ANNA)
    remapping.roll_back(integration, made.number - 1, actor=ANNA, based_on=made.number)
    assert waiting(integration) == [("HAT-1", 1, 0, 1, Listing.objects.get().name)]


def refused(integration, chosen):
    with pytest.raises(Problem) as caught:
        worklist.accept(integration, chosen, actor=ANNA)
    assert Listing.objects.filter(product=None).exists()
    assert remapping.newest(integration) is None
    return caught.value.details


def test_what_cannot_be_accepted_is_refused_with_everything_that_came_along(integration, shop):
    product = make_product(organization=shop.organization, sku="OURS-1")
    stranger = make_product(sku="OURS-2")
    make_unlinked(shop=shop, sku="HAT-1")
    make_unlinked(shop=shop, sku="HAT-2")
    assert refused(integration, {"HAT-1": product.pk, "HAT-9": product.pk}) == [
        ("sku", "HAT-9 does not wait here any more.")
    ]
    assert refused(integration, {"HAT-1": product.pk, "HAT-2": stranger.pk}) == [
        ("product_id", f"There is no product {stranger.pk}.")
    ]
    assert refused(integration, {"HAT-1": product.pk, "HAT-2": product.pk}) == [
        ("sku", "OURS-1 has a partner already: HAT-1.")
    ]
    make_pair(integration=integration, first="HAT-3", second="OURS-1")
    assert refused(integration, {"HAT-1": product.pk}) == [("sku", "OURS-1 has a partner already: HAT-3.")]


# ---- The sure ones


def test_the_sure_ones_are_those_that_mean_one_product_and_no_other(integration, shop):
    organization = shop.organization
    for sku in ("HAT-1", "HAT-2", "hat-3", "HAT 3", "CAP-4", "cap4"):
        make_product(organization=organization, sku=sku)
    for sku in ("hat1", "HAT2", "hat 2", "HAT3", "CAP-4", "SCARF"):
        make_unlinked(shop=shop, sku=sku)
    found = {match.waiting.sku: match.suggestion.sku for match in worklist.sure(integration)}
    assert found == {"hat1": "HAT-1"}


def test_looking_for_the_sure_ones_takes_a_statement_for_a_thousand(integration, shop, django_assert_num_queries):
    for n in range(3):
        make_product(organization=shop.organization, sku=f"HAT-{n}")
        make_unlinked(shop=shop, sku=f"hat{n}")
    with django_assert_num_queries(2):
        assert len(list(worklist.sure(integration))) == 3


# ---- New products, and what nobody cares about


def test_a_listing_becomes_a_product_of_its_own_and_its_count_is_believed(integration, shop, warehouse):
    listing = make_unlinked(shop=shop, sku="HAT-1", name="Red hat")
    make_held_report(location=make_location(integration=warehouse), sku="HAT-1", on_hand=7)
    assert worklist.make_new(integration, ["HAT-1"], actor=ANNA) == 1
    product = Product.objects.get()
    assert (product.sku, product.name, product.archived_at) == ("HAT-1", "Red hat", None)
    listing.refresh_from_db()
    assert (listing.product, listing.describes_product) == (product, True)
    assert list(StockLevel.objects.values_list("on_hand", flat=True)) == [7]


def test_what_only_a_warehouse_knows_has_no_name_to_make_a_product_of(warehouse):
    make_held_report(location=make_location(integration=warehouse), sku="BIN-1")
    with pytest.raises(Problem, match="No shop lists BIN-1"):
        worklist.make_new(warehouse, ["BIN-1"], actor=ANNA)
    assert not Product.objects.exists()


def test_an_ignored_sku_is_out_of_the_list_until_it_is_brought_back(integration, shop):
    make_unlinked(shop=shop, sku="HAT-1")
    assert worklist.ignore(integration, ["HAT-1"], actor=ANNA) == 1
    worklist.ignore(integration, ["HAT-1"], actor=ANNA)
    assert (waiting(integration), worklist.counts(integration.organization)) == ([], {})
    assert WaitingSku.objects.filter(is_ignored=True).count() == 1
    assert worklist.heed(integration, ["HAT-1"], actor=ANNA) == 1
    assert [sku for sku, *_ in waiting(integration)] == ["HAT-1"]
