import json
from decimal import Decimal

import pytest

from apps.integrations.connectors.base import BadItem, Page, RemoteBrand, RemoteProduct, Unreachable
from apps.integrations.connectors.otter import mapping

from . import recorded


def summary(**fields: object) -> dict[str, object]:
    return {"id": "1", "name": "Panama"} | fields


def test_a_summary_becomes_a_product():
    [panama, bowler] = mapping.products(recorded("summaries")).items
    assert panama == RemoteProduct(
        ext_product_id="90000000-0000-4000-8000-000000000001",
        sku="HAT-PAN-WHT-M",
        name="Panama Hat, white, M",
        barcodes=("04006381333931",),
        price=Decimal("39.95"),
        currency="EUR",
        image_src="https://pictures.example.com/panama.jpg",
        quantity=12,
    )
    assert bowler == RemoteProduct(
        ext_product_id="90000000-0000-4000-8000-000000000002",
        sku="90000000-0000-4000-8000-000000000002",
        name="Bowler",
        quantity=0,
    )


def test_the_published_names_of_a_page_are_understood_too():
    page = mapping.products(recorded("summaries_published"))
    assert ([item.sku for item in page.items], page.next_cursor) == (["HAT-BER-RED"], "page-3")


@pytest.mark.parametrize(
    ("data", "cursor"),
    [
        ({"items": []}, ""),
        ({"items": [], "offsetToken": None}, ""),
        ({"items": [], "offsetToken": ""}, ""),
        ({"items": [], "offsetToken": "next"}, "next"),
        ({"items": [], "offsetToken": 7}, "7"),
    ],
)
def test_a_page_without_a_token_is_the_last(data, cursor):
    assert mapping.products(data) == mapping.page(data, mapping.brand) == Page([], cursor)


@pytest.mark.parametrize(
    "bad",
    [
        {"name": "no id"},
        {"id": None, "name": "no id"},
        {"id": "", "name": "no id"},
        {"id": [], "name": "no id"},
        {"id": "2"},
        {"id": "2", "name": None},
        {"id": "2", "name": ""},
        {"id": "2", "name": {}},
        {"id": "2", "name": "x", "price": {"amount": "dear"}},
        {"id": "2", "name": "x", "price": [1]},
        {"id": "2", "name": "x", "price": 5},
        {"id": "2", "name": "x", "sellableQuantity": 1.5},
        {"id": "2", "name": "x", "sellableQuantity": True},
        {"id": "2", "name": "x", "sellableQuantity": "many"},
        {"id": "2", "name": "x", "sellableQuantity": float("inf")},
        {"id": "2", "name": "x", "sellableQuantity": float("nan")},
        {"id": "2", "name": "x", "sellableQuantity": 10**400},
        {"id": "2", "name": "x", "sellableQuantity": []},
        None,
        "hat",
        7,
        [],
    ],
    ids=lambda value: json.dumps(value)[:60],
)
def test_an_item_that_cannot_be_read_fails_alone(bad):
    page = mapping.products({"items": [summary(id="1"), bad, summary(id="3")]})
    assert [item.ext_product_id for item in page.items] == ["1", "3"]
    assert [item.code for item in page.bad] == ["unreadable"]


@pytest.mark.parametrize(
    ("bad", "ref"),
    [
        ({"id": "2"}, "2"),
        ({"externalId": "SKU"}, "SKU"),
        ({"id": "x" * 300}, "x" * 255),
        ({"id": "a\x00b"}, "?"),
        ({"id": "\ud800"}, "?"),
        (None, "?"),
        ({}, "?"),
    ],
)
def test_an_item_that_cannot_be_read_is_named_as_well_as_can_be(bad, ref):
    assert [item.ref for item in mapping.products({"items": [bad]}).bad] == [ref]


@pytest.mark.parametrize("id", ["", None, {}, "x" * 256, "a\x00b", "\ud800"])
def test_a_brand_or_store_without_a_usable_id_fails_alone(id):
    data = {"items": [{"id": id, "name": "Top Hats"}, {"id": "2", "name": "Bowlers"}]}
    assert mapping.page(data, mapping.brand).items == [RemoteBrand("2", "Bowlers")]
    assert [store.id for store in mapping.page(data, mapping.store).items] == ["2"]
    assert [type(item) for item in mapping.page(data, mapping.brand).bad] == [BadItem]


@pytest.mark.parametrize("data", [None, [], 7, "items", {}, {"items": None}, {"items": {}}, {"items": "abc"}])
def test_a_page_without_a_list_cannot_be_read(data):
    for read in (mapping.products, lambda data: mapping.page(data, mapping.brand)):
        with pytest.raises(Unreachable) as garbled:
            read(data)
        assert garbled.value.code == "garbled"


@pytest.mark.parametrize("token", ["a\x00b", "\ud800"])
def test_a_page_with_an_unusable_token_cannot_be_read(token):
    with pytest.raises(Unreachable) as garbled:
        mapping.products({"items": [], "offsetToken": token})
    assert garbled.value.code == "garbled"


@pytest.mark.parametrize("data", [None, [], {}, {"id": "1"}, {"name": "x"}, {"id": "1", "name": ""}, {"storeId": None}])
def test_a_single_thing_without_its_texts_cannot_be_read(data):
    for read in (mapping.organization, mapping.one_store, mapping.connected_as):
        with pytest.raises(Unreachable) as garbled:
            read(data)
        assert garbled.value.code == "garbled"


@pytest.mark.parametrize(
    ("address", "line"),
    [
        (None, ""),
        ({}, ""),
        ("Damrak 1", ""),
        ({"fullAddress": "Damrak 1, Amsterdam"}, "Damrak 1, Amsterdam"),
        ({"fullAddress": None, "city": "Amsterdam"}, "Amsterdam"),
        ({"addressLines": ["Damrak 1"], "postalCode": "1012 LG", "city": "Amsterdam"}, "Damrak 1, 1012 LG Amsterdam"),
        ({"addressLines": None, "linesOfAddress": ["Damrak 1"], "countryCode": "NL"}, "Damrak 1, NL"),
        ({"addressLines": [], "postalCode": None, "city": None, "countryCode": None}, ""),
    ],
)
def test_an_address_is_one_line(address, line):
    assert mapping.address(address) == line


@pytest.mark.parametrize("quantity", [0, 7, -3, 7.0, "7"])
def test_a_quantity_is_in_pieces(quantity):
    [product] = mapping.products({"items": [summary(sellableQuantity=quantity)]}).items
    assert product.quantity == int(float(quantity))


@pytest.mark.parametrize(
    ("price", "expected"),
    [
        (None, (None, "")),
        ({}, (None, "")),
        ({"amount": None, "currencyCode": None}, (None, "")),
        ({"amount": 0, "currencyCode": "EUR"}, (Decimal("0"), "EUR")),
        ({"amount": 39.95, "currencyCode": "EUR"}, (Decimal("39.95"), "EUR")),
        ({"amount": "39.95", "currencyCode": "EUR"}, (Decimal("39.95"), "EUR")),
    ],
)
def test_a_price_may_be_missing(price, expected):
    [product] = mapping.products({"items": [summary(price=price)]}).items
    assert (product.price, product.currency) == expected
