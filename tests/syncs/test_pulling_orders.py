"""Orders of a platform come in, each alone; what it says of them later is followed."""

import json
from datetime import UTC, datetime

import pytest
import requests
import responses
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from apps.api.errors import Problem
from apps.integrations.connectors.vendure import client as graphql
from apps.orders.models import Order, OrderLine
from apps.syncs import pulling_orders, queueing
from apps.syncs.models import Bookmark, CountedPage, SyncFailure, SyncRun
from tests.factories import make_connection, make_key, make_member, make_order, make_run

from ..api.calling import call
from .platform import fresh, work_on, work_out
from .selling import Selling, make_store

State, Kind = SyncRun.State, SyncRun.Kind


@pytest.fixture
def selling():
    far = Selling()
    with responses.RequestsMock(assert_all_requests_are_fired=False) as web:
        far.serve(web)
        yield far


@pytest.fixture
def store(db):
    return make_store()


@pytest.fixture
def few_to_a_page(monkeypatch):
    monkeypatch.setattr(graphql, "PAGE", 2)


def read(store) -> SyncRun:
    return work_out(queueing.owe(store, kind=Kind.ORDERS))


def stored() -> list[str]:
    return sorted(Order.objects.values_list("ext_order_id", flat=True))


def test_orders_come_in_whole_as_read_from_the_platform(store, selling):
    selling.place("7")
    run = read(store)
    assert (run.state, run.done, run.created_count, run.updated_count) == (State.SUCCEEDED, 1, 1, 0)
    order = Order.objects.get()
    assert (order.ext_order_id, order.number, order.source, order.state) == ("7", "CODE-7", "pulled", "new")
    assert (order.shop, order.integration, order.email) == (store.shop, store.integration, "ada@example.com")
    assert (str(order.total), order.shipping_method) == ("3517.4000", "Standard Shipping")
    lines = OrderLine.objects.values_list("ext_line_id", "sku", "quantity", "ext_product_id", "ext_variant_id")
    assert list(lines) == [("7-0", "L2201308", 2, "1", "1"), ("7-1", "TBL200032", 1, "2", "5")]


def test_what_is_told_again_as_it_was_writes_nothing(store, selling):
    selling.place("7", "8")
    read(store)
    before = list(Order.objects.values())
    with CaptureQueriesContext(database) as asked:
        run = read(store)
    assert (run.done, run.created_count, run.updated_count) == (2, 0, 0)
    assert list(Order.objects.values()) == before
    assert [one["sql"] for one in asked if '"orders_' in one["sql"] and not one["sql"].startswith("SELECT")] == []


def test_what_is_over_at_the_platform_before_we_heard_of_it_is_none_of_ours(store, selling):
    by_hand = {"state": "Shipped", "method": "By hand", "lines": [{"orderLineId": "8-0", "quantity": 2}]}
    by_hand["lines"].append({"orderLineId": "8-1", "quantity": 1})
    selling.place("7", state="Cancelled")
    selling.place("8", state="PartiallyShipped", fulfillments=[by_hand])
    selling.place("9", state="PaymentAuthorized")
    assert (read(store).state, stored()) == (State.SUCCEEDED, [])


def test_an_order_comes_once_its_payment_is_settled_though_vendure_dates_no_such_change(store, selling):
    selling.place("7", state="PaymentAuthorized")
    read(store)
    selling.orders["7"]["state"] = "PaymentSettled"
    read(store)
    assert stored() == ["7"]


def test_pages_are_read_to_the_end_and_the_next_reading_begins_where_they_began(store, selling, few_to_a_page):
    for number in range(5):
        selling.place(str(number), orderPlacedAt=f"2099-01-01T00:00:0{number}.000Z")
    run = read(store)
    assert (run.state, run.done, stored()) == (State.SUCCEEDED, 5, ["0", "1", "2", "3", "4"])
    bookmark = Bookmark.objects.get()
    first = next(variables for document, variables in selling.asked if document == graphql.ORDERS)
    assert bookmark.cursor.split()[0] == first["filter"]["orderPlacedAt"]["after"]
    assert not CountedPage.objects.exists()


def test_a_run_goes_on_from_the_page_it_had_come_to(store, selling, few_to_a_page):
    for number in range(4):
        selling.place(str(number), orderPlacedAt=f"2099-01-01T00:00:0{number}.000Z")
    run = queueing.owe(store, kind=Kind.ORDERS)
    calls = []

    def fail_at_the_second(document):
        calls.extend([document] if document == graphql.ORDERS else [])
        if len(calls) == 2:
            selling.wrong[graphql.ORDERS] = [requests.ConnectionError("gone")]

    selling.meanwhile = fail_at_the_second
    broken = work_on(run)
    assert (broken.state, broken.error, broken.pages, stored()) == (State.QUEUED, "unreachable", 1, ["0", "1"])
    done = work_out(run)
    assert (done.state, done.created_count, stored()) == (State.SUCCEEDED, 4, ["0", "1", "2", "3"])


def test_a_long_reading_lets_others_have_their_turn(store, selling, few_to_a_page, monkeypatch):
    monkeypatch.setattr(pulling_orders, "SLICE_SECONDS", -1.0)
    for number in range(3):
        selling.place(str(number), orderPlacedAt=f"2099-01-01T00:00:0{number}.000Z")
    run = work_on(queueing.owe(store, kind=Kind.ORDERS))
    assert (run.state, stored()) == (State.QUEUED, ["0", "1"])
    assert work_out(run).state == State.SUCCEEDED


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"totalWithTax": "much"}, "unreadable_order"),
        ({"currencyCode": "EURO"}, "cannot_be_stored"),
        ({"lines": [{"id": "1", "quantity": 2**40, "orderPlacedQuantity": 1, "unitPriceWithTax": 1}]}, ""),
    ],
)
def test_one_bad_order_fails_alone_with_its_reason_and_the_others_go_on(store, selling, wrong, code):
    selling.place("1", "2", "3")
    variant = selling.orders["2"]["lines"][0]["productVariant"]
    if "lines" in wrong:
        wrong = {"lines": [wrong["lines"][0] | {"productVariant": variant}]}
    selling.orders["2"] |= wrong
    run = read(store)
    assert (run.state, run.done, run.failed_count, stored()) == (State.PARTIAL, 3, 1, ["1", "3"])
    assert list(run.failures.values_list("ref", "code")) == [("CODE-2", code or "cannot_be_stored")]


def test_1_bad_order_among_1000_fails_and_999_come_in(store, selling):
    for number in range(1_000):
        selling.place(str(number), orderPlacedAt=f"2099-01-01T00:00:00.{number:03d}Z")
    selling.orders["500"]["currencyCode"] = "EURO"
    run = read(store)
    assert (run.state, run.failed_count, Order.objects.count()) == (State.PARTIAL, 1, 999)
    assert SyncFailure.objects.get().ref == "CODE-500"


def test_an_order_that_was_cancelled_here_does_not_come_again(store, selling):
    selling.place("7")
    read(store)
    Order.objects.update(state="cancelled", cancelled_at="2026-01-01T00:00:00Z")
    read(store)
    assert stored() == ["7"]


def test_another_shop_has_orders_of_its_own_under_the_same_ids(store, selling):
    other = make_store(organization=store.organization)
    selling.place("7")
    read(store)
    read(other)
    assert stored() == ["7", "7"]


def test_41_it_is_known_when_an_order_last_changed_at_the_platform(store, selling):
    selling.place("7", updatedAt="2026-11-21T18:00:00.000Z")
    selling.place("8", updatedAt="2026-11-21T19:00:00.000Z")
    read(store)
    store.integration.refresh_from_db()
    assert store.integration.order_sync_updated_at.isoformat() == "2026-11-21T19:00:00+00:00"
    del selling.orders["8"]
    read(store)
    store.integration.refresh_from_db()
    assert store.integration.order_sync_updated_at.isoformat() == "2026-11-21T19:00:00+00:00"


def test_a_key_that_may_not_read_orders_fails_the_run_and_keeps_its_permission(store, selling):
    refusal = {"errors": [{"message": "no", "extensions": {"code": "FORBIDDEN"}}], "data": None}
    selling.wrong[graphql.ORDERS] = [(200, {}, json.dumps(refusal))] * 2
    run = read(store)
    store.integration.refresh_from_db()
    assert (run.state, run.error, store.integration.state) == (State.FAILED, "may_not_read_orders", "connected")


def test_what_is_open_here_and_not_there_is_asked_after_by_its_id(store, selling):
    selling.place("7", "8")
    read(store)
    selling.orders["7"]["state"] = "Cancelled"
    selling.orders["8"]["state"] = "Modifying"
    asked = len(selling.asked)
    read(store)
    [named] = [
        variables["filter"]["id"]["in"]
        for document, variables in selling.asked[asked:]
        if document == graphql.ORDERS and "id" in variables["filter"]
    ]
    assert sorted(named) == ["7", "8"]
    assert dict(Order.objects.values_list("ext_order_id", "state")) == {"7": "cancelled", "8": "new"}


def test_orders_that_did_not_come_by_reading_are_not_asked_after(store, selling):
    make_order(shop=store.shop)
    read(store)
    assert [variables for document, variables in selling.asked if "id" in variables.get("filter", {})] == []


def test_the_same_page_a_second_time_does_not_go_on_for_ever(store, selling, monkeypatch):
    run = make_run(connection=store, kind=Kind.ORDERS, cursor="2026-01-01T00:00:00.000Z 2026-01-01T00:00:00.000Z 0")
    page = pulling_orders.OrderPage([], next_cursor=run.cursor)
    monkeypatch.setattr(graphql.VendureClient, "orders", lambda *_: page)
    assert work_on(run).error == "repeated_page"


def test_orders_are_read_every_minute_unless_that_is_switched_off(store, selling, settings):
    assert queueing.owe_regular_orders() == 1
    assert queueing.owe_regular_orders() == 0
    work_out(SyncRun.objects.get())
    assert queueing.owe_regular_orders() == 0
    settings.ORDERS_EVERY_SECONDS = 0
    store.integration.order_sync_enabled = False
    store.integration.save()
    assert queueing.owe_regular_orders() == 0
    store.integration.order_sync_enabled = True
    store.integration.save()
    assert queueing.owe_regular_orders() == 1


def test_40_a_sync_of_orders_is_answered_at_once_and_done_in_the_background(store, selling):
    selling.place("7")
    key = make_key(user=make_member(organization=store.organization))
    path = f"v1/organizations/{store.organization_id}/integrations/{store.integration_id}/sync/orders"
    answer = call("POST", path, token=key)
    run = SyncRun.objects.get()
    assert (answer.status_code, [one["id"] for one in answer.json()["runs"]]) == (202, [str(run.pk)])
    assert (run.kind, run.state, stored()) == ("orders", State.QUEUED, [])
    assert (work_out(run).created_count, stored()) == (1, ["7"])


def test_one_that_is_paused_waits_where_it_is(store, selling):
    selling.place("7")
    run = queueing.owe(store, kind=Kind.ORDERS)
    store.state = "paused"
    store.save()
    assert (fresh(work_on(run)).state, stored()) == (State.QUEUED, [])


def test_orders_are_read_from_a_day_on_and_the_regular_readings_stay_as_they_are(store, selling):
    read(store)
    regular = Bookmark.objects.get().cursor
    selling.place("7", orderPlacedAt="2020-05-01T00:00:00.000Z")
    assert (read(store).created_count, stored()) == (0, [])
    since = datetime(2020, 4, 30, tzinfo=UTC)
    (run,) = queueing.ask(store.integration, "orders", by=None, since=since)
    assert (work_out(run).created_count, stored()) == (1, ["7"])
    assert selling.asked[-1][1]["filter"]["orderPlacedAt"]["after"].startswith("2020-04-30T00:00:00")
    assert Bookmark.objects.get().cursor == regular


def test_a_reading_that_waits_is_begun_at_the_day_and_one_at_work_is_left_alone(store, selling):
    since = datetime(2020, 4, 30, tzinfo=UTC)
    waiting = queueing.owe(store, kind=Kind.ORDERS)
    assert queueing.ask(store.integration, "orders", by=None, since=since) == [waiting]
    assert fresh(waiting).since == since
    SyncRun.objects.filter(pk=waiting.pk).update(state=State.RUNNING, since=None)
    with pytest.raises(Problem, match="being read at this moment"):
        queueing.ask(store.integration, "orders", by=None, since=since)
    assert fresh(waiting).since is None


def test_products_are_not_read_from_a_day_on(store, selling):
    with pytest.raises(Problem, match="cannot be read from a day on"):
        queueing.ask(store.integration, "products", by=None, since=datetime(2020, 4, 30, tzinfo=UTC))
    assert not SyncRun.objects.exists()


def test_one_store_alone_can_be_read(store, selling):
    make_connection(integration=store.integration)
    (run,) = queueing.ask(store.integration, "orders", by=None, store=store)
    assert run.shop == store.shop
