"""The list of orders: newest first, page by page, narrowed to what is looked for."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.orders.models import Order
from tests.api.calling import bearer, call, said
from tests.catalog.partners import open_shop
from tests.factories import make_hindrance, make_order, make_partner_integration

from .buying import listed, placed, read

pytestmark = pytest.mark.django_db


@pytest.fixture
def opened():
    return open_shop(make_partner_integration())


@pytest.fixture
def shop(opened):
    return opened[0]


@pytest.fixture
def token(opened) -> str:
    return opened[1]


def statements(work) -> int:
    with CaptureQueriesContext(connection) as queries:
        work()
    return len(queries)


def test_the_list_is_newest_first_page_by_page(token):
    for n in range(5):
        placed(token, ext_order_id=str(n))
    first = call("GET", "v1/orders?per_page=2", token=token).json()
    second = Client().get(first["next"], headers=bearer(token)).json()
    back = Client().get(second["prev"], headers=bearer(token)).json()
    named = [[order["ext_order_id"] for order in page["data"]] for page in (first, second, back)]
    assert named == [["4", "3"], ["2", "1"], ["4", "3"]]


def test_a_list_shows_what_reading_one_shows_but_its_parts(shop, token):
    order = make_order(shop=shop)
    make_hindrance(order=order)
    (row,) = call("GET", "v1/orders", token=token).json()["data"]
    whole = read(token, order.pk)
    assert row == {name: whole[name] for name in whole if name not in ("lines", "fulfillments")}


def test_three_orders_take_as_many_statements_as_one(shop, token):
    def listing() -> int:
        return statements(lambda: call("GET", "v1/orders", token=token))

    make_hindrance(order=make_order(shop=shop))
    before = listing()
    for _ in range(2):
        make_hindrance(order=make_order(shop=shop))
    assert listing() == before


def test_a_list_is_narrowed(shop, token):
    old = make_order(shop=shop, ext_order_id="old", number="#1", email="ann@example.com", tags=["gift", "vip"])
    Order.objects.filter(pk=old.pk).update(
        created_at=timezone.now() - timedelta(days=3), updated_at=timezone.now() - timedelta(days=2)
    )
    line = {"sku": "FEZ"}
    make_order(shop=shop, ext_order_id="new", number="#2", destination={"country": "BE"}, lines=[line, line])
    make_hindrance(order=make_order(shop=shop, ext_order_id="late", number="#3", state="waiting"))
    day = (timezone.now() - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    for query, found in {
        "?state=waiting": ["late"],
        "?ext_order_id=old": ["old"],
        "?number=%232": ["new"],
        "?q=ANN@example.com": ["old"],
        "?q=%231": ["old"],
        "?q=late": ["late"],
        "?q=lat": [],
        "?tag=vip": ["old"],
        "?tag=vi": [],
        "?sku=FEZ": ["new"],
        "?sku=fez": [],
        "?country=BE": ["new"],
        f"?created_since={day}": ["late", "new"],
        f"?updated_since={day}": ["late", "new"],
        f"?shop_id={shop.pk}": ["late", "new", "old"],
        "?state=new&sku=FEZ": ["new"],
    }.items():
        assert listed(token, query) == found, query


@pytest.mark.parametrize(
    "query", ["?state=lost", "?created_since=yesterday", "?shop_id=7", "?q=", "?cursor=x", "?number="]
)
def test_a_list_cannot_be_narrowed_by_what_is_nothing(query, token):
    assert said(call("GET", f"v1/orders{query}", token=token)) == (422, "validation_error")
