"""What messages say of fulfilments and of orders: taken in once, in any order, whoever is late."""

import itertools
import json
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from apps.integrations.models import Integration
from apps.orders import following
from apps.orders.models import Fulfillment, Hindrance, Order, Parcel
from apps.syncs import opening
from apps.syncs.parking import open_again
from apps.webhooks.models import Receipt
from tests.factories import make_connection, make_fulfillment, make_receipt, make_shop, make_warehouse
from tests.webhooks.sending import stock_of

from .order_desk import OrderDesk, hand_over, make_owed, step

State, Ended = Fulfillment.State, Receipt.State
OTTERS = Path("tests/integrations/connectors/otter/order.json")


@pytest.fixture
def warehouse(pio, db):
    OrderDesk().serve(pio)
    return make_warehouse()


@pytest.fixture
def sent(warehouse) -> Fulfillment:
    """Two hats that the warehouse has under the id 1."""
    owed = make_owed(warehouse)
    hand_over(warehouse)
    owed.refresh_from_db()
    return owed


def arrived(warehouse, told, *, event_type="fulfillments.update"):
    place = {"integration": warehouse.integration, "shop_ref": warehouse.ext_shop_id, "event_type": event_type}
    return make_receipt(**place, body=json.dumps(told).encode())


def ended(receipt):
    receipt.refresh_from_db()
    return receipt.state, receipt.error


def test_a_fulfilment_follows_its_warehouse_and_says_which_message_did_it(warehouse, sent):
    steps = [("open", 1, 0), ("picking", 2, 0), ("fulfilled", 3, 2)]
    came = [arrived(warehouse, step(sent, state, version, sent=left)) for state, version, left in steps]
    opening.open_waiting()
    assert [ended(receipt) for receipt in came] == [(Ended.DONE, "")] * 3
    assert list(Receipt.objects.order_by("received_at").values_list("detail", flat=True)) == [
        f"{sent.pk}: {what}" for what in ("known", "picking", "shipped")
    ]
    sent.refresh_from_db()
    assert (sent.state, sent.order.state, Parcel.objects.get().tracking_number) == (State.SHIPPED, "fulfilled", "3S1")
    said = sent.order.entries.filter(data__has_key="receipt").values_list("kind", "actor", "data__receipt")
    by = str(warehouse.integration)
    assert list(said) == [("picking", by, str(came[1].pk)), ("parcel", by, str(came[2].pk))]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_messages_in_any_order_and_twice_end_the_same(warehouse, sent, order):
    steps = [step(sent, "open", 1), step(sent, "picking", 2), step(sent, "fulfilled", 3, sent=2)]
    for number in (*order, *order):
        arrived(warehouse, steps[number])
        opening.open_waiting()
    sent.refresh_from_db()
    assert (sent.state, sent.order.state, Parcel.objects.count()) == (State.SHIPPED, Order.State.FULFILLED, 1)
    assert set(Receipt.objects.values_list("state", flat=True)) == {Ended.DONE}


def test_a_message_about_what_nobody_here_has_sent_waits_and_is_opened_again_after_a_send(warehouse):
    owed = make_owed(warehouse)
    early = arrived(warehouse, step(owed, "picking", 2, ext_fulfillment_order_id=""))
    stranger = arrived(warehouse, step(owed, "picking", 2, ext_fulfillment_order_id="", order_id=99))
    opening.open_waiting()
    assert ended(early) == ended(stranger) == (Ended.PARKED, "unknown_fulfillment")
    hand_over(warehouse)
    opening.open_waiting()
    owed.refresh_from_db()
    assert (ended(early), ended(stranger)[0], owed.state) == ((Ended.DONE, ""), Ended.PARKED, State.PICKING)


def test_only_the_news_of_the_last_minutes_are_opened_again(warehouse, sent):
    old = arrived(warehouse, step(sent, "picking", 2, ext_fulfillment_order_id="", order_id=99))
    opening.open_waiting()
    Receipt.objects.update(received_at=sent.created_at.replace(year=2020))
    open_again(warehouse.integration)
    assert ended(old) == (Ended.PARKED, "unknown_fulfillment")


def test_another_warehouses_fulfilment_is_unknown_here(warehouse, sent):
    other = make_warehouse()
    receipt = arrived(other, step(sent, "fulfilled", 3, sent=2))
    opening.open_waiting()
    sent.refresh_from_db()
    assert (ended(receipt), sent.state) == ((Ended.PARKED, "unknown_fulfillment"), State.SENT)


def test_more_pieces_than_were_asked_for_fail_with_their_reason(warehouse, sent):
    receipt = arrived(warehouse, step(sent, "fulfilled", 3, sent=3))
    opening.open_waiting()
    sent.refresh_from_db()
    assert (ended(receipt), sent.state) == ((Ended.FAILED, "more_than_ordered"), State.SENT)


def test_behaviour_76_what_the_warehouse_counted_after_the_pick_is_not_taken_off_again(warehouse, sent):
    """It tells its stock when it picks, and of the parcel when that leaves."""
    sku = sent.lines.get().product.sku
    picked, left = timezone.now() - timedelta(seconds=9), timezone.now() - timedelta(seconds=2)
    Fulfillment.objects.update(created_at=picked - timedelta(minutes=1))
    stock = stock_of(sku, 8, version=2, occurred_at=picked.isoformat())
    told = step(sent, "fulfilled", 3, sent=2, updated_at=left.isoformat())
    arrived(warehouse, stock, event_type="inventory_levels.update")
    arrived(warehouse, told)
    opening.open_waiting()
    level = sent.location.stock_levels.get()
    assert (level.on_hand, level.reserved, Parcel.objects.get().shipped_at) == (8, 0, left)


# ---- Orders


@pytest.fixture
def store(otter, db):
    return make_connection()


def told_by(store, event_type="orders.new_order", **changes):
    """Otter tells of an order."""
    envelope = json.loads(OTTERS.read_text()) | {"eventType": event_type}
    envelope["metadata"]["storeId"] = store.ext_shop_id
    envelope["metadata"]["payload"] |= changes
    place = {"integration": store.integration, "shop_ref": store.ext_shop_id, "event_type": event_type}
    return make_receipt(**place, body=json.dumps(envelope).encode())


def test_an_order_comes_once_and_a_change_is_followed(store):
    first, again = told_by(store), told_by(store)
    changed = told_by(store, "orders.update", customerNote="Leave it at the door")
    opening.open_waiting()
    order = Order.objects.get()
    assert (order.shop, order.source) == (store.shop, Order.Source.WEBHOOK)
    assert [ended(receipt) for receipt in (first, again, changed)] == [(Ended.DONE, "")] * 3
    assert [receipt.detail for receipt in Receipt.objects.order_by("received_at")] == [
        f"HM-1042: {came}" for came in ("new", "known", "changed")
    ]
    assert "Leave it at the door" in order.notes


def test_an_order_that_is_over_before_we_heard_of_it_is_none_of_ours(store):
    receipt = told_by(store, status="CANCELED")
    opening.open_waiting()
    assert (ended(receipt), Order.objects.count()) == ((Ended.DONE, ""), 0)


def test_behaviour_77_a_cancel_at_the_platform_cancels_here_also_when_it_overtakes_its_order(store):
    cancelled = told_by(store, "orders.cancel_order")
    opening.open_waiting()
    assert ended(cancelled) == (Ended.PARKED, "unknown_order")
    told_by(store)
    opening.open_waiting()
    opening.open_waiting()
    assert (ended(cancelled), Order.objects.get().state) == ((Ended.DONE, ""), Order.State.CANCELLED)


def test_a_cancel_of_what_a_warehouse_picks_is_flagged(store):
    told_by(store)
    opening.open_waiting()
    order = Order.objects.get()
    make_fulfillment(order=order, state=State.PICKING)
    assert following.cancelled_there(order, by=opening.timeline.ITSELF) is True
    assert list(Hindrance.objects.values_list("code", flat=True)) == ["cancelled_after_handover"]
    assert Order.objects.get().cancelled_at is None


def test_orders_of_another_shop_are_not_followed(store):
    told_by(store)
    opening.open_waiting()
    Order.objects.update(shop=make_shop(integration=store.integration))
    told_by(store)
    opening.open_waiting()
    assert Order.objects.filter(shop=store.shop).count() == 1


def test_orders_of_an_integration_whose_orders_are_switched_off_wait(store):
    Integration.objects.filter(pk=store.integration_id).update(order_sync_enabled=False)
    receipt = told_by(store)
    opening.open_waiting()
    assert (ended(receipt), Order.objects.count()) == ((Ended.PARKED, "orders_off"), 0)
    Integration.objects.filter(pk=store.integration_id).update(order_sync_enabled=True)
    Receipt.objects.replay()
    opening.open_waiting()
    assert (ended(receipt), Order.objects.count()) == ((Ended.DONE, ""), 1)
