from decimal import Decimal

import pytest

from apps.integrations.connectors.base import BadItem, Rejected, RemoteProduct
from apps.integrations.connectors.vendure import mapping

from .conftest import recorded

LAPTOP_PICTURE = "http://127.0.0.1:9731/assets/preview/71/derick-david-409858-unsplash__preview.jpg"


def products(name="variants", **settings):
    page = recorded(name)["data"]
    page["globalSettings"].update(settings)
    return mapping.products(mapping.variants(page, skip=0))


def variant(**changes):
    return recorded("variants")["data"]["productVariants"]["items"][0] | changes


def product(**changes):
    return mapping.product(variant(**changes), precision=2, counts_stock=True)


def test_a_variant_becomes_a_product():
    assert products().items[0] == RemoteProduct(
        ext_product_id="1",
        ext_variant_id="1",
        sku="L2201308",
        name="Laptop 13 inch 8GB",
        price=Decimal("1299.00"),
        currency="USD",
        image_src=LAPTOP_PICTURE,
        quantity=100,
    )


def test_every_variant_of_the_page_arrives_also_a_disabled_one():
    page = products()
    assert [item.ext_variant_id for item in page.items] == ["1", "2", "3", "4", "5", "6"]
    assert page.total == 88
    assert page.next_cursor == "6:88"
    assert page.bad == []


def test_an_empty_channel_is_one_empty_page():
    page = products("variants_empty")
    assert (page.items, page.next_cursor, page.total) == ([], "", 0)


def test_prices_have_the_servers_decimals_in_every_currency():
    assert [(p.price, p.currency) for p in products("variants_in_yen").items] == [
        (Decimal("194850.00"), "JPY"),
        (Decimal("209850.00"), "JPY"),
        (Decimal("49350.00"), "JPY"),
    ]


@pytest.mark.parametrize(
    ("precision", "price"), [(0, "129900"), (2, "1299.00"), (3, "129.900")], ids=["none", "two", "three"]
)
def test_a_server_may_keep_other_decimals(precision, price):
    found = products(serverConfig={"moneyStrategyPrecision": precision}).items[0]
    assert str(found.price) == price


def test_stock_that_is_not_counted_is_unknown():
    assert [p.quantity for p in products().items] == [100, None, 100, 100, 100, 100]


def test_a_variant_may_count_its_stock_where_the_server_does_not():
    page = recorded("variants")["data"]
    page["globalSettings"]["trackInventory"] = False
    page["productVariants"]["items"][0]["trackInventory"] = "TRUE"
    found = mapping.products(mapping.variants(page, skip=0)).items
    assert [p.quantity for p in found] == [100, None, None, None, None, None]


def test_stock_is_what_may_still_be_sold_over_all_locations():
    levels = [{"stockOnHand": 5, "stockAllocated": 2}, {"stockOnHand": 10, "stockAllocated": 0}]
    assert product(stockLevels=levels).quantity == 13


def test_a_variants_own_picture_goes_before_its_products():
    own, other = products().items[3].image_src, products().items[2].image_src
    assert other == LAPTOP_PICTURE
    assert own == recorded("variants")["data"]["productVariants"]["items"][3]["featuredAsset"]["preview"]


@pytest.mark.parametrize("preview", ["javascript:alert(1)", "/assets/relative.jpg", ""])
def test_what_a_browser_cannot_load_is_no_picture(preview):
    assert product(featuredAsset={"preview": preview}).image_src == ""


def test_a_variant_without_any_picture_is_still_a_product():
    assert product(product={"featuredAsset": None}).image_src == ""


@pytest.mark.parametrize("sku", ["", "  ", None])
def test_a_variant_without_a_sku_fails_alone(sku):
    page = recorded("variants")["data"]
    page["productVariants"]["items"][1]["sku"] = sku
    found = mapping.products(mapping.variants(page, skip=0))
    assert found.bad == [BadItem("Laptop 15 inch 8GB", "no_sku")]
    assert [item.ext_variant_id for item in found.items] == ["1", "3", "4", "5", "6"]
    assert found.next_cursor == "6:88"


@pytest.mark.parametrize(
    "changes",
    [
        {"sku": 7},
        {"sku": "A\x00B"},
        {"sku": "A\ud800"},
        {"name": ["Laptop"]},
        {"name": " "},
        {"price": None},
        {"price": "129900"},
        {"price": 12.5},
        {"price": True},
        {"price": 2**60},
        {"productId": ""},
        {"currencyCode": None},
        {"product": None},
        {"featuredAsset": "picture.jpg"},
        {"featuredAsset": {"preview": 1}},
        {"featuredAsset": {"preview": "http://[broken"}},
        {"stockLevels": None},
        {"stockLevels": [{"stockOnHand": "5", "stockAllocated": 0}]},
    ],
    ids=str,
)
def test_a_variant_that_cannot_be_understood_is_a_bad_item(changes):
    bad = product(**changes)
    assert isinstance(bad, BadItem)
    assert (bad.ref, bad.code) == ("1", "unreadable")


@pytest.mark.parametrize("field", sorted(variant().keys() - {"id"}))
def test_a_variant_that_lacks_a_field_is_a_bad_item(field):
    item = variant()
    del item[field]
    bad = mapping.product(item, precision=2, counts_stock=True)
    assert isinstance(bad, BadItem)
    assert (bad.ref, bad.code) == ("1", "unreadable")


@pytest.mark.parametrize("cursor", ["x", "-1", "1.5", "9999999999", "5:y", "5:6:7", " 5"])
def test_a_cursor_that_is_not_ours_is_refused(cursor):
    with pytest.raises(Rejected) as refused:
        mapping.Place.of(cursor)
    assert refused.value.code == "bad_cursor"


def test_errors_are_told_by_vendures_code():
    assert mapping.errors(recorded("forbidden")) == {
        "FORBIDDEN": "You are not currently authorized to perform this action"
    }
    assert mapping.errors(recorded("channels")) == {}
