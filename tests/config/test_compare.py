import json

import pytest

from config.local.compare import Comparison, compare

HEADER = "ext_product_id,ext_variant_id,sku,name,barcodes,price,currency,quantity,image_src"
HAT = {
    "id": "7",
    "externalId": "HAT-1",
    "name": "Hat, wide",
    "gtin": "00012345678905",
    "price": {"currencyCode": "EUR", "amount": 12.5},
    "sellableQuantity": 3,
    "imageUrl": "http://sandbox.test/7.svg",
}
HAT_ROW = '7,,HAT-1,"Hat, wide",00012345678905,12.5000,EUR,3,http://sandbox.test/7.svg'


def result(*rows: str, sold: list[dict]) -> Comparison:
    return compare("\r\n".join([HEADER, *rows, ""]), "".join(json.dumps(item) + "\n" for item in sold))


def test_the_same_products_are_equal():
    comparison = result(HAT_ROW, sold=[HAT])

    assert comparison == Comparison(products=1, missing=0, unexpected=0, different=0)
    assert comparison.is_equal


CHANGES = [
    ("HAT-1", "HAT-2"),
    ("wide", "narrow"),
    ("905", "906"),
    ("12.5", "12.51"),
    ("EUR", "USD"),
    (",3,", ",4,"),
    (",3,", ",,"),
    ("7.svg", ""),
]


@pytest.mark.parametrize(("was", "became"), CHANGES)
def test_every_field_counts(was: str, became: str):
    assert result(HAT_ROW.replace(was, became), sold=[HAT]) == Comparison(1, 0, 0, 1)


def test_a_product_on_one_side_only_is_not_equal():
    assert result(sold=[HAT]) == Comparison(1, missing=1, unexpected=0, different=0)
    assert result(HAT_ROW, HAT_ROW.replace("7,", "8,", 1), sold=[HAT]) == Comparison(1, 0, unexpected=1, different=0)


def test_two_empty_catalogues_prove_nothing():
    assert not result(sold=[]).is_equal


def test_a_product_without_the_optional_fields_is_named_by_its_id():
    assert result("9,,9,Cap,,,,,", sold=[{"id": "9", "name": "Cap"}]).is_equal


def test_a_price_of_nothing_is_not_no_price():
    free = {"id": "9", "name": "Cap", "price": {"currencyCode": "EUR", "amount": 0}}

    assert result("9,,9,Cap,,0.0000,EUR,,", sold=[free]).is_equal
    assert result("9,,9,Cap,,,EUR,,", sold=[free]).different == 1


@pytest.mark.parametrize(
    ("name", "cell"), [("=1+1", "'=1+1"), ("-10% Cap", "'-10% Cap"), ("'Cap'", "'Cap'"), ("Cap; -10%", "Cap; '-10%")]
)
def test_the_apostrophe_before_a_formula_is_not_part_of_the_name(name: str, cell: str):
    assert result(f"9,,9,{cell},,,,,", sold=[{"id": "9", "name": name}]).is_equal
