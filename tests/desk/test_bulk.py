"""Each deed: whom it suits, what it does to them, and who may do it."""

import pytest
from django.utils import timezone

from apps.accounts.models import User
from apps.api.errors import Problem
from apps.audit.models import Entry
from apps.audit.trail import Actor
from apps.catalog.models import Listing, WaitingSku
from apps.desk import bulk, working
from apps.desk.bulk import Asked
from apps.orders.models import Fulfillment, Order, Parcel
from apps.shops.models import Connection
from apps.syncs.models import Drift, SyncRun
from apps.webhooks.models import Delivery, Endpoint, Receipt
from tests.factories import (
    make_connection,
    make_delivery,
    make_drift,
    make_endpoint,
    make_fulfillment,
    make_hook,
    make_ignored_sku,
    make_location,
    make_order,
    make_parcel,
    make_product,
    make_receipt,
    make_run,
    make_shop,
    make_unlinked,
    make_user,
)

DONE = ("done", "")


def do(code: str, *rows, by: User, **values) -> list[tuple[str, str]]:
    """What came of each of these rows."""
    model = type(rows[0])
    deed = bulk.deed_of(model, code, user=by)
    came = working.outcomes(deed, [row.pk for row in rows], Asked(by, Actor(by.email, user_id=by.pk), values))
    return [came[row.pk] for row in rows]


def kept(deed_model, code: str) -> tuple[str, str]:
    (deed,) = [one for one in bulk.DEEDS if (one.model, one.code) == (deed_model, code)]
    return "skipped", str(deed.otherwise)


def state_of(row) -> str:
    return type(row)._default_manager.get(pk=row.pk).state


@pytest.mark.parametrize(
    ("code", "suits", "becomes", "other"),
    [
        ("replay", "failed", "pending", "pending"),
        ("try-now", "waiting", "waiting", "failed"),
        ("drop", "waiting", "dropped", "delivered"),
    ],
)
def test_deliveries(code, suits, becomes, other, staff):
    hook = make_hook()
    mine, theirs = make_delivery(hook=hook, state=suits), make_delivery(hook=hook, state=other)
    assert do(code, mine, theirs, by=staff) == [DONE, kept(Delivery, code)]
    assert (state_of(mine), state_of(theirs)) == (becomes, other)


def test_what_was_behind_a_dropped_delivery_goes_on(staff):
    hook = make_hook()
    dropped = make_delivery(hook=hook, state="waiting", lane="order:1")
    behind = make_delivery(hook=hook, state="behind", lane="order:1")
    still = make_delivery(hook=hook, state="waiting", lane="order:2")
    waits = make_delivery(hook=hook, state="behind", lane="order:2")
    assert do("drop", dropped, by=staff) == [DONE]
    assert [state_of(one) for one in (dropped, behind, still, waits)] == ["dropped", "pending", "waiting", "behind"]


def test_endpoints(staff):
    active, paused = make_endpoint(), make_endpoint(state=Endpoint.State.PAUSED, reason=Endpoint.Reason.ASKED)
    assert do("pause", active, paused, by=staff) == [DONE, kept(Endpoint, "pause")]
    assert do("resume", active, by=staff, choice="all") == [DONE]
    assert state_of(active) == Endpoint.State.ACTIVE


def test_receipts(staff):
    parked, opened = make_receipt(state=Receipt.State.PARKED), make_receipt(state=Receipt.State.DONE)
    assert do("open-again", parked, opened, by=staff) == [DONE, kept(Receipt, "open-again")]
    assert state_of(parked) == Receipt.State.RECEIVED


def test_sync_runs(staff):
    failed = make_run(kind=SyncRun.Kind.ORDERS, state=SyncRun.State.FAILED)
    paused = make_run(connection=make_connection(state=Connection.State.PAUSED), state=SyncRun.State.FAILED)
    assert do("run-again", failed, paused, by=staff) == [DONE, kept(SyncRun, "run-again")]
    again = SyncRun.objects.unfinished().get()
    assert (again.shop, again.kind, again.asked_by) == (failed.shop, failed.kind, staff)
    assert do("call-off", again, failed, by=staff) == [DONE, kept(SyncRun, "call-off")]
    assert state_of(again) == SyncRun.State.CANCELLED


def test_connections(staff):
    live, paused = make_connection(), make_connection(state=Connection.State.PAUSED)
    assert do("run-sync", live, paused, by=staff) == [DONE, kept(Connection, "run-sync")]
    assert SyncRun.objects.get().shop == live.shop
    assert do("pause", live, paused, by=staff) == [DONE, kept(Connection, "pause")]
    assert do("resume", live, paused, by=staff) == [DONE, DONE]
    assert (state_of(live), state_of(paused)) == (Connection.State.ACTIVE, Connection.State.ACTIVE)


def trail() -> list[tuple[str, str]]:
    """What was entered in it, and on which row."""
    return list(Entry.objects.order_by("pk").values_list("action", "target_id"))


def test_the_trail_has_each_sync_that_was_asked_for_or_called_off(staff):
    failed = make_run(kind=SyncRun.Kind.ORDERS, state=SyncRun.State.FAILED)
    store = Connection.objects.get(shop=failed.shop)
    do("run-again", failed, by=staff)
    again = SyncRun.objects.unfinished().get()
    do("call-off", again, by=staff)
    do("run-sync", store, by=staff)
    of_store = ("sync.ask", str(store.pk))
    assert trail() == [of_store, ("sync.cancel", str(again.pk)), of_store]


def test_the_trail_has_each_store_that_was_paused_or_resumed_whatever_their_number(
    staff, django_assert_max_num_queries
):
    stores = sorted([make_connection() for _ in range(12)], key=lambda store: store.pk)
    with django_assert_max_num_queries(12):
        do("pause", *stores, by=staff)
    assert trail() == [("connection.pause", str(store.pk)) for store in stores]
    do("resume", stores[0], by=staff)
    assert trail()[12:] == [("connection.resume", str(stores[0].pk))]
    entry = Entry.objects.first()
    assert (entry.actor, entry.organization_id, entry.target) == (
        staff.email,
        stores[0].organization_id,
        str(stores[0]),
    )


def test_orders(staff):
    held, over = make_order(state=Order.State.HELD), make_order(state=Order.State.FULFILLED)
    assert do("release", held, over, by=staff) == [DONE, kept(Order, "release")]
    assert state_of(held) != Order.State.HELD
    assert do("route-again", over, by=staff) == [kept(Order, "route-again")]


def test_what_warehouses_and_platforms_are_owed(staff):
    order = make_order()
    there = make_location(integration=order.integration)
    owed = make_fulfillment(order=order, location=there, owes=Fulfillment.Owes.SEND, due_at=timezone.now(), tries=3)
    told = make_fulfillment()
    assert do("tell-again", owed, told, by=staff) == [DONE, kept(Fulfillment, "tell-again")]
    Fulfillment.objects.update(tries=3)
    assert do("tell-warehouses", order, told.order, by=staff) == [DONE, kept(Order, "tell-warehouses")]
    assert Fulfillment.objects.get(pk=owed.pk).tries == 0
    parcel = make_parcel(fulfillment=owed, due_at=None, error="unreachable")
    assert do("tell-again", parcel, by=staff) == [DONE]
    assert Parcel.objects.get().due_at is not None


def test_unknown_skus(staff):
    unlinked, ignored = make_unlinked(), make_ignored_sku()
    make_unlinked(shop=make_shop(integration=ignored.integration), sku=ignored.sku)
    rows = {row.sku: row for row in WaitingSku.objects.all()}
    mine, aside = rows[unlinked.sku], rows[ignored.sku]
    assert do("ignore", mine, aside, by=staff) == [DONE, kept(WaitingSku, "ignore")]
    product = make_product(organization=unlinked.organization)
    missing = f"ours: {aside.organization} has no such product."
    assert do("it-is", mine, aside, by=staff, ours=product.sku) == [DONE, ("skipped", missing)]
    assert Listing.objects.get(pk=unlinked.pk).product == product


def test_drifts(staff):
    drift = make_drift()
    assert do("put-right", drift, by=staff) == [DONE]
    assert Drift.objects.count() == 0


def test_a_permission_is_asked_for_each_deed(db):
    colleague = make_user(is_staff=True)
    models = {deed.model for deed in bulk.DEEDS}
    assert [bulk.of_list(model, user=colleague) for model in models] == [[]] * len(models)
    with pytest.raises(Problem) as refused:
        bulk.deed_of(Order, "release", user=colleague)
    assert refused.value.code == "not_found"


def test_a_deed_in_words():
    assert [bulk.named(Order, code) for code in ("export", "release", "gone")] == ["Export", "Release now", "gone"]
