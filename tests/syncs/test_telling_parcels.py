"""What has left is told to the platform once, whatever goes wrong on the way."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import requests
import responses
from django.db import transaction
from django.utils import timezone

from apps.integrations.connectors.vendure import client as graphql
from apps.orders.models import Entry, Hindrance, Order, Parcel
from apps.syncs import telling_parcels
from tests.concurrency import in_thread, wait_until_blocked
from tests.factories import (
    make_connection,
    make_fulfillment,
    make_integration,
    make_listing,
    make_order,
    make_parcel,
    make_publication,
    make_shop,
)

from .selling import Selling, make_store

AN_HOUR_AGO = timedelta(hours=-1)


@pytest.fixture
def selling():
    far = Selling()
    with responses.RequestsMock(assert_all_requests_are_fired=False) as web:
        far.serve(web)
        yield far


@pytest.fixture
def store(db):
    return make_store()


def shipped(store, selling, number="7", **fields) -> Parcel:
    """The two laptops of an order, in a parcel of which the platform is to be told."""
    selling.place(number)
    order = make_order(shop=store.shop, ext_order_id=number)
    order.lines.update(ext_line_id=f"{number}-0")
    due = timezone.now() + AN_HOUR_AGO
    told = {"carrier": "PostNL", "tracking_number": "3SABC", "due_at": due}
    return make_parcel(fulfillment=make_fulfillment(order=order), **told | fields)


def make_due() -> None:
    """Time passes."""
    Parcel.objects.exclude(due_at=None).update(due_at=timezone.now() + AN_HOUR_AGO)


def at_platform(selling, number="7") -> list[tuple[str, str, list[int]]]:
    """State, tracking and pieces of each fulfillment there."""
    return [
        (one["state"], one["trackingCode"], [line["quantity"] for line in one["lines"]])
        for one in selling.orders[number]["fulfillments"]
    ]


def hindrances() -> list[tuple[str, str, str]]:
    return list(Hindrance.objects.values_list("code", "ref", "who"))


def refusal(kind: str, document: str) -> tuple[int, dict[str, str], str]:
    name = {graphql.FULFIL: "addFulfillmentToOrder", graphql.SHIP: "transitionFulfillmentToState"}[document]
    return 200, {}, json.dumps({"data": {name: {"__typename": kind, "message": "no"}}})


def test_a_parcel_is_told_once_with_its_tracking(store, selling):
    parcel = shipped(store, selling)
    assert telling_parcels.tell_due() is False
    telling_parcels.tell_due()
    assert at_platform(selling) == [("Shipped", "3SABC", [2])]
    parcel.refresh_from_db()
    assert (parcel.due_at, parcel.told_at is not None, parcel.remote_id, parcel.lease_until) == (
        None,
        True,
        "f1-7",
        None,
    )
    entries = Entry.objects.values_list("kind", "actor", "data")
    assert list(entries) == [
        ("parcel_told", str(store.integration), {"carrier": "PostNL", "tracking": "3SABC"}),
    ]


def test_the_platform_is_told_the_stock_once_more_since_it_changed_its_own_just_now(store, selling):
    parcel = shipped(store, selling)
    product = parcel.order.lines.get().product
    shipped_one = make_publication(listing=make_listing(shop=store.shop, product=product), quantity=3, due_at=None)
    other = make_publication(listing=make_listing(shop=store.shop), quantity=3, due_at=None)
    telling_parcels.tell_due()
    shipped_one.refresh_from_db()
    other.refresh_from_db()
    assert (shipped_one.quantity, shipped_one.due_at is not None) == (None, True)
    assert (other.quantity, other.due_at) == (3, None)


def test_after_a_crash_between_call_and_record_it_is_found_there_and_not_told_twice(store, selling):
    parcel = shipped(store, selling)
    telling_parcels.tell_due()
    Parcel.objects.update(due_at=timezone.now() + AN_HOUR_AGO, told_at=None, remote_id="")
    telling_parcels.tell_due()
    parcel.refresh_from_db()
    assert (at_platform(selling), parcel.remote_id) == ([("Shipped", "3SABC", [2])], "f1-7")
    assert selling.times(graphql.FULFIL) == 1


@pytest.mark.parametrize("document", [graphql.FULFIL, graphql.SHIP], ids=["made", "left"])
def test_an_answer_that_is_lost_makes_no_second_fulfillment(store, selling, document):
    parcel = shipped(store, selling)
    selling.lost = [document]
    telling_parcels.tell_due()
    parcel.refresh_from_db()
    assert (parcel.told_at, parcel.error) == (None, "unreachable")
    make_due()
    telling_parcels.tell_due()
    parcel.refresh_from_db()
    assert (at_platform(selling), parcel.told_at is not None) == ([("Shipped", "3SABC", [2])], True)


def test_after_a_crash_between_the_two_calls_it_still_leaves_there(store, selling):
    shipped(store, selling)
    selling.wrong[graphql.SHIP] = [requests.ConnectionError("gone")]
    telling_parcels.tell_due()
    assert at_platform(selling) == [("Pending", "3SABC", [2])]
    make_due()
    telling_parcels.tell_due()
    assert at_platform(selling) == [("Shipped", "3SABC", [2])]


def test_a_platform_that_is_not_there_is_asked_again_later_and_about_none_of_the_others_before(store, selling):
    first, second = shipped(store, selling, "7"), shipped(store, selling, "8")
    selling.wrong[graphql.FULFILLMENTS] = [(503, {"Retry-After": "120"}, "")]
    before = timezone.now()
    telling_parcels.tell_due()
    for parcel in (first, second):
        parcel.refresh_from_db()
        assert 115 < (parcel.due_at - before).total_seconds() < 125
    assert (first.error, first.tries, second.error, second.tries) == ("server_error", 1, "", 0)
    assert (hindrances(), selling.times(graphql.FULFILLMENTS)) == ([], 1)
    make_due()
    telling_parcels.tell_due()
    assert Parcel.objects.filter(told_at=None).count() == 0


@pytest.mark.django_db(transaction=True)
def test_one_that_is_told_at_the_moment_in_which_another_fails_is_not_due_again(store, selling):
    first, second = shipped(store, selling, "7"), shipped(store, selling, "8")
    (claimed,) = Parcel.objects.filter(pk=first.pk).claim(most=1)
    selling.wrong[graphql.FULFILLMENTS] = [requests.ConnectionError("gone")]
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            Parcel.objects.filter(pk=second.pk).update(due_at=None, told_at=timezone.now())
            failing = in_thread(pool, lambda: telling_parcels.tell(claimed))
            wait_until_blocked()
        failing.result()
    second.refresh_from_db()
    assert second.due_at is None


@pytest.mark.parametrize(
    ("wait", "answers"), [(5, 1), (15, 2), (60, 3), (900, 6)], ids=["first", "second", "third", "sixth"]
)
def test_it_waits_longer_each_time(store, selling, wait, answers):
    parcel = shipped(store, selling, tries=answers - 1)
    selling.wrong[graphql.FULFILLMENTS] = [requests.ConnectionError("gone")]
    before = timezone.now()
    telling_parcels.tell_due()
    parcel.refresh_from_db()
    assert wait - 1 < (parcel.due_at - before).total_seconds() < wait + 5


def test_a_lost_permission_holds_it_until_the_owner_has_logged_in_again(store, selling):
    parcel = shipped(store, selling)
    forbidden = {"errors": [{"message": "no", "extensions": {"code": "FORBIDDEN"}}], "data": None}
    selling.wrong[graphql.CHANNEL] = [(200, {}, json.dumps(forbidden))] * 2
    telling_parcels.tell_due()
    store.integration.refresh_from_db()
    assert store.integration.state == "needs_reconnect"
    asked = len(selling.asked)
    telling_parcels.tell_due()
    parcel.refresh_from_db()
    assert (len(selling.asked), parcel.error, parcel.tries) == (asked, "unauthorized", 0)
    store.integration.state = "connected"
    store.integration.save()
    telling_parcels.tell_due()
    assert at_platform(selling) == [("Shipped", "3SABC", [2])]


@pytest.mark.parametrize(
    ("kind", "code"),
    [("ItemsAlreadyFulfilledError", "already_fulfilled"), ("InsufficientStockOnHandError", "too_few_there")],
)
def test_what_is_refused_stands_at_the_order_and_is_tried_again_only_where_that_helps(store, selling, kind, code):
    parcel = shipped(store, selling)
    selling.wrong[graphql.FULFIL] = [refusal(kind, graphql.FULFIL)]
    telling_parcels.tell_due()
    parcel.refresh_from_db()
    assert (parcel.error, parcel.tries, parcel.due_at is None) == (code, 1, code == "already_fulfilled")
    assert hindrances() == [("not_told", code, "owner")]
    assert list(Entry.objects.values_list("kind", "data")) == [
        ("parcel_not_told", {"code": code, "tracking": "3SABC"}),
    ]
    if code == "too_few_there":
        make_due()
        telling_parcels.tell_due()
        assert (hindrances(), at_platform(selling)) == ([], [("Shipped", "3SABC", [2])])


@pytest.mark.parametrize(("gone", "code"), [(True, "order_not_found"), (False, "order_cancelled")])
def test_an_order_that_is_over_there_is_not_told_again(store, selling, gone, code):
    parcel = shipped(store, selling)
    if gone:
        del selling.orders["7"]
    else:
        selling.orders["7"]["state"] = "Cancelled"
    telling_parcels.tell_due()
    parcel.refresh_from_db()
    assert (parcel.error, parcel.due_at, hindrances()) == (code, None, [("not_told", code, "owner")])


def test_the_same_refusal_again_is_written_down_once(store, selling):
    shipped(store, selling)
    selling.wrong[graphql.FULFIL] = [refusal("InsufficientStockOnHandError", graphql.FULFIL)] * 3
    for _ in range(3):
        telling_parcels.tell_due()
        make_due()
    assert Entry.objects.count() == 1
    assert Parcel.objects.get().tries == 3


def test_a_bug_of_ours_stops_no_other_parcel(store, selling, monkeypatch):
    shipped(store, selling, "7")
    Order.objects.filter(ext_order_id="7").update(number="broken")
    shipped(store, selling, "8")
    note = telling_parcels._note

    def broken(parcel):
        if parcel.order.number == "broken":
            raise RuntimeError("a bug")
        return note(parcel)

    monkeypatch.setattr(telling_parcels, "_note", broken)
    telling_parcels.tell_due()
    assert (at_platform(selling, "7"), at_platform(selling, "8")) == ([], [("Shipped", "3SABC", [2])])
    assert hindrances() == [("not_told", "bug", "operator")]


@pytest.mark.parametrize("held", ["paused", "disconnected"])
def test_a_store_that_is_not_connected_just_now_is_told_nothing(store, selling, held):
    shipped(store, selling)
    store.state = held
    store.save()
    telling_parcels.tell_due()
    assert selling.asked == []


def test_who_takes_no_such_news_is_told_none(selling, db):
    pio = make_connection(shop=make_shop(integration=make_integration(connector="pio")))
    shipped(pio, selling)
    telling_parcels.tell_due()
    assert (selling.asked, Parcel.objects.get().error) == ([], "")


def test_one_that_somebody_else_has_claimed_is_left_to_them(store, selling):
    shipped(store, selling, lease_until=timezone.now() + timedelta(seconds=30))
    telling_parcels.tell_due()
    assert selling.asked == []


def test_who_lost_its_lease_writes_nothing_down(store, selling):
    parcel = shipped(store, selling)

    def taken_over(document):
        if document == graphql.SHIP:
            Parcel.objects.update(fence=9, error="mine now")

    selling.meanwhile = taken_over
    telling_parcels.tell_due()
    parcel.refresh_from_db()
    assert (parcel.error, parcel.told_at, Entry.objects.count()) == ("mine now", None, 0)


def test_the_last_parcel_of_an_order_is_known_as_such(store, selling):
    first = shipped(store, selling)
    second = make_parcel(fulfillment=first.fulfillment, due_at=timezone.now())
    Order.objects.update(state="fulfilled")
    assert [telling_parcels._note(Parcel.objects.get(pk=one.pk)).is_last for one in (first, second)] == [False, False]
    Parcel.objects.filter(pk=first.pk).update(due_at=None)
    assert telling_parcels._note(Parcel.objects.get(pk=second.pk)).is_last
    Order.objects.update(state="partly_fulfilled")
    assert not telling_parcels._note(Parcel.objects.get(pk=second.pk)).is_last
