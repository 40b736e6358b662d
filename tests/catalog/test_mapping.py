"""Which side of a pair is ours: behaviour 66, both ways, of a shop and of a warehouse."""

import pytest

from apps.catalog import mapping
from apps.integrations.connectors.base import Category
from tests.factories import make_custom_integration, make_integration, make_pair

ODD = ["帽子", " x", "a,b:c", "007", "7"]


def test_the_first_sku_of_a_shops_pair_is_the_shops_and_the_second_ours(db):
    shop = make_integration()
    make_pair(integration=shop, first="SHOP-1", second="OURS-1")
    assert mapping.ours(shop, ["SHOP-1", "SHOP-2", "OURS-1"]) == {
        "SHOP-1": "OURS-1",
        "SHOP-2": "SHOP-2",
        "OURS-1": "OURS-1",
    }
    assert mapping.theirs(shop, ["OURS-1", "OURS-2"]) == {"OURS-1": "SHOP-1", "OURS-2": "OURS-2"}


@pytest.mark.parametrize("category", [Category.SHOP, Category.ERP, Category.SHIPPING, Category.PAYMENT])
def test_of_everything_but_a_warehouse_the_second_is_ours(db, category):
    assert mapping.sides(make_custom_integration(category=category)) == ("second", "first")


def test_the_first_sku_of_a_warehouses_pair_is_ours_and_the_second_the_warehouses(db):
    warehouse = make_custom_integration(category=Category.LOGISTICS)
    make_pair(integration=warehouse, first="OURS-1", second="BIN-1")
    assert mapping.theirs(warehouse, ["OURS-1"]) == {"OURS-1": "BIN-1"}
    assert mapping.ours(warehouse, ["BIN-1", "BIN-2"]) == {"BIN-1": "OURS-1", "BIN-2": "BIN-2"}


def test_one_integrations_pairs_say_nothing_about_another(db):
    pair = make_pair(first="A", second="B")
    neighbour = make_integration(organization=pair.organization)
    assert mapping.ours(neighbour, ["A"]) == {"A": "A"}
    assert mapping.ours(make_integration(), ["A"]) == {"A": "A"}


def test_an_unknown_connectors_mapping_is_read_like_a_shops(db):
    removed = make_integration(connector="removed")
    make_pair(integration=removed, first="A", second="B")
    assert mapping.ours(removed, ["A"]) == {"A": "B"}


@pytest.mark.parametrize("skus", [[], ["A"], ODD, [str(n) for n in range(10_000)]], ids=["none", "one", "odd", "many"])
def test_any_number_of_skus_is_one_statement(db, django_assert_num_queries, skus):
    shop = make_integration()
    with django_assert_num_queries(1 if skus else 0):
        assert mapping.ours(shop, iter(skus)) == {sku: sku for sku in skus}
