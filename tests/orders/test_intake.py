from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.integrations.connectors.orders import Address, RemoteLine, RemoteOrder
from apps.orders import intake
from apps.orders.intake import Taken, take_in
from apps.orders.models import Order, OrderLine
from tests.factories import make_order, make_shop
from tests.happenings import of_goods

pytestmark = pytest.mark.django_db

HAT = RemoteLine(sku="HAT-1", quantity=2, name="Top hat", ext_line_id="7", price=Decimal("19.9900"))
BOUGHT = RemoteOrder(
    ext_order_id="1001",
    lines=(HAT, RemoteLine(sku="CAP-1", quantity=1)),
    number="#1001",
    destination=Address(first_name="Ann", address1="Main St 1", city="Delft", zip="2611", country="NL"),
    customer={"name": "Ann", "email": "Ann@Example.com"},
    shipping_method="Standard",
    tags=("gift",),
    notes="Ring twice",
    currency="EUR",
    total=Decimal("44.98"),
)


def test_an_order_is_stored_whole_with_its_lines_and_its_event():
    shop = make_shop()
    [taken] = take_in(shop, [BOUGHT])
    order = Order.objects.get()
    assert taken.is_new
    assert (order.pk, order.state, order.number, order.email) == (taken.order, "new", "#1001", "ann@example.com")
    assert (order.total, order.tags, order.notes) == (Decimal("44.9800"), ["gift"], "Ring twice")
    assert order.destination == {
        "first_name": "Ann", "address1": "Main St 1", "city": "Delft", "zip": "2611", "country": "NL",
    }  # fmt: skip
    assert list(OrderLine.objects.values_list("position", "sku", "quantity", "price", "ext_line_id")) == [
        (0, "HAT-1", 2, Decimal("19.9900"), "7"),
        (1, "CAP-1", 1, None, ""),
    ]
    assert list(of_goods().values_list("type", "entity_id", "sequence")) == [("order.created", str(order.pk), 1)]
    assert 595 < (order.release_at - order.created_at).total_seconds() < 605


def test_the_same_order_is_taken_once_however_often_it_comes():
    shop = make_shop()
    [first] = take_in(shop, [BOUGHT])
    again, other, twice = take_in(shop, [BOUGHT, replace(BOUGHT, ext_fulfillment_order_id="b"), BOUGHT])
    assert (again.order, again.is_new, twice) == (first.order, False, again)
    assert other.is_new
    assert (Order.objects.count(), OrderLine.objects.count(), of_goods().count()) == (2, 4, 2)


def test_another_shop_may_have_an_order_of_that_id():
    one, two = take_in(make_shop(), [BOUGHT]) + take_in(make_shop(), [BOUGHT])
    assert one.is_new
    assert two.is_new


@pytest.mark.parametrize("count", [1, 50])
def test_however_many_come_they_are_one_statement(count):
    shop = make_shop()
    with CaptureQueriesContext(connection) as asked:
        take_in(shop, [replace(BOUGHT, ext_order_id=str(n)) for n in range(count)])
    assert len([one for one in asked if "INSERT" in one["sql"]]) == 1


def test_one_that_is_cancelled_just_when_it_comes_again_is_the_one_that_was_there(monkeypatch):
    shop = make_shop()
    _old, last = (make_order(shop=shop, ext_order_id="1001", **cancelled(days)) for days in (2, 1))
    monkeypatch.setattr(intake, "insert", lambda *args, **options: set())  # it stood in the way a moment ago
    assert take_in(shop, [BOUGHT]) == [Taken(last.pk, False)]
    now = make_order(shop=shop, ext_order_id="1001")
    assert take_in(shop, [BOUGHT]) == [Taken(now.pk, False)]


def cancelled(days: int) -> dict:
    return {"state": "cancelled", "cancelled_at": timezone.now() - timedelta(days=days)}
