"""All rows of a list under its filter, as one person may see them."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from apps.api.errors import Problem
from apps.desk import finding, selecting
from apps.listed import MAY_LACK
from apps.orders.models import Order
from apps.syncs.models import SyncRun
from apps.webhooks import log
from apps.webhooks.models import Delivery, Event
from tests.factories import (
    make_connection,
    make_delivery,
    make_endpoint,
    make_event,
    make_fulfillment,
    make_hook,
    make_order,
    make_receipt,
    make_run,
    make_user,
)


def found(label: str, query: str, user) -> set:
    return set(selecting.select(label, query, user=user).rows)


def test_all_rows_of_a_filter_and_no_others_are_found(staff):
    held, _ready = make_order(state=Order.State.HELD), make_order(state=Order.State.READY)
    assert found("orders.Order", f"state__exact={Order.State.HELD}", staff) == {held}


def test_which_page_of_it_and_in_which_order_is_no_filter(staff):
    orders = {make_order(), make_order()}
    assert found("orders.Order", "p=2&o=1&_facets=True&e=1&all=", staff) == orders


def test_a_search_is_the_one_of_the_list(staff):
    wanted, _other = make_order(number="A-1"), make_order(number="A-2")
    assert found("orders.Order", "q=A-1", staff) == {wanted}


def test_a_search_under_a_filter_is_not_full_of_what_the_filter_hides(staff, monkeypatch):
    monkeypatch.setattr(finding, "MOST_LISTED", 2)
    for number in range(3):
        make_order(number=f"X-{number}")
    mine = make_order(number="X-9")
    assert found("orders.Order", f"q=X-&organization__id__exact={mine.organization_id}", staff) == {mine}


def about_77() -> Event:
    return make_event(entity_id="77")


def told_of(event: Event, **fields) -> Delivery:
    """By a hook of its own."""
    hook = make_hook(endpoint=make_endpoint(organization=event.organization), event="product.created")
    return make_delivery(hook=hook, event=event, **fields)


def is_refused(label: str, query: str, user) -> bool:
    """Whether no job may go through what this search finds."""
    chosen = selecting.select(label, query, user=user)
    for look in (selecting.count, lambda selection: selection.after("", most=1)):
        with pytest.raises(Problem) as refused:
            look(chosen)
        assert refused.value.detail == MAY_LACK
    return refused.value.code == "validation_error"


def test_a_search_that_may_not_have_found_all_is_for_no_job(staff, monkeypatch):
    monkeypatch.setattr(finding, "MOST_LISTED", 3)
    for number in range(4):
        make_order(number=f"X-{number}")
    assert is_refused("orders.Order", "q=X-", staff)
    assert selecting.count(selecting.select("orders.Order", "q=X-1", user=staff)) == 1
    assert selecting.count(selecting.select("orders.Order", "", user=staff)) == 4


def test_a_search_that_found_just_as_many_as_it_may_is_whole(staff, monkeypatch):
    monkeypatch.setattr(finding, "MOST_LISTED", 3)
    for number in range(3):
        make_order(number=f"X-{number}")
    assert selecting.count(selecting.select("orders.Order", "q=X-", user=staff)) == 3


def test_a_search_by_orders_of_which_not_all_were_looked_at_is_for_no_job(staff, monkeypatch):
    monkeypatch.setattr(finding, "MOST_LISTED", 3)
    orders = [make_order(number=f"X-{number}") for number in range(4)]
    make_fulfillment(order=orders[0])
    assert is_refused("orders.Fulfillment", "q=X-", staff)
    assert selecting.count(selecting.select("orders.Fulfillment", "q=X-0", user=staff)) == 1


@pytest.mark.parametrize("label", ["webhooks.Delivery", "webhooks.Message"])
def test_a_search_of_messages_that_may_not_have_found_all_is_for_no_job(label, staff, monkeypatch):
    monkeypatch.setattr(log, "MOST_FOUND", 2)
    first, *_others = [told_of(about_77()) for _ in range(3)]
    assert is_refused(label, "q=77", staff)
    assert selecting.count(selecting.select(label, f"q=msg_{first.pk}", user=staff)) == 1


def test_a_search_by_events_of_which_not_all_were_looked_at_is_for_no_job(staff, monkeypatch):
    monkeypatch.setattr(log, "MOST_FOUND", 2)
    told_of(about_77())
    for _ in range(2):
        about_77()
    assert is_refused("webhooks.Delivery", "q=77", staff)


def test_a_search_of_received_messages_that_may_not_have_found_all_is_for_no_job(staff, monkeypatch):
    monkeypatch.setattr(log, "MOST_FOUND", 1)
    for _ in range(2):
        make_receipt(remote_id="theirs-1")
    assert is_refused("webhooks.Message", "q=theirs-1", staff)


def test_a_search_of_messages_under_a_filter_is_not_full_of_what_the_filter_hides(staff, monkeypatch):
    monkeypatch.setattr(log, "MOST_FOUND", 2)
    event = about_77()
    for _ in range(3):
        told_of(event)
    failed = told_of(event, state="failed")
    assert found("webhooks.Delivery", "q=77&state__exact=failed", staff) == {failed}


def test_a_row_that_a_search_finds_twice_is_there_once(staff):
    connection = make_connection(name="Hats")
    for number in range(2):
        connection.organization.memberships.create(user=make_user(email=f"hats{number}@x.example"), role="member")
    assert list(selecting.select("shops.Connection", "q=hats", user=staff).rows) == [connection]


@pytest.mark.parametrize(
    "query", ["unknown=1", "state__exact__x=1", "id__exact=x", "q=%00", "organization__id__exact=x"]
)
def test_a_filter_that_cannot_be_read_is_never_no_filter(query, staff):
    make_order()
    with pytest.raises(Problem) as refused:
        found("orders.Order", query, staff)
    assert refused.value.detail == "The filter of this list cannot be read any more. Choose it anew."


@pytest.mark.parametrize("label", ["orders.OrderLine", "orders.nothing", "nothing", "a.b.c"])
def test_what_is_no_list_is_not_found(label, staff):
    with pytest.raises(Problem) as refused:
        found(label, "", staff)
    assert refused.value.code == "not_found"


def test_whoever_may_not_see_a_list_gets_none_of_it(db):
    with pytest.raises(PermissionDenied):
        found("orders.Order", "", make_user(is_staff=True))


def test_what_comes_later_stays_out_where_ids_grow(staff):
    before = make_order()
    upto = selecting.newest(Order)
    make_order()
    chosen = selecting.select("orders.Order", "", user=staff).until(upto, asked_at=timezone.now())
    assert list(chosen.rows) == [before]


def test_what_comes_later_stays_out_where_ids_are_random(staff):
    before, later = make_run(), make_run()
    SyncRun.objects.filter(pk=later.pk).update(created_at=timezone.now() + timedelta(minutes=1))
    assert selecting.newest(SyncRun) == ""
    chosen = selecting.select("syncs.SyncRun", "", user=staff).until("", asked_at=timezone.now())
    assert list(chosen.rows) == [before]


def test_batches_follow_one_another_in_the_order_of_ids(staff):
    orders = sorted([make_run() for _ in range(5)], key=lambda run: run.pk)
    selection = selecting.select("syncs.SyncRun", "", user=staff)
    first = selection.after("", most=2)
    second = selection.after(str(first[-1].pk), most=2)
    assert first + second + selection.after(str(second[-1].pk), most=2) == orders


def test_they_are_counted_exactly_up_to_a_limit(staff, monkeypatch):
    for _ in range(3):
        make_order()
    selection = selecting.select("orders.Order", "", user=staff)
    monkeypatch.setattr(selecting, "MOST", 3)
    assert selecting.count(selection) == 3
    monkeypatch.setattr(selecting, "MOST", 2)
    with pytest.raises(Problem) as refused:
        selecting.count(selection)
    assert refused.value.detail == "They are more than 2. Narrow the filter."


@pytest.mark.parametrize("query", ["created_at__year=99999", "number=%00", "number__regex=("])
def test_a_filter_that_only_the_database_cannot_read_is_refused_when_they_are_counted(query, staff):
    with pytest.raises(Problem) as refused:
        selecting.count(selecting.select("orders.Order", query, user=staff))
    assert refused.value.detail == "The filter of this list cannot be read any more. Choose it anew."


def test_a_count_that_takes_too_long_is_given_up(staff, monkeypatch):
    make_order()
    monkeypatch.setattr(selecting, "COUNTING", "1ms")
    selection = selecting.select("orders.Order", "", user=staff)
    slow = selection.rows.extra(where=["pg_sleep(0.1) IS NOT NULL"])
    with pytest.raises(Problem) as refused:
        selecting.count(selecting.Selection(selection.pages, selection.request, slow, []))
    assert "takes too long" in refused.value.detail


def test_finding_them_asks_the_database_nothing_yet(staff, django_assert_num_queries):
    make_order()
    staff.has_perm("orders.view_order")
    with django_assert_num_queries(0):
        selecting.select("orders.Order", f"state__exact={Order.State.HELD}", user=staff)


def test_a_filter_is_told_in_words(staff):
    run = make_run()
    query = f"state__exact=failed&needs=overdue&integration__id__exact={run.integration_id}&q=hats"
    words = selecting.select("syncs.SyncRun", query, user=staff).words
    assert words == [
        ("what needs somebody", "Nobody works on it"),
        ("state", "Failed"),
        ("integration", str(run.integration)),
        ("Search", "hats"),
    ]
    assert selecting.select("shops.Shop", "is_active__exact=1", user=staff).words == [("is active", "Yes")]
