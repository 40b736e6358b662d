from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from ..factories import make_level, make_listing, make_product


def names_in(page) -> list[str]:
    return [str(row) for row in page.context["cl"].result_list]


def test_a_product_is_found_by_sku_name_and_barcode(staff_client):
    make_product(sku="HAT-1", name="Fedora", barcodes=["4006381333931"])
    make_product(sku="SHOE-1", name="Loafer")
    for text in ("hat-1", "fedora", "4006381333931"):
        assert names_in(staff_client.get("/admin/catalog/product/", {"q": text})) == ["HAT-1"]


def test_the_page_of_a_product_shows_how_each_shop_names_it_and_where_it_lies(staff_client):
    product = make_product()
    listings, level = [make_listing(product=product) for _ in range(2)], make_level(product=product)
    page = staff_client.get(reverse("admin:catalog_product_change", args=[product.pk]))
    levels, named = page.context["inline_admin_formsets"]
    assert sorted(row.pk for row in named.formset.queryset) == sorted(row.pk for row in listings)
    assert list(levels.formset.queryset) == [level]


def test_what_is_gone_at_its_platform_is_listed_apart(staff_client):
    there, gone = make_listing(), make_listing(removed_at=timezone.now())
    address = "/admin/catalog/listing/"
    assert names_in(staff_client.get(address, {"removed_at__isempty": "1"})) == [str(there)]
    assert names_in(staff_client.get(address, {"removed_at__isempty": "0"})) == [str(gone)]


def test_a_long_list_is_read_page_by_page_and_counted_to_a_thousand(staff_client):
    for _ in range(51):
        make_product()
    first = staff_client.get("/admin/catalog/product/").context["cl"].links["next"]
    with CaptureQueriesContext(connection) as queries:
        page = staff_client.get(f"/admin/catalog/product/{first}")
    assert len(page.context["cl"].result_list) == 1
    assert ["LIMIT 1001" in query["sql"] for query in queries if "COUNT" in query["sql"]] == [True]
