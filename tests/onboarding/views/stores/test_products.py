import csv
import io
import re
from decimal import Decimal

import pytest
from django.utils import timezone

from apps.catalog.models import Listing
from tests.factories import (
    make_listing,
    make_product,
    make_shop,
)

from ...pages import HTMX, is_part, text


@pytest.mark.parametrize("products", [1, 3])
def test_products_take_as_many_queries_for_three_as_for_one(
    owner_client, connection, products, django_assert_num_queries
):
    for _ in range(products):
        make_listing(shop=connection.shop)
    with django_assert_num_queries(8):
        owner_client.get(f"/stores/{connection.pk}/products/")


def test_products_of_others_and_of_other_shops_are_not_shown(owner_client, connection):
    make_listing(shop=connection.shop, product=make_product(organization=connection.organization, name="Mine"))
    make_listing(product=make_product(name="Theirs"))
    make_listing(shop=make_shop(integration=connection.integration), name="Of another shop")
    page = text(owner_client.get(f"/stores/{connection.pk}/products/"))
    assert ("Mine" in page, "Theirs" in page, "Of another shop" in page) == (True, False, False)


def test_products_that_are_gone_are_not_shown(owner_client, connection):
    make_listing(shop=connection.shop, removed_at=timezone.now())
    assert "No products yet" in text(owner_client.get(f"/stores/{connection.pk}/products/"))


def many_listings(shop, number):
    """So many listings of the shop, every two of them with the same SKU."""
    Listing.objects.bulk_create(
        Listing(
            organization=shop.organization,
            shop=shop,
            ext_product_id=f"ext-{n}",
            sku=f"SKU-{n // 2:03}",
            name=f"Thing {n}.",
            status="unlinked",
        )
        for n in range(number)
    )


def test_pages_of_products_are_complete_and_repeat_nothing(owner_client, connection, monkeypatch):
    monkeypatch.setattr("apps.onboarding.views.stores.PAGE", 7)
    many_listings(connection.shop, 100)
    address, found = f"/stores/{connection.pk}/products/?q=thing", []
    while address:
        page = owner_client.get(address)
        found += re.findall(r"Thing (\d+)\.", text(page))
        following = re.search(r'rel="next" href="([^"]+)"', page.content.decode())
        address = following and following[1].replace("&amp;", "&")
    assert len(found) == 100
    assert set(map(int, found)) == set(range(100))


def test_products_are_found_by_every_word_of_sku_name_and_barcode(owner_client, connection):
    for name, sku in (("Red hat", "R-1"), ("Red shoe", "R-2"), ("Blue hat", "B-1")):
        product = make_product(organization=connection.organization, name=name, sku=sku, barcodes=[f"87{sku}"])
        make_listing(shop=connection.shop, product=product)
    found = {
        query: re.findall(r"<strong>(\w+ \w+)</strong>", page.content.decode())
        for query in ("hat red", "b-1", "87r-2", "100%", "_")
        for page in [owner_client.get(f"/stores/{connection.pk}/products/", {"q": query})]
    }
    assert found == {"hat red": ["Red hat"], "b-1": ["Blue hat"], "87r-2": ["Red shoe"], "100%": [], "_": []}


def test_htmx_gets_the_products_as_they_stand_on_the_page(owner_client, connection):
    many_listings(connection.shop, 60)
    address = f"/stores/{connection.pk}/products/?q=thing"
    assert is_part(owner_client.get(address, headers=HTMX), of=owner_client.get(address))


def test_prices_and_numbers_are_shown_and_unknown_ones_left_out(owner_client, connection):
    known = make_product(organization=connection.organization, price=Decimal("1234.5"), currency="EUR")
    make_listing(shop=connection.shop, product=known, quantity=0)
    make_listing(shop=connection.shop, product=make_product(organization=known.organization, price=None), quantity=None)
    page = text(owner_client.get(f"/stores/{connection.pk}/products/"))
    assert "EUR 1,234.50" in page
    assert page.count("at Otter") == 1


def sheet(client, connection):
    answer = client.get(f"/stores/{connection.pk}/products.csv")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))


def test_the_file_holds_every_product_of_the_store(owner_client, connection):
    many_listings(connection.shop, 120)
    make_listing()
    assert [row["ext_product_id"] for row in sheet(owner_client, connection)] == [f"ext-{n}" for n in range(120)]


def test_the_file_has_all_columns_as_the_platform_gave_them(owner_client, connection):
    product = make_product(organization=connection.organization, sku="H-1", name="Hat, “big”\nand red", barcodes=["87"])
    make_listing(shop=connection.shop, product=product, ext_product_id="p", ext_variant_id="v", quantity=-2)
    assert sheet(owner_client, connection) == [
        {
            "ext_product_id": "p",
            "ext_variant_id": "v",
            "sku": "H-1",
            "name": "Hat, “big”\nand red",
            "barcodes": "87",
            "price": "9.9900",
            "currency": "USD",
            "quantity": "-2",
            "image_src": "",
        }
    ]


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+1+1", "'+1+1"),
        ("-1+1", "'-1+1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\thats", "'\thats"),
        ("\t=1+1", "\t'=1+1"),
        ("\r=1+1", "\r'=1+1"),
        ("＝1+1", "'＝1+1"),
        ("hats;=1+1", "hats;'=1+1"),
        ('hats;"=1+1;', "hats;\"'=1+1;"),
        ('=HYPERLINK("http://evil.example","x")', '\'=HYPERLINK("http://evil.example","x")'),
        ("-", "'-"),
        ("+", "'+"),
    ],
)
def test_in_07_no_cell_of_the_file_is_run_by_a_spreadsheet(owner_client, connection, name, cell):
    make_listing(shop=connection.shop, product=make_product(organization=connection.organization, name=name))
    assert [row["name"] for row in sheet(owner_client, connection)] == [cell]


@pytest.mark.parametrize("quantity", [-5, 0, 5])
def test_numbers_of_the_file_stay_numbers(owner_client, connection, quantity):
    make_listing(shop=connection.shop, quantity=quantity)
    assert [row["quantity"] for row in sheet(owner_client, connection)] == [str(quantity)]
