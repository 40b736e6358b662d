"""Handing orders over to a warehouse: each once, whatever happens on the way; one bad order fails alone."""

import pytest
from django.utils import timezone

from apps.audit.trail import Actor
from apps.catalog.handing import owed_to
from apps.catalog.models import Handover
from apps.egress import OutboundSession
from apps.integrations.connectors.base import Rejected
from apps.integrations.models import Integration
from apps.orders import cancelling, fulfilling, revising
from apps.orders.models import Fulfillment, Hindrance, Order
from apps.shops.models import Connection
from apps.syncs import handing_over, recording, tasks
from apps.syncs.describing import errands
from apps.syncs.models import OrderFeed
from apps.syncs.recording import Answer, note
from apps.webhooks.models import Event
from tests.concurrency import at_once
from tests.conftest import PIO
from tests.factories import make_handover, make_pair, make_product, make_warehouse

from .order_desk import OrderDesk, hand_over, make_owed, refusal, time_passes

State, Owes, Code = Fulfillment.State, Fulfillment.Owes, Hindrance.Code
ANNA = Actor("anna@foo-3pl.example")


@pytest.fixture
def desk(pio) -> OrderDesk:
    desk = OrderDesk()
    desk.serve(pio)
    return desk


@pytest.fixture
def warehouse(desk, db) -> Connection:
    return make_warehouse()


def now_of(fulfillment):
    fulfillment.refresh_from_db()
    return fulfillment.state, fulfillment.owes, fulfillment.error


def timeline(fulfillment):
    return list(fulfillment.order.entries.values_list("kind", flat=True))


def waits(integration):
    """Seconds until it is called again, rounded."""
    feed = OrderFeed.objects.get(integration=integration)
    return feed.next_attempt_at and round((feed.next_attempt_at - timezone.now()).total_seconds())


# ---- Sending


def test_behaviour_70_an_order_is_sent_whole_in_the_warehouses_words(desk, warehouse):
    hat = make_product(organization=warehouse.organization, sku="HAT-1", name="Hat")
    make_pair(integration=warehouse.integration, first="HAT-1", second="P-0001")
    make_handover(integration=warehouse.integration, product=hat, sku="P-0001")
    owed = make_owed(
        warehouse,
        known=False,
        lines=[{"product": hat, "sku": "hat in the shop", "quantity": 3}],
        ext_order_id="1001",
        number="#1001",
        tags=["vip"],
        notes="Gift wrap",
    )
    Fulfillment.objects.update(service="express")
    assert hand_over(warehouse) is False
    line = owed.order.lines.get()
    to_ann = {"first_name": "Ann", "last_name": "de Vries", "address1": "Main Street 1", "city": "Delft"}
    to_ann |= {"zip": "2611 AA", "country": "NL"}
    to_ann |= dict.fromkeys(("company", "address2", "province", "phone", "email"), "")
    assert desk.orders == {
        "1": {
            "ext_order_id": "1001",
            "ext_fulfillment_order_id": str(owed.pk),
            "order_number": "#1001",
            "shipping_method": "express",
            "tags": ["vip"],
            "notes": "Gift wrap",
            "destination_address": to_ann,
            "lines": [{"sku": "P-0001", "quantity": 3, "ext_order_line_item_id": str(line.pk)}],
        }
    }


def test_what_was_sent_is_written_down_once(desk, warehouse):
    owed = make_owed(warehouse)
    hand_over(warehouse)
    assert (now_of(owed), owed.remote_id, owed.tries) == ((State.SENT, "", ""), "1", 0)
    assert (owed.due_at, owed.lease_until, owed.sent_at is None) == (None, None, False)
    assert Order.objects.get().state == Order.State.SENT
    assert timeline(owed) == ["sent"]
    told = Event.objects.filter(entity="fulfillment").values_list("type", "data__state", "data__before")
    assert list(told) == [("fulfillment.updated", "sent", "ready")]
    hand_over(warehouse)
    assert desk.calls == ["POST"]


def test_many_are_sent_in_one_turn(desk, warehouse):
    owed = [make_owed(warehouse) for _ in range(2 * handing_over.BATCH + 1)]
    assert hand_over(warehouse) is False
    assert desk.references == sorted(str(one.pk) for one in owed)
    assert {now_of(one)[0] for one in owed} == {State.SENT}


def test_a_turn_ends_and_says_that_more_is_due(desk, warehouse, monkeypatch):
    for _ in range(handing_over.BATCH + 1):
        make_owed(warehouse)
    monkeypatch.setattr(handing_over, "SLICE_SECONDS", 0.001)
    assert hand_over(warehouse) is True
    assert len(desk.orders) == handing_over.BATCH
    assert hand_over(warehouse) is True
    assert len(desk.orders) == handing_over.BATCH + 1


def test_as_many_statements_describe_one_as_describe_many(desk, warehouse, django_assert_num_queries):
    several = [make_owed(warehouse) for _ in range(5)]
    for claimed in (several[:1], several):
        fresh = list(Fulfillment.objects.filter(pk__in=[one.pk for one in claimed]))
        with django_assert_num_queries(4):
            assert len(errands(warehouse.integration, fresh)) == len(claimed)


# ---- Once, whatever happens


def test_an_order_whose_answer_was_lost_is_looked_up_and_not_sent_again(desk, warehouse):
    owed = make_owed(warehouse)
    desk.accepted = 1
    hand_over(warehouse)
    assert now_of(owed) == (State.READY, Owes.SEND, "unreachable")
    time_passes(seconds=1)
    hand_over(warehouse)
    assert (now_of(owed), owed.remote_id) == ((State.SENT, "", ""), "1")
    assert desk.calls == ["POST", "GET"]
    assert timeline(owed) == ["send_failed", "found_there", "sent"]


def test_a_worker_that_died_after_the_call_leaves_an_order_that_is_looked_up(desk, warehouse):
    owed = make_owed(warehouse)
    [claimed] = Fulfillment.objects.all().claim(most=1)
    desk.orders["1"] = {"ext_fulfillment_order_id": str(owed.pk)}
    hand_over(warehouse)
    assert desk.calls == [], "it is under the dead one's lease"
    time_passes(seconds=61)
    hand_over(warehouse)
    assert (now_of(owed), owed.remote_id, desk.calls) == ((State.SENT, "", ""), "1", ["GET"])
    note(errands(warehouse.integration, [claimed])[0], Answer("2"))
    assert (now_of(owed)[0], owed.remote_id) == (State.SENT, "1")


def test_an_order_that_the_warehouse_has_already_is_found(desk, warehouse):
    owed = make_owed(warehouse)
    desk.orders["1"] = {"ext_fulfillment_order_id": str(owed.pk)}
    hand_over(warehouse)
    assert (now_of(owed), owed.remote_id, desk.calls) == ((State.SENT, "", ""), "1", ["POST", "GET"])


def test_news_that_come_before_the_answer_are_kept(desk, warehouse):
    owed = make_owed(warehouse)
    [claimed] = Fulfillment.objects.all().claim(most=1)
    [errand] = errands(warehouse.integration, [claimed])
    fulfilling.start_picking(owed, by=ANNA)
    note(errand, Answer("7"))
    assert (now_of(owed), owed.remote_id) == ((State.PICKING, "", ""), "7")


def test_a_silence_after_news_of_it_owes_nothing(desk, warehouse):
    owed = make_owed(warehouse)
    [claimed] = Fulfillment.objects.all().claim(most=1)
    [errand] = errands(warehouse.integration, [claimed])
    fulfilling.start_picking(owed, by=ANNA)
    recording.note_silence(errand, Rejected("late"), alone=True)
    assert (now_of(owed), owed.due_at) == ((State.PICKING, "", ""), None)


def test_what_cannot_be_written_down_is_tried_again_by_itself(desk, warehouse, monkeypatch):
    bad, good = make_owed(warehouse), make_owed(warehouse)
    acknowledge = fulfilling.acknowledge

    def buggy(own, **told):
        if own.pk == bad.pk:
            raise RuntimeError("oops")
        return acknowledge(own, **told)

    monkeypatch.setattr(fulfilling, "acknowledge", buggy)
    hand_over(warehouse)
    assert (now_of(bad), bad.tries) == ((State.READY, Owes.SEND, "bug"), 1)
    assert now_of(good)[0] == State.SENT


def test_an_id_that_another_order_has_already_is_refused(desk, warehouse):
    first, second = make_owed(warehouse), make_owed(warehouse)
    hand_over(warehouse)
    Fulfillment.objects.filter(pk=second.pk).update(state=State.READY, owes=Owes.SEND, due_at=timezone.now())
    [errand] = errands(warehouse.integration, Fulfillment.objects.filter(owes=Owes.SEND).claim(most=1))
    note(errand, Answer(Fulfillment.objects.get(pk=first.pk).remote_id))
    assert now_of(second) == (State.READY, Owes.SEND, "conflict")
    assert list(Hindrance.objects.values_list("code", "detail__code")) == [(Code.NOT_SENT, "conflict")]


@pytest.mark.django_db(transaction=True)
def test_workers_at_once_send_each_order_once(desk):
    warehouse = make_warehouse()
    owed = [make_owed(warehouse) for _ in range(12)]
    OrderFeed.objects.enlist()
    turns = at_once(3, lambda: handing_over.hand_over(warehouse.integration_id))
    assert turns == [False] * 3
    assert (desk.references, desk.calls) == (sorted(str(one.pk) for one in owed), ["POST"] * 12)


# ---- Who waits


@pytest.mark.parametrize(
    "hold",
    [
        lambda warehouse: Connection.objects.update(state=Connection.State.PAUSED),
        lambda warehouse: warehouse.integration.lose_permission("gone"),
        lambda warehouse: Integration.objects.update(order_sync_enabled=False),
        lambda warehouse: type(warehouse.organization).objects.update(is_active=False),
    ],
    ids=["paused", "permission lost", "switched off", "organization inactive"],
)
def test_orders_wait_untouched_until_their_warehouse_may_be_called(desk, warehouse, hold):
    owed = make_owed(warehouse)
    hold(warehouse)
    hand_over(warehouse)
    assert (handing_over.due(), desk.calls, now_of(owed)) == ([], [], (State.READY, Owes.SEND, ""))
    Connection.objects.update(state=Connection.State.ACTIVE)
    Integration.objects.update(state=Integration.State.CONNECTED, order_sync_enabled=True)
    type(warehouse.organization).objects.update(is_active=True)
    assert handing_over.due() == [warehouse.integration_id]
    hand_over(warehouse)
    assert now_of(owed)[0] == State.SENT


def test_a_warehouse_that_cannot_be_reached_waits_longer_each_time_and_is_asked_in_vain_once(desk, warehouse):
    owed = [make_owed(warehouse) for _ in range(2)]
    for seconds in (1, 2, 5, 15, 60, 300, 300):
        desk.wrong["*"] = [refusal(503)] * 2
        calls = len(desk.calls)
        hand_over(warehouse)
        assert (waits(warehouse.integration), len(desk.calls) - calls) == (seconds, 2)
        assert hand_over(warehouse) is False
        time_passes(seconds=seconds)
    assert [now_of(one) for one in owed] == [(State.READY, Owes.SEND, "server_error")] * 2
    assert [timeline(one) for one in owed] == [["send_failed"]] * 2
    assert list(OrderFeed.objects.troubled()) == [OrderFeed.objects.get()]
    hand_over(warehouse)
    assert {now_of(one)[0] for one in owed} == {State.SENT}
    feed = OrderFeed.objects.get()
    assert (feed.tries, feed.error, feed.next_attempt_at) == (0, "", None)


def test_each_change_of_the_reason_is_in_the_timeline(desk, warehouse):
    owed = make_owed(warehouse)
    for status in (503, 503, 429, 503):
        desk.wrong["*"] = [refusal(status)]
        hand_over(warehouse)
        time_passes(seconds=300)
    said = owed.order.entries.values_list("kind", "data__code")
    assert list(said) == [
        ("send_failed", "server_error"), ("send_failed", "rate_limited"), ("send_failed", "server_error")
    ]  # fmt: skip


def test_a_warehouse_waits_as_long_as_it_asks(desk, warehouse):
    make_owed(warehouse)
    desk.wrong["POST"] = [refusal(503, Retry_After="44")]
    hand_over(warehouse)
    assert waits(warehouse.integration) == 44


def test_a_429_slows_down_everybody_at_that_account_and_nobody_else(desk, warehouse):
    same, other = make_warehouse(), make_warehouse()
    Integration.objects.filter(pk=other.integration_id).update(account_ref="another")
    for one in (same, other):
        make_owed(one)
    make_owed(warehouse)
    desk.wrong["POST"] = [refusal(429, Retry_After="30")]
    hand_over(warehouse)
    assert [waits(one.integration) for one in (warehouse, same, other)] == [30, 30, None]
    assert handing_over.due() == [other.integration_id]


def test_a_warehouse_that_is_down_holds_up_no_other(desk, warehouse):
    make_owed(warehouse)
    there = make_owed(other := make_warehouse())
    desk.wrong["POST"] = [refusal(503)]
    hand_over(warehouse)
    assert handing_over.due() == [other.integration_id]
    hand_over(other)
    assert now_of(there)[0] == State.SENT


@pytest.mark.parametrize("answer", [refusal(500), refusal(422, "validation_error")], ids=["500", "422"])
def test_one_bad_order_among_many_waits_alone(desk, warehouse, answer):
    owed = [make_owed(warehouse) for _ in range(20)]
    desk.bad[owed[3].order.number] = answer
    hand_over(warehouse)
    assert [now_of(one)[0] for one in owed].count(State.SENT) == 19
    assert (now_of(owed[3])[:2], owed[3].tries, waits(warehouse.integration)) == ((State.READY, Owes.SEND), 1, None)
    assert owed[3].due_at > timezone.now()


def test_a_lost_permission_holds_the_orders_until_the_owner_logs_in_again(desk, warehouse):
    owed = make_owed(warehouse)
    desk.wrong["*"] = [refusal(403, "could_not_validate_credentials")] * 2
    hand_over(warehouse)
    assert Integration.objects.get().state == Integration.State.NEEDS_RECONNECT
    assert (now_of(owed), handing_over.due()) == ((State.READY, Owes.SEND, "unauthorized"), [])
    Integration.objects.update(state=Integration.State.CONNECTED)
    hand_over(warehouse)
    assert now_of(owed)[0] == State.SENT


def test_a_passing_401_is_no_lost_permission(desk, warehouse):
    owed = make_owed(warehouse)
    desk.wrong["POST"] = [refusal(401)]
    hand_over(warehouse)
    assert (now_of(owed)[0], Integration.objects.get().state) == (State.SENT, Integration.State.CONNECTED)


# ---- Refused


def test_a_refused_order_says_so_and_is_tried_again_slowly(desk, warehouse):
    owed = make_owed(warehouse)
    desk.bad[owed.order.number] = refusal(422, "validation_error")
    for minutes in (10, 60, 60):
        hand_over(warehouse)
        assert round((Fulfillment.objects.get().due_at - timezone.now()).total_seconds() / 60) == minutes
        time_passes(minutes=minutes)
    said = Hindrance.objects.values_list("code", "ref", "who", "detail__code", "detail__location")
    assert list(said) == [("not_sent", str(owed.pk), "operator", "validation_error", owed.location.name)]
    assert (timeline(owed), owed.order.state) == (["send_failed"], Order.State.NEW)
    desk.bad.clear()
    hand_over(warehouse)
    assert (now_of(owed)[0], Hindrance.objects.count()) == (State.SENT, 0)


def test_an_order_waits_until_the_warehouse_knows_its_product(desk, warehouse):
    owed = make_owed(warehouse, known=False)
    hand_over(warehouse)
    assert (desk.calls, now_of(owed)) == ([], (State.READY, Owes.SEND, "product_not_there"))
    assert Hindrance.objects.count() == 0, "nobody has to do anything yet"
    make_handover(integration=warehouse.integration, product=owed.lines.get().product)
    time_passes(seconds=5)
    hand_over(warehouse)
    assert now_of(owed)[0] == State.SENT


def test_a_product_that_never_gets_there_is_somebodys_to_mend(desk, warehouse):
    make_owed(warehouse, known=False)
    for _ in range(len(recording.SOON) + 1):
        hand_over(warehouse)
        time_passes(minutes=5)
    assert list(Hindrance.objects.values_list("code", "detail__code")) == [("not_sent", "product_not_there")]


def test_a_product_that_the_warehouse_has_thrown_away_is_owed_anew(desk, warehouse):
    owed = make_owed(warehouse)
    assert not owed_to(warehouse.integration, organization=warehouse.organization).exists()
    desk.wrong["POST"] = [refusal(422, "product_not_found")]
    hand_over(warehouse)
    assert now_of(owed) == (State.READY, Owes.SEND, "product_not_found")
    assert list(owed_to(warehouse.integration, organization=warehouse.organization)) == [owed.lines.get().product]
    Handover.objects.update(version=1)
    time_passes(seconds=5)
    hand_over(warehouse)
    assert now_of(owed)[0] == State.SENT


# ---- Changing and cancelling


def test_a_change_tells_tags_notes_and_destination_of_now(desk, warehouse):
    owed = make_owed(warehouse, tags=["old"])
    hand_over(warehouse)
    revising.revise(owed.order, {"tags": ["vip"], "notes": "Ring twice"}, by=ANNA)
    hand_over(warehouse)
    assert (desk.orders["1"]["tags"], desk.orders["1"]["notes"]) == (["vip"], "Ring twice")
    assert (now_of(owed), desk.calls) == ((State.SENT, "", ""), ["POST", "PUT"])
    assert timeline(owed) == ["sent", "edited", "change_sent"]


def test_what_is_changed_while_an_order_is_being_sent_is_owed(desk, warehouse):
    owed = make_owed(warehouse, notes="old")
    [claimed] = Fulfillment.objects.all().claim(most=1)
    [errand] = errands(warehouse.integration, [claimed])
    answer = handing_over.ask(_client(warehouse), warehouse.ref, errand)
    revising.revise(owed.order, {"notes": "new"}, by=ANNA)
    note(errand, answer)
    assert now_of(owed) == (State.SENT, Owes.CHANGE, "")
    hand_over(warehouse)
    assert (now_of(owed), desk.orders["1"]["notes"]) == ((State.SENT, "", ""), "new")


def test_what_was_changed_between_two_tries_is_owed(desk, warehouse):
    owed = make_owed(warehouse, notes="old")
    desk.accepted = 1
    hand_over(warehouse)
    revising.revise(owed.order, {"notes": "new"}, by=ANNA)
    time_passes(seconds=1)
    hand_over(warehouse)
    assert (now_of(owed), desk.orders["1"]["notes"]) == ((State.SENT, "", ""), "new")
    assert desk.calls == ["POST", "GET", "PUT"]


def test_a_refused_change_is_flagged_and_the_warehouse_goes_on(desk, warehouse):
    owed = make_owed(warehouse)
    hand_over(warehouse)
    revising.revise(owed.order, {"notes": "new"}, by=ANNA)
    desk.wrong["PUT"] = [refusal(422, "order_already_fulfilled")]
    hand_over(warehouse)
    assert now_of(owed) == (State.SENT, "", "")
    assert list(Hindrance.objects.values_list("code", "detail__code")) == [
        (Code.EDITED_LATE, "order_already_fulfilled")
    ]


def cancel(fulfillment):
    cancelling.cancel(fulfillment.order, by=ANNA)


def test_behaviour_77_a_sent_order_is_cancelled_there_and_then_here(desk, warehouse):
    owed = make_owed(warehouse)
    hand_over(warehouse)
    cancel(owed)
    assert Order.objects.get().state == Order.State.CANCELLING
    hand_over(warehouse)
    assert (desk.orders, now_of(owed)) == ({}, (State.CANCELLED, "", ""))
    assert Order.objects.get().state == Order.State.CANCELLED
    assert owed.location.stock_levels.get().reserved == 0


@pytest.mark.parametrize("code", ["picking_in_progress", "order_already_fulfilled"])
def test_behaviour_77_a_cancel_that_comes_too_late_is_flagged_and_the_order_goes_on(desk, warehouse, code):
    owed = make_owed(warehouse)
    hand_over(warehouse)
    cancel(owed)
    desk.wrong["DELETE"] = [refusal(422, code)]
    hand_over(warehouse)
    assert (now_of(owed), Order.objects.get().state) == ((State.SENT, "", ""), Order.State.SENT)
    assert list(Hindrance.objects.values_list("code", "detail__code")) == [(Code.CANCEL_REFUSED, code)]


def test_a_cancel_that_comes_while_an_order_is_being_sent_follows_it(desk, warehouse):
    owed = make_owed(warehouse)
    [claimed] = Fulfillment.objects.all().claim(most=1)
    [errand] = errands(warehouse.integration, [claimed])
    cancel(owed)
    hand_over(warehouse)
    assert desk.calls == [], "whoever sends it is not done yet"
    note(errand, handing_over.ask(_client(warehouse), warehouse.ref, errand))
    assert (now_of(owed)[:2], len(desk.orders)) == ((State.READY, Owes.CANCEL), 1)
    hand_over(warehouse)
    assert (now_of(owed), desk.orders) == ((State.CANCELLED, "", ""), {})


def test_an_order_whose_answer_was_lost_is_cancelled_there_too(desk, warehouse):
    owed = make_owed(warehouse)
    desk.accepted = 1
    hand_over(warehouse)
    cancel(owed)
    time_passes(seconds=1)
    hand_over(warehouse)
    assert (now_of(owed), desk.orders, desk.calls) == ((State.CANCELLED, "", ""), {}, ["POST", "GET", "DELETE"])


def test_an_order_that_never_got_there_is_cancelled_here(desk, warehouse):
    owed = make_owed(warehouse)
    desk.wrong["POST"] = [refusal(422, "validation_error")]
    hand_over(warehouse)
    cancel(owed)
    hand_over(warehouse)
    assert (now_of(owed), desk.calls) == ((State.CANCELLED, "", ""), ["POST", "GET"])
    assert Order.objects.get().state == Order.State.CANCELLED


def test_a_cancel_that_cannot_be_told_is_still_owed(desk, warehouse):
    owed = make_owed(warehouse)
    hand_over(warehouse)
    cancel(owed)
    desk.wrong["DELETE"] = [refusal(503)]
    hand_over(warehouse)
    assert now_of(owed) == (State.SENT, Owes.CANCEL, "server_error")
    time_passes(seconds=1)
    hand_over(warehouse)
    assert (now_of(owed)[0], timeline(owed)) == (
        State.CANCELLED, ["sent", "cancel_asked", "cancel_failed", "stopped", "cancelled"],
    )  # fmt: skip


def _client(warehouse):
    return warehouse.integration.kind.client(OutboundSession(), address=PIO)


# ---- The doorbell


def test_the_task_rings_for_each_warehouse_that_is_owed_something(desk, warehouse, monkeypatch):
    make_owed(warehouse)
    make_warehouse()
    rung = []
    monkeypatch.setattr(tasks.hand_orders_over_to, "apply_async", lambda args, **options: rung.append((args, options)))
    tasks.hand_orders_over()
    assert rung == [([str(warehouse.integration_id)], {"expires": tasks.RING_SECONDS})]
    tasks.hand_orders_over_to(str(warehouse.integration_id))
    assert (len(desk.orders), len(rung)) == (1, 1)
    monkeypatch.setattr(handing_over, "hand_over", lambda integration: True)
    tasks.hand_orders_over_to(str(warehouse.integration_id))
    assert len(rung) == 2
