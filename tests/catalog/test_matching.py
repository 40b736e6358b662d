"""Which product an unknown SKU may mean, how sure we are, and that looking for it stays cheap."""

import pytest
from django.db import connection

from apps.catalog.matching import CANDIDATES, Candidate, Good, judged, similarity, suggest
from apps.catalog.models import Product, WaitingSku
from tests.factories import (
    make_held_report,
    make_integration,
    make_listing,
    make_location,
    make_pair,
    make_product,
    make_shop,
    make_unlinked,
)


def best(good, *others, **facts):
    facts = {"is_plainly_same": False, "is_taken": False} | facts
    found = judged(good, [Candidate(number, other, **facts) for number, other in enumerate(others)])
    return [(one.product, one.band.value, ", ".join(one.reasons)) for one in found]


PLAINLY = {"is_plainly_same": True}


@pytest.mark.parametrize(
    ("good", "other", "facts", "band", "reasons"),
    [
        (Good("A-1"), Good("A-1"), PLAINLY, "sure", "same SKU"),
        (Good("a 1"), Good("A-1"), PLAINLY, "sure", "same SKU but for case, spaces or dashes"),
        (Good("007"), Good("7"), PLAINLY, "likely", "same SKU but for zeros in front"),
        (Good("X", barcodes=["400"]), Good("Y", barcodes=["300", "400"]), {}, "sure", "same barcode"),
        (Good("400"), Good("Y", barcodes=["400"]), {}, "sure", "its SKU is the barcode"),
        (Good("X", "Red hat"), Good("Y", "Red Hat"), {}, "likely", "same name"),
        (Good("X", "Red hat, large size"), Good("Y", "Red hat large"), {}, "likely", "the names are alike"),
        (Good("X", "Red hat"), Good("Y", "Red hot chili sauce"), {}, None, ""),
        (Good("X"), Good("Y", "Red hat"), {}, None, ""),
        (
            Good("X", "Socks, 6-pack", ["400"]),
            Good("Y", "Socks", ["400"]),
            {},
            "maybe",
            "same barcode, but another pack size",
        ),
        (
            Good("A-1", "Hat", ["400"]),
            Good("A-1", "Hat", ["300"]),
            PLAINLY,
            "likely",
            "same SKU, same name, but another barcode",
        ),
        (
            Good("A-1"),
            Good("A-1"),
            PLAINLY | {"is_taken": True},
            "likely",
            "same SKU, but another SKU there means it already",
        ),
    ],
)
def test_a_suggestion_says_how_sure_it_is_and_why(good, other, facts, band, reasons):
    assert best(good, other, **facts) == ([(0, band, reasons)] if band else [])


@pytest.mark.parametrize(
    ("one", "other", "is_other"),
    [
        ("Socks 6-pack", "Socks", True),
        ("Socks 6er-Pack", "Socks 6 pack", False),
        ("Socks pack of 6", "Socks 6 pcs", False),
        ("Socks x6", "Socks 12x", True),
        ("SOCKS_6PK", "Socks", True),
        ("Model 6", "Model", False),
    ],
)
def test_pack_sizes_are_read_from_names(one, other, is_other):
    ((_product, _band, reasons),) = best(Good("A", one), Good("A", other), is_plainly_same=True)
    assert ("but another pack size" in reasons) == is_other


def test_where_two_would_be_sure_neither_is():
    found = best(Good("a1"), Good("A-1"), Good("A 1"), is_plainly_same=True)
    assert [(band, reasons.split(", ")[-1]) for _product, band, reasons in found] == [
        ("likely", "more than one fits")
    ] * 2


@pytest.mark.parametrize(
    ("one", "other", "score"),
    [("word", "two words", 0.36), ("Red hat", "red HAT!", 1), ("", "x", 0), ("Ｒｅｄ", "red", 1), ("帽子", "帽子", 1)],
)
def test_names_are_compared_like_pg_trgm_does(one, other, score):
    assert round(similarity(one, other), 2) == score


# ---- Against the database


@pytest.fixture
def shop(db):
    return make_shop(creates_products=False)


def rows_of(organization):
    return list(WaitingSku.objects.filter(organization=organization).select_related("integration__partner", "listing"))


def suggested(organization):
    rows = rows_of(organization)
    found = suggest(organization, rows)
    return {row.sku: [one.sku for one in found[row.pk]] for row in rows}


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [("ab12", "AB-12"), ("AB 12", "ab_12"), ("0012", "12"), ("ＡＢ－12", "ab-12"), ("帽子-1", "帽子1"), ("12", "0012")],
)
def test_skus_that_differ_in_looks_only_find_each_other(shop, theirs, ours):
    make_product(organization=shop.organization, sku=ours)
    make_unlinked(shop=shop, sku=theirs, name="Something else")
    assert suggested(shop.organization) == {theirs: [ours]}


def test_a_barcode_and_a_name_find_their_product_and_strangers_products_stay_theirs(shop):
    organization = shop.organization
    make_product(organization=organization, sku="BY-CODE", name="Scarf", barcodes=["123", "400"])
    make_product(organization=organization, sku="BY-NAME", name="Red Hat Large", barcodes=[])
    make_product(sku="X-1", name="Red hat large", barcodes=["400"])
    make_unlinked(shop=shop, sku="X-1", name="Red hat large", barcodes=["400"])
    assert suggested(organization) == {"X-1": ["BY-CODE", "BY-NAME"]}


def test_a_warehouses_report_finds_its_product_by_sku_or_barcode(db):
    location = make_location(integration=make_integration())
    make_product(organization=location.organization, sku="HAT-1", barcodes=["4006381333931"])
    make_held_report(location=location, sku="4006381333931")
    make_held_report(location=location, sku="hat1")
    assert suggested(location.organization) == {"4006381333931": ["HAT-1"], "hat1": ["HAT-1"]}


def test_a_product_that_another_sku_there_means_is_never_sure(shop):
    listed = make_product(organization=shop.organization, sku="HAT-1")
    paired = make_product(organization=shop.organization, sku="CAP-1")
    make_listing(shop=shop, product=listed, sku="HAT-ONE")
    make_pair(integration=shop.integration, first="CAP-ONE", second="CAP-1")
    make_unlinked(shop=shop, sku="hat1")
    make_unlinked(shop=shop, sku="cap1")
    rows = rows_of(shop.organization)
    found = suggest(shop.organization, rows)
    assert {row.sku: (found[row.pk][0].product, found[row.pk][0].is_sure) for row in rows} == {
        "hat1": (listed.pk, False),
        "cap1": (paired.pk, False),
    }


@pytest.mark.parametrize("count", [1, 3])
def test_suggestions_for_many_take_one_statement(shop, count, django_assert_num_queries):
    for n in range(count):
        make_unlinked(shop=shop, sku=f"HAT-{n}")
    rows = rows_of(shop.organization)
    with django_assert_num_queries(1):
        suggest(shop.organization, rows)


def test_products_are_found_by_index_however_many_there_are(shop):
    Product.objects.bulk_create(
        Product(organization=shop.organization, sku=f"SKU-{n}", name=f"Thing number {n}", barcodes=[f"{n}"])
        for n in range(3_000)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE catalog_product")
        cursor.execute("SET LOCAL enable_seqscan = off")  # so few could as well be read
        items = '[{"id": "1", "own": "second", "sku": "sku12", "barcodes": ["17"], "start": "thing number 12"}]'
        names = {"organization": shop.organization_id, "items": items, "codes": ["17"], "most": 20}
        cursor.execute(f"EXPLAIN {CANDIDATES}", names)
        plan = "\n".join(line for (line,) in cursor.fetchall())
    used = [name for name in ("plain_sku", "barcode", "start_of_name") if f"products_by_{name}" in plan]
    assert used == ["plain_sku", "barcode", "start_of_name"], plan
