"""What the one box looks rows up by: which text finds which row, and that each look reads an index."""

import json

import pytest
from django.db import connection

from apps.accounts.models import Organization, User
from apps.audit.models import Entry
from apps.audit.trail import Actor, record
from apps.catalog.models import Product, WaitingSku
from apps.desk.finding import KINDS, MOST, meant
from apps.integrations.models import ApiKey
from apps.orders.models import Fulfillment, Order, Parcel
from apps.shops.models import Connection, Shop
from apps.webhooks.models import Delivery, Endpoint, Event, Receipt
from tests.factories import (
    make_connection,
    make_delivery,
    make_endpoint,
    make_event,
    make_fulfillment,
    make_key,
    make_order,
    make_organization,
    make_parcel,
    make_product,
    make_receipt,
    make_shop,
    make_unlinked,
    make_user,
)

BY_MODEL = {kind.model: kind for kind in KINDS}
TEXTS = ["10", "#100", "SKU-1", "4006381333931", "anna@hats.example", "msg_12", "123456", "evt_1", "a's \\ & | ! :* (",
         "019a1b2c-0000-7000-8000-000000000001", "0" * 32, "hats.example/in", "%", "__", "9" * 19, "Ünï"]  # fmt: skip


def found(model, text):
    return BY_MODEL[model].rows(text)


# ---- Orders and what becomes of them


@pytest.mark.parametrize("text", ["#1001", "1001", "GID-7", "gid-7", "Ann@Mail.example"])
def test_an_order_is_found_by_its_number_its_shops_id_and_its_buyer(text, db):
    order = make_order(number="#1001", ext_order_id="gid-7", email="ann@mail.example")
    make_order(number="#2001")
    assert found(Order, text) == [order]
    assert BY_MODEL[Order].is_exact(order, text)


def test_an_order_is_found_by_how_its_number_begins_the_exact_one_first(db):
    shop = make_shop()
    longer = [make_order(shop=shop, number=f"#77{n}", ext_order_id=f"x{n}") for n in range(3)]
    exact = make_order(shop=shop, number="#77", ext_order_id="x77")
    rows = found(Order, "#77")
    assert rows == [exact, *longer]
    assert [BY_MODEL[Order].is_exact(row, "#77") for row in rows] == [True, False, False, False]


def test_what_is_called_just_so_comes_before_what_begins_so_whatever_it_is_shown_as(db):
    shop = make_shop()
    longer = make_order(shop=shop, number="A-1", ext_order_id="7788")
    exact = make_order(shop=shop, number="B-1", ext_order_id="77")
    assert found(Order, "77") == [exact, longer]


def test_an_order_is_found_by_its_id_however_that_is_written(db):
    order = make_order()
    assert [found(Order, text) for text in (str(order.pk), order.pk.hex, str(order.pk).upper())] == [[order]] * 3


def test_an_order_without_an_email_is_not_found_by_none(db):
    make_order(email="")
    assert found(Order, "@") == []


def test_no_more_are_read_than_are_shown_and_the_exact_one_is_among_them(db):
    shop = make_shop()
    for n in range(30):
        make_order(shop=shop, number=f"A-{n:03}", ext_order_id=f"x{n}")
    make_order(shop=shop, number="a", ext_order_id="y")
    rows = found(Order, "A")
    assert (len(rows), rows[0].number) == (MOST + 1, "a")


def test_parcels_and_fulfillments_are_found_by_what_carriers_and_warehouses_call_them(db):
    fulfillment = make_fulfillment(remote_id="WH-55")
    parcel = make_parcel(fulfillment=fulfillment, tracking_number="3STEST0001")
    assert (found(Parcel, "3stest"), found(Parcel, str(parcel.pk))) == ([parcel], [parcel])
    assert (found(Fulfillment, "wh-55"), found(Fulfillment, str(fulfillment.pk))) == ([fulfillment], [fulfillment])


# ---- Goods


def test_a_product_is_found_by_its_sku_and_its_barcode(db):
    product = make_product(sku="HAT-1", barcodes=["4006381333931"])
    make_product(sku="SHOE-1")
    assert [found(Product, text) for text in ("hat", "HAT-1", "4006381333931")] == [[product]] * 3
    assert [BY_MODEL[Product].is_exact(product, text) for text in ("hat", "hat-1", "4006381333931")] == [
        False, True, True
    ]  # fmt: skip


def test_a_sku_that_is_nobodys_is_found(db):
    listing = make_unlinked(sku="WHO-1")
    (row,) = found(WaitingSku, "WHO-1")
    assert (row.sku, row.organization) == ("WHO-1", listing.organization)


# ---- Stores, shops and connections


def test_a_shop_and_its_connection_are_found_by_ids_and_by_words_of_the_name(db):
    made = make_connection(name="North Hats of Delft")
    for text in ("north", "HATS del", "delft hats", str(made.pk), made.ext_shop_id, made.ext_shop_id.upper()):
        assert found(Connection, text) == [made], text
    assert found(Connection, "orth") == []
    assert found(Shop, made.shop.ext_shop_id) == [made.shop]


def test_organizations_and_people_are_found(db):
    organization = make_organization(name="Great Hats")
    person = make_user(email="Anna@hats.example")
    assert (found(Organization, "hat"), found(Organization, str(organization.pk))) == ([organization], [organization])
    assert (found(User, "anna@"), found(User, "ANNA@HATS.example")) == ([person], [person])


# ---- Messages


def test_a_delivery_is_found_by_the_id_its_receiver_knows_and_not_by_a_bare_number(db):
    delivery = make_delivery()
    assert [found(Delivery, text) for text in (f"msg_{delivery.pk}", f"out_{delivery.pk}", str(delivery.pk))] == [
        [delivery], [delivery], []
    ]  # fmt: skip


def test_an_event_is_found_by_its_number(db):
    event = make_event()
    assert found(Event, f"{event.pk}") == [event]


def test_a_receipt_is_found_by_our_id_and_by_its_senders(db):
    receipt = make_receipt(remote_id="evt_Abc")
    for text in (str(receipt.pk), f"in_{receipt.pk}", "evt_Abc", "EVT_a"):
        assert found(Receipt, text) == [receipt], text


def test_an_endpoint_is_found_by_its_host_and_not_by_what_its_query_holds(db):
    endpoint = make_endpoint(url="https://hooks.hats.example/in?key=s3cretvalue")
    assert found(Endpoint, "hooks.hats") == [endpoint]
    assert [found(Endpoint, text) for text in ("s3cretvalue", "hooks.hats.example/in?key=s3")] == [[], []]


# ---- Keys and the trail


def test_a_key_is_found_by_how_it_begins_and_a_whole_one_is_not_looked_for(db):
    token = make_key()
    key = ApiKey.objects.get()
    assert (found(ApiKey, key.prefix), meant(token)) == ([key], key.prefix)


def test_what_was_done_in_a_call_is_found_by_the_id_that_its_error_page_shows(db):
    entry = record(Actor("somebody"), "key.issue")
    Entry.objects.bulk_create([Entry(actor="x", action="y", request_id="ab" * 16)])
    (found_entry,) = found(Entry, "ab" * 16)
    assert (found_entry.action, found(Entry, str(entry.pk))) == ("y", [])


# ---- Any text


@pytest.mark.parametrize("text", ["", " ", "a", "a" * 256, "a\x00b", "\ud800b"])
def test_what_cannot_be_a_name_is_not_looked_for(text):
    assert meant(text) == ""


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.model.__name__)
def test_any_text_is_answered(kind, text, db):
    assert kind.rows(text) == list(kind.listed(kind.model.objects.all(), text)[0]) == []


# ---- By an index


def plans(rows):
    """The ways in which PostgreSQL reads each table for this, from the top."""
    sql, params = rows.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_indexonlyscan = off")
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", params)
        answer = cursor.fetchone()[0]
    plan = (json.loads(answer) if isinstance(answer, str) else answer)[0]["Plan"]
    yield from nodes(plan)


def nodes(plan):
    yield plan
    for one in plan.get("Plans", []):
        yield from nodes(one)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.model.__name__)
@pytest.mark.parametrize("text", TEXTS)
def test_each_part_of_a_look_can_read_an_index(kind, text, db):
    """With sequential scans forbidden, none is left: each part has an index that fits its words."""
    for part in kind.found(text, most=MOST, also=kind.in_list):
        read = {one["Node Type"]: one for one in plans(part.values("pk"))}
        whole = {one.get("Relation Name") for name, one in read.items() if name == "Seq Scan"}
        assert whole - {"shops_shop", "catalog_ignoredsku"} == set()
        assert not kind.is_long or [one for one in read.values() if "Index Cond" in one]
