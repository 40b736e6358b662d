"""What can be stored, and why the rest cannot: `importing.sort_out`."""

from decimal import Decimal

import pytest

from apps.catalog.importing import legible, sort_out
from apps.integrations.connectors.base import is_storable

from .goods import good

NUL, HALF_A_PAIR = "a\x00b", "a\ud83db"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"sku": ""}, "no_sku"),
        ({"sku": " \t"}, "no_sku"),
        ({"ext_product_id": ""}, "no_sku"),
        ({"name": ""}, "no_name"),
        ({"name": "  "}, "no_name"),
        ({"sku": "x" * 256}, "too_long"),
        ({"ext_product_id": "x" * 256}, "too_long"),
        ({"ext_variant_id": "x" * 256}, "too_long"),
        ({"barcodes": ("x" * 256,)}, "too_long"),
        ({"name": "x" * 2_001}, "too_long"),
        ({"image_src": "x" * 4_001}, "too_long"),
        ({"currency": "EURO"}, "too_long"),
        ({"price": Decimal("NaN")}, "bad_price"),
        ({"price": Decimal("sNaN")}, "bad_price"),
        ({"price": Decimal("Infinity")}, "bad_price"),
        ({"price": Decimal("-0.01")}, "bad_price"),
        ({"price": Decimal(10) ** 15}, "bad_price"),
        ({"price": Decimal("999999999999999.99999")}, "bad_price"),
        ({"price": Decimal("1E+999999")}, "bad_price"),
        ({"quantity": 2**31}, "bad_quantity"),
        ({"quantity": -(2**31) - 1}, "bad_quantity"),
        *[({name: "x" * 256}, "too_long") for name in ("brand", "type")],
        ({"tags": ("x", "x" * 256)}, "too_long"),
        ({"hs_code": "6" * 21}, "too_long"),
        *[({"country_of_origin": text}, "bad_country") for text in ("E", "ECU", "E1", "\u00c9C", " E")],
        *[
            ({name: Decimal(text)}, "bad_measure")
            for name in ("weight", "length", "width", "height")
            for text in ("-0.001", "NaN", "Infinity", "1000000000")
        ],
        *[({name: NUL}, "unstorable_text") for name in ("brand", "type", "hs_code", "country_of_origin")],
        ({"tags": ("x", HALF_A_PAIR)}, "unstorable_text"),
        *[({name: NUL}, "unstorable_text") for name in ("ext_product_id", "ext_variant_id", "sku", "name")],
        ({"barcodes": (NUL,)}, "unstorable_text"),
        *[({name: NUL}, "unstorable_text") for name in ("currency", "image_src")],
        *[({name: HALF_A_PAIR}, "unstorable_text") for name in ("ext_product_id", "sku", "name", "currency")],
    ],
)
def test_a_bad_item_fails_alone(fields, code):
    page = sort_out([good(1), good(2, **fields), good(3)])
    assert list(page.lines) == [("p1", ""), ("p3", "")]
    assert [bad.code for bad in page.bad] == [code]
    assert page.unread == [good(2, **fields).ext_product_id]


@pytest.mark.parametrize(
    "fields",
    [
        {"sku": "x" * 255, "ext_product_id": "x" * 255, "ext_variant_id": "x" * 255, "barcodes": ("x" * 255,)},
        {"name": "x" * 2_000, "image_src": "x" * 4_000},
        {"brand": "x" * 255, "type": "x" * 255, "tags": ("x" * 255,), "hs_code": "6" * 20, "country_of_origin": "ec"},
        {"weight": Decimal("999999999"), "length": Decimal(0), "width": Decimal("1E-400"), "height": None},
        {"price": Decimal("999999999999999")},
        {"price": Decimal("0")},
        {"price": Decimal("-0")},
        {"price": Decimal("1E-400")},
        {"price": None, "currency": "", "barcodes": (), "image_src": "", "quantity": None},
        {"quantity": 2**31 - 1},
        {"quantity": -(2**31)},
    ],
)
def test_the_longest_and_the_highest_still_pass(fields):
    assert sort_out([good(1, **fields)]).bad == []


def test_a_price_is_kept_to_four_decimals():
    (line,) = sort_out([good(price=Decimal("1.23456"))]).lines.values()
    assert "\t1.2346\t" in line


def test_an_item_met_twice_in_a_page_is_stored_once_as_it_came_first():
    page = sort_out([good(1, name="First"), good(2), good(1, name="Second")])
    assert [line.split("\t")[3] for line in page.lines.values()] == ["First", "Hat 2"]


def test_variants_of_a_product_are_items_of_their_own():
    page = sort_out([good(1, ext_variant_id="red"), good(1, ext_variant_id="blue")])
    assert len(page.lines) == 2


def test_a_bad_item_is_named_by_its_sku_and_without_one_by_its_id():
    page = sort_out([good(1, name=""), good(2, sku=" "), good(3, sku=NUL), good(4, sku="y" * 300)])
    assert [bad.ref for bad in page.bad] == ["HAT-1", "p2", "a?b", "y" * 255]


def test_an_empty_page_has_nothing_to_sort_out():
    page = sort_out([])
    assert (page.lines, page.bad, page.unread) == ({}, [], [])


@pytest.mark.parametrize(
    ("text", "shown"),
    [("plain", "plain"), (NUL, "a?b"), (HALF_A_PAIR, "a?b"), ("הכובע 👒", "הכובע 👒"), ("x" * 9, "xxxxxxxx")],
)
def test_a_text_is_made_legible_for_the_database(text, shown):
    assert legible(text, most=8) == shown
    assert is_storable(legible(text, most=8))
