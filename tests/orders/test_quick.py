import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.accounts.models import Organization
from apps.api import lanes, limits
from apps.api.models import Answer, Usage
from apps.audit.models import Entry
from apps.integrations.models import AccessToken, Authorization, Integration, PartnerConnector
from apps.orders import quick
from apps.orders.models import Order, OrderLine
from apps.shops.models import Shop
from apps.webhooks.models import Event
from tests.factories import make_access_token, make_authorization, make_key, make_partner_integration, make_shop
from tests.happenings import of_goods

# The quick lane gives up by an error of its statement, which would end a test's own transaction.
pytestmark = pytest.mark.django_db(transaction=True)

BODY = {
    "ext_order_id": "1001",
    "ext_fulfillment_order_id": "1001-1",
    "number": "#1001",
    "lines": [
        {"sku": "HAT-1", "quantity": 2, "ext_line_id": "7", "price": "9.95", "name": "Hut für Ann"},
        {"sku": "CAP-1", "quantity": 1, "ext_product_id": "12"},
    ],
    "tags": ["gift"],
    "notes": "Ring twice",
    "shipping_method": "Standard",
    "destination": {"first_name": "Ann", "city": "Delft", "country": "NL"},
    "customer": {"name": "Ann", "email": "Ann@Example.com"},
    "currency": "EUR",
    "total": "29.90",
    "tax": 1.25,
    "placed_at": "2026-11-20T12:00:00Z",
}
CHANGING = {"id", "order_id", "created_at", "updated_at", "release_at", "due_at", "at", "request_id", "target_id"}
CHANGING |= {"entity_id", "sealed", "last_at", "calls", "level"}


@pytest.fixture(autouse=True)
def nothing_known():
    quick._known.clear()


@pytest.fixture
def lane(monkeypatch):
    """Which lane a call takes: the careful one alone, or the quick one and no other."""

    def choose(name: str) -> None:
        monkeypatch.undo()
        if name == "careful":
            monkeypatch.setattr(quick, "_facts", lambda request: None)

    return choose


def shop_token(**of_token: Any) -> str:
    authorization = make_authorization(integration=make_partner_integration(), is_lasting=True)
    make_shop(integration=authorization.integration, authorization=authorization)
    return make_access_token(authorization=authorization, **{"expires": timezone.now() + timedelta(days=1)} | of_token)


def post(token: str, body: Any = BODY, path: str = "/api/v1/orders", **headers: str):
    data = body if isinstance(body, str | bytes) else json.dumps(body)
    headers = {"Authorization": f"Bearer {token}"} | headers
    return Client().post(path, data, content_type="application/json", headers=headers)


def stored() -> dict[str, list[Any]]:
    """All rows that an order leaves, but for what differs between any two."""
    models = (Order, OrderLine, Event, Entry, Answer, Usage)
    return {
        model.__name__: [
            {name: value for name, value in row.items() if name not in CHANGING} for row in model.objects.values()
        ]
        for model in models
    }


def forget() -> None:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE orders_order, webhooks_event, audit_entry, api_answer, api_usage CASCADE")


def told(response) -> tuple[Any, ...]:
    """An answer, but for what differs between any two."""
    names = sorted(set(response.headers) - {"X-Request-Id", "RateLimit-Remaining", "RateLimit-Reset"})
    return response.status_code, {n: response.headers[n] for n in names}, response.json() | {"id": "", "request_id": ""}


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "one"}])
def test_both_lanes_leave_the_same_rows_and_give_the_same_answer(lane, headers):
    token = shop_token()
    forget()
    found = []
    for name in ("careful", "quick"):
        lane(name)
        answer = post(token, **headers)
        order = Order.objects.get()
        kept = [(one.status, one.body(), one.headers) for one in Answer.objects.all()]
        assert answer.json()["id"] == str(order.pk)
        assert kept == ([(200, answer.json(), {})] if headers else [])
        assert (order.release_at - order.created_at).total_seconds() == pytest.approx(600, abs=5)
        left = [answer.headers[name] for name in ("RateLimit-Remaining", "RateLimit-Reset")]
        found.append((told(answer), left, stored()))
        forget()
    assert found[0] == found[1]


def call(token: str, body: Any = BODY, path: str = "/api/v1/orders", **headers: str) -> Any:
    """What the quick lane alone makes of it."""
    headers = {"Authorization": f"Bearer {token}"} | headers
    request = RequestFactory().post(path, json.dumps(body), content_type="application/json", headers=headers)
    return quick.take(request)


def test_a_new_order_is_one_statement():
    token = shop_token()
    first = call(token, **{"Idempotency-Key": "j"})  # it learns whose token it is, and has the statement planned
    assert first.status_code == 200
    with CaptureQueriesContext(connection) as asked:
        assert call(token, BODY | {"ext_order_id": "1002"}, **{"Idempotency-Key": "k"}).status_code == 200
    assert len(asked) == 1
    assert Order.objects.count() == 2


def closed(**changes: Any) -> Any:
    """Something about whoever calls that ends their permission."""

    def close(token: AccessToken) -> None:
        for name, values in changes.items():
            rows = {
                "token": AccessToken.objects.filter(pk=token.pk),
                "consent": Authorization.objects.filter(pk=token.authorization_id),
                "integration": Integration.objects.filter(pk=token.authorization.integration_id),
                "partner": PartnerConnector.objects.filter(pk=token.authorization.integration.partner_id),
                "organization": Organization.objects.filter(pk=token.authorization.organization_id),
                "shop": Shop.objects.filter(authorization=token.authorization_id),
            }
            assert rows[name].update(**values) == 1

    return close


LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
ENDS = {
    "expired": closed(token={"expires": LONG_AGO}),
    "without the scope": closed(token={"scope": "orders:read orders:writes"}),
    "revoked": closed(consent={"revoked_at": LONG_AGO}),
    "without the grant": closed(integration={"grants": ["orders:read"]}),
    "disabled": closed(integration={"state": "disabled"}),
    "of a partner that is gone": closed(partner={"deactivated_at": LONG_AGO}),
    "of an organization that is closed": closed(organization={"is_active": False}),
    "of a shop that is closed": closed(shop={"is_active": False}),
}


@pytest.mark.parametrize("end", ENDS)
def test_a_permission_that_ended_ends_at_once(lane, end):
    token = shop_token()
    assert post(token).status_code == 200
    ENDS[end](AccessToken.objects.get())
    before = stored()
    body = BODY | {"ext_order_id": "1002"}
    assert call(token, body) is None
    assert stored() == before
    quickly = post(token, body)
    lane("careful")
    assert quickly.status_code in (401, 403)
    assert told(quickly) == told(post(token, body))


def test_a_changed_hold_holds_from_the_next_order_on():
    token = shop_token()
    post(token)
    Integration.objects.update(order_hold_seconds=0)
    for number in ("1002", "1003"):
        assert post(token, BODY | {"ext_order_id": number}).status_code == 200
    held = {one.ext_order_id: round((one.release_at - one.created_at).total_seconds()) for one in Order.objects.all()}
    assert held == {"1001": 600, "1002": 0, "1003": 0}


BAD = {
    "no JSON": b"{",
    "twice the same name": b'{"ext_order_id": "1", "ext_order_id": "2"}',
    "an unknown field": BODY | {"colour": "red"},
    "no lines": BODY | {"lines": []},
    "half of a piece": BODY | {"lines": [{"sku": "HAT-1", "quantity": 0.5}]},
    "a NUL": BODY | {"notes": "a\u0000b"},
    "no object": [BODY],
}


@pytest.mark.parametrize("bad", BAD)
def test_what_is_wrong_is_left_to_the_careful_lane(lane, bad):
    token = shop_token()
    quickly = post(token, BAD[bad])
    lane("careful")
    assert quickly.status_code in (400, 422)
    assert told(quickly) == told(post(token, BAD[bad]))
    assert Order.objects.count() == 0


def test_an_order_that_is_there_is_refused_and_counted_once():
    token = shop_token()
    assert post(token).status_code == 200
    again = post(token)
    assert (again.status_code, again.json()["code"]) == (400, "order_already_exists")
    assert sorted(Usage.objects.values_list("calls", flat=True)) == [2, 2]
    assert (Order.objects.count(), of_goods().count()) == (1, 1)


def test_a_key_gets_its_first_answer_again_and_none_for_another_order():
    token = shop_token()
    first = post(token, **{"Idempotency-Key": "one"})
    again = post(token, **{"Idempotency-Key": "one"})
    other = post(token, BODY | {"ext_order_id": "1002"}, **{"Idempotency-Key": "one"})
    assert (again.status_code, again.json()) == (200, first.json())
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert Order.objects.count() == 1


def test_a_call_too_many_is_refused_and_stores_nothing(monkeypatch):
    monkeypatch.setattr(limits, "CALLS_OF_A_SHOP", limits.Rate(0.001, 2))
    token = shop_token()
    answers = [post(token, BODY | {"ext_order_id": str(n)}) for n in range(3)]
    assert [one.status_code for one in answers] == [200, 200, 429]
    assert [one.headers["RateLimit-Remaining"] for one in answers] == ["1", "0", "0"]
    assert Order.objects.count() == 2


def test_many_at_once_with_one_key_are_one_order():
    token = shop_token()

    def send(_number: int) -> int:
        try:
            return post(token, **{"Idempotency-Key": "one"}).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=8) as pool:
        answers = list(pool.map(send, range(24)))
    assert set(answers) <= {200, 409}
    assert 200 in answers
    assert (Order.objects.count(), OrderLine.objects.count(), Answer.objects.count()) == (1, 2, 1)


def test_a_key_of_an_integration_takes_the_careful_lane():
    key = make_key(integration=make_partner_integration())
    assert call(key) is None


def test_the_answer_that_nobody_can_give_is_try_again(monkeypatch):
    token = shop_token()
    assert post(token).status_code == 200

    def torn(*_given: Any, **_named: Any) -> None:
        raise OperationalError("the connection is gone")

    monkeypatch.setattr(lanes, "ask_all", torn)
    answer = post(token, BODY | {"ext_order_id": "1002"})
    assert (answer.status_code, answer.json()["code"], answer.headers["Retry-After"]) == (503, "try_again", "1")
