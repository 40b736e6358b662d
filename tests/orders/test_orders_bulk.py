"""Up to 500 orders in one call, with an outcome for each: what is wrong fails alone."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.audit.models import Entry as Trail
from apps.orders.models import Order, OrderLine
from tests.api.calling import call, said, wrong
from tests.catalog.partners import open_shop
from tests.factories import make_partner_integration
from tests.happenings import of_goods

from .buying import ORDER, WHOLE, bulk, outcomes, placed

pytestmark = pytest.mark.django_db
NOTHING = {"code": "", "message": "", "details": []}


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


def test_each_of_many_orders_has_its_outcome(shop, token):
    there = placed(token)
    answer = bulk(
        token,
        ORDER,
        ORDER | {"ext_order_id": "2"},
        ORDER | {"ext_order_id": "2", "notes": "again"},
        {"ext_order_id": "3", "lines": [{"sku": "HAT-1"}]},
        "an order",
        WHOLE | {"ext_order_id": "4"},
    )
    ids = {order.ext_order_id: str(order.pk) for order in Order.objects.all()}
    results = answer.json()["results"]
    assert results[:3] == [
        {"index": 0, "status": "exists", "id": there} | NOTHING,
        {"index": 1, "status": "created", "id": ids["2"]} | NOTHING,
        {"index": 2, "status": "exists", "id": ids["2"]} | NOTHING,
    ]
    assert results[3] == {
        "index": 3,
        "status": "failed",
        "id": None,
        "code": "validation_error",
        "message": "lines[0].quantity: This field is required.",
        "details": [{"attribute": "lines[0].quantity", "message": "This field is required."}],
    }
    assert outcomes(answer)[4:] == [("failed", "validation_error"), ("created", "")]
    assert sorted(ids) == ["1001", "2", "4"]
    trail = Trail.objects.filter(action="order.create", target_kind="shop").get()
    assert (trail.target_id, trail.after) == (str(shop.pk), {"created": 2, "exists": 2, "failed": 2})


@pytest.mark.parametrize("body", [{}, {"orders": []}, {"orders": {}}, {"orders": None}, [ORDER], {"items": [ORDER]}])
def test_a_body_without_orders_is_refused(body, token):
    assert said(call("POST", "v1/orders/bulk", body, token=token)) == (422, "validation_error")


def test_more_than_five_hundred_are_refused(token):
    assert wrong(bulk(token, *([ORDER] * 501))) == ["orders"]
    assert Order.objects.count() == 0


def test_five_hundred_take_as_many_statements_as_one(token):
    counts = []
    for count, start in ((1, 0), (50, 1_000), (500, 2_000)):
        orders = [WHOLE | {"ext_order_id": str(n)} for n in range(start, start + count)]
        counts.append(statements(lambda orders=orders: bulk(token, *orders)))
    assert counts == [counts[0]] * 3
    assert counts[0] <= 12
    assert (Order.objects.count(), OrderLine.objects.count(), of_goods().count()) == (551, 1_102, 551)
