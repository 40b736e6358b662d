"""Reading how far a warehouse is with our orders: what never arrived is known then, and nothing counts twice."""

import json
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import responses
from django.utils import timezone

from apps.audit.models import Entry
from apps.integrations.models import Integration
from apps.orders.models import Fulfillment, Parcel
from apps.syncs import queueing, schedule
from apps.syncs.models import Bookmark, SyncRun
from apps.webhooks.inboxes import address_of
from tests.conftest import PIO
from tests.factories import make_bookmark, make_connection, make_run, make_warehouse

from .order_desk import OrderDesk, hand_over, make_owed, step
from .platform import work_on, work_out

State, Kind = SyncRun.State, SyncRun.Kind
MOMENT = "2026-03-01T12:00:00+00:00"


class Board:
    """A Pio that lists `pages` of fulfilments, and has hooks. `wrong` are statuses that come first, by cursor."""

    def __init__(self, web):
        self.pages, self.wrong, self.asked, self.hooks = [[]], {}, [], []
        web.add_callback(responses.GET, f"{PIO}/api/v1/fulfillments", callback=self.answer)
        web.add_callback(responses.GET, f"{PIO}/api/v1/hooks", callback=self.list_hooks)
        web.add_callback(responses.POST, f"{PIO}/api/v1/hooks", callback=self.add_hook)

    def answer(self, request):
        query = {name: value for name, [value] in parse_qs(urlsplit(request.url).query).items() if name != "limit"}
        self.asked.append(query)
        number = int(query.get("cursor", "0"))
        if number in self.wrong:
            return self.wrong.pop(number), {}, "{}"
        following = str(number + 1) if number + 1 < len(self.pages) else None
        return 200, {}, json.dumps({"data": self.pages[number], "next": following})

    def list_hooks(self, request):
        return 200, {}, json.dumps({"data": self.hooks})

    def add_hook(self, request):
        self.hooks.append(json.loads(request.body) | {"id": len(self.hooks) + 1})
        return 200, {}, json.dumps(self.hooks[-1])


@pytest.fixture
def board(pio):
    OrderDesk().serve(pio)
    return Board(pio)


@pytest.fixture
def warehouse(board, db):
    return make_warehouse()


@pytest.fixture
def sent(warehouse):
    """Three fulfilments that the warehouse has."""
    owed = [make_owed(warehouse) for _ in range(3)]
    hand_over(warehouse)
    return [Fulfillment.objects.get(pk=one.pk) for one in owed]


def listed(fulfillment, *told, **fields):
    return step(fulfillment, *told, **{"order_id": int(fulfillment.remote_id), "updated_at": MOMENT} | fields)


def reconcile(warehouse):
    return work_out(make_run(connection=warehouse, kind=Kind.FULFILLMENTS))


def states():
    return list(Fulfillment.objects.order_by("id").values_list("state", flat=True))


def test_what_was_never_told_is_known_after_a_reading_and_counts_once(board, warehouse, sent):
    first, second, third = sent
    board.pages = [[listed(first, "fulfilled", 3, sent=2)], [listed(second, "picking", 2), listed(third, "open", 1)]]
    run = reconcile(warehouse)
    assert (run.state, run.done, run.updated_count, run.failed_count, run.total) == (State.SUCCEEDED, 3, 2, 0, 3)
    assert states() == ["shipped", "picking", "sent"]
    again = reconcile(warehouse)
    assert (again.state, again.updated_count, Parcel.objects.count()) == (State.SUCCEEDED, 0, 1)


def test_the_next_reading_begins_where_the_last_one_ended(board, warehouse, sent):
    board.pages = [[listed(sent[0], "picking", 2)]]
    reconcile(warehouse)
    assert Bookmark.objects.get().kind == Kind.FULFILLMENTS
    reconcile(warehouse)
    assert board.asked == [{}, {"updated_since": MOMENT}]


def test_a_reading_goes_on_from_the_page_it_came_to(board, warehouse, sent):
    board.pages = [[listed(sent[0], "picking", 2)], [listed(sent[1], "picking", 2)]]
    board.wrong = {1: 503}
    run = work_on(make_run(connection=warehouse, kind=Kind.FULFILLMENTS))
    assert (run.state, run.error, run.pages, Bookmark.objects.count()) == (State.QUEUED, "server_error", 1, 0)
    assert work_out(run).state == State.SUCCEEDED
    assert [query.get("cursor") for query in board.asked] == [None, "1", "1"]
    assert states() == ["picking", "picking", "sent"]


def test_one_that_makes_no_sense_fails_alone(board, warehouse, sent):
    nonsense, too_many = listed(sent[0], "on the moon", 2), listed(sent[1], "fulfilled", 3, sent=9)
    board.pages = [[nonsense, too_many, listed(sent[2], "picking", 2)]]
    run = reconcile(warehouse)
    assert (run.state, run.failed_count, run.done, states()) == (State.PARTIAL, 2, 3, ["sent", "sent", "picking"])
    assert sorted(run.failures.values_list("ref", "code")) == sorted(
        [(str(sent[0].pk), "unreadable"), (str(sent[1].pk), "more_than_ordered")]
    )


def test_orders_that_are_none_of_ours_are_left_out(board, warehouse, sent):
    board.pages = [[listed(sent[0], "picking", 2, ext_fulfillment_order_id="theirs", order_id=99)]]
    run = reconcile(warehouse)
    assert (run.state, run.updated_count, states()) == (State.SUCCEEDED, 0, ["sent"] * 3)


def test_a_warehouse_that_was_connected_before_tells_us_of_orders_from_now_on(board, warehouse):
    address = address_of(warehouse.integration.inbox)
    board.hooks = [{"id": n, "event_type": event, "target_url": address} for n, event in enumerate(STOCK, 1)]
    reconcile(warehouse)
    assert [(hook["event_type"], hook["target_url"]) for hook in board.hooks] == [
        (event, address) for event in (*STOCK, "fulfillments.create", "fulfillments.update")
    ]


STOCK = ("inventory_levels.update", "inventory_log.create")


def test_a_hook_that_the_warehouse_forgot_is_registered_again_and_told(board, warehouse, staff_client):
    reconcile(warehouse)
    inbox = warehouse.integration.inbox
    del board.hooks[1:3]
    reconcile(warehouse)
    assert len(board.hooks) == 2  # it was looked at a moment ago
    type(inbox).objects.update(checked_at=timezone.now() - timedelta(minutes=11))
    reconcile(warehouse)
    inbox.refresh_from_db()
    forgotten = ["inventory_log.create", "fulfillments.create"]
    assert (len(board.hooks), len(inbox.registered), inbox.mended) == (4, 4, forgotten)
    entry = Entry.objects.get(action="inbox.register_again")
    assert (entry.integration_id, entry.after) == (warehouse.integration_id, {"events": forgotten})
    for page in (f"integrations/integration/{warehouse.integration_id}", f"webhooks/inbox/{inbox.pk}"):
        assert "all 4 are registered, looked at now" in staff_client.get(f"/admin/{page}/change/").content.decode()


def test_what_it_had_not_told_us_stands_on_the_page_of_the_reading(board, warehouse, sent, staff_client):
    board.pages = [[listed(sent[0], "picking", 2)]]
    run = reconcile(warehouse)
    assert list(run.repairs.values_list("ref", "detail")) == [(str(sent[0].pk), "picking")]
    page = staff_client.get(f"/admin/syncs/syncrun/{run.pk}/change/").content.decode()
    assert str(sent[0].pk) in page
    assert reconcile(warehouse).repairs.count() == 0


def test_live_warehouses_are_read_regularly(board, warehouse, settings):
    make_connection()
    schedule.queue_regular_reconciliations()
    run = SyncRun.objects.get()
    assert (run.kind, run.shop) == (Kind.FULFILLMENTS, warehouse.shop)
    work_out(run)
    assert queueing.owe_regular_reconciliations() == 0
    long_ago = timezone.now() - timedelta(seconds=settings.COMPARE_EVERY_SECONDS + 1)
    SyncRun.objects.update(created_at=long_ago)
    assert queueing.owe_regular_reconciliations() == 1


def test_a_warehouse_whose_orders_are_switched_off_is_not_read(board, warehouse):
    Integration.objects.update(order_sync_enabled=False)
    assert queueing.owe_regular_reconciliations() == 0


def test_each_shop_and_kind_has_a_bookmark_of_its_own(board, warehouse, sent):
    make_bookmark(shop=warehouse.shop, kind=Kind.ORDERS, cursor="of orders")
    reconcile(warehouse)
    assert board.asked == [{}]
