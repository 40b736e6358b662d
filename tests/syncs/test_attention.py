from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.catalog.models import StockFeed
from apps.orders.models import Fulfillment, Order, Parcel
from apps.shops.models import Connection
from apps.syncs import attention
from apps.syncs.models import SyncRun

from ..factories import (
    make_connection,
    make_draft,
    make_drift,
    make_feed,
    make_fulfillment,
    make_hindrance,
    make_integration,
    make_listing,
    make_location,
    make_order,
    make_order_feed,
    make_parcel,
    make_product,
    make_publication,
    make_run,
    make_shop,
    make_unlinked,
    make_warehouse,
)

pytestmark = pytest.mark.django_db
State = SyncRun.State


def minutes_ago(n: float):
    return timezone.now() - timedelta(minutes=n)


def made_earlier(run: SyncRun, *, minutes: float) -> SyncRun:
    SyncRun.objects.filter(pk=run.pk).update(created_at=minutes_ago(minutes))
    return run


def make_hanging(**fields) -> Connection:
    return make_draft(state=Connection.State.CONNECTING, ext_shop_id=str(uuid4()), **fields)


def test_a_failed_run_needs_somebody_until_a_later_one_gets_through():
    store = make_connection()
    failed = made_earlier(make_run(connection=store, state=State.FAILED), minutes=5)
    assert list(attention.failed()) == [failed]
    make_run(connection=store, state=State.SUCCEEDED)
    assert list(attention.failed()) == []


def test_a_store_that_failed_again_needs_somebody_once():
    store = make_connection()
    made_earlier(make_run(connection=store, state=State.FAILED), minutes=5)
    again = make_run(connection=store, state=State.FAILED)
    assert list(attention.failed()) == [again]


@pytest.mark.parametrize("state", [Connection.State.PAUSED, Connection.State.DISCONNECTED])
def test_a_failed_run_of_a_store_that_is_not_connected_needs_nobody(state):
    make_run(connection=make_connection(state=state), state=State.FAILED)
    assert list(attention.failed()) == []


def test_runs_need_somebody_when_nobody_worked_on_them_for_a_minute():
    waiting = make_run(next_attempt_at=minutes_ago(2))
    abandoned = make_run(state=State.RUNNING, lease_until=minutes_ago(3))
    make_run(next_attempt_at=minutes_ago(0.5))
    make_run(next_attempt_at=minutes_ago(-5))
    make_run(state=State.RUNNING, lease_until=minutes_ago(-1))
    assert set(attention.overdue()) == {waiting, abandoned}


def test_runs_that_wait_for_their_owner_do_not_wait_for_a_worker():
    held = make_run(next_attempt_at=minutes_ago(9))
    held.integration.lose_permission("invalid_grant")
    assert list(attention.overdue()) == []


# ---- The first page

HELD = {
    "Orders with a SKU nobody knows": "unknown_sku",
    "Orders without a complete address": "incomplete_address",
    "Orders with no place to ship from": "no_location",
    "Orders a warehouse refused": "rejected_by_warehouse",
    "Orders changed or cancelled too late": "cancel_refused",
    "Orders we broke down on": "bug",
}


def make_held(code: str) -> Order:
    """An order that waits; for a SKU that its shop lists, and nobody has linked."""
    listing = make_unlinked(shop=make_shop(creates_products=False), sku="HAT-2") if code == "unknown_sku" else None
    order = make_order(shop=listing.shop) if listing else make_order()
    return make_hindrance(order=order, code=code, ref=listing.sku if listing else "").order


def make_untaken(**fields) -> Fulfillment:
    """One that its warehouse is owed, and refused."""
    integration = make_integration()
    failed = {"owes": "send", "due_at": timezone.now(), "tries": 1, "error": "rejected"} | fields
    order = make_order(shop=make_shop(integration=integration))
    return make_fulfillment(order=order, location=make_location(integration=integration), **failed)


def make_unheard(**fields) -> Parcel:
    return make_parcel(**{"due_at": timezone.now(), "tries": 1, "error": "timeout", "tracking_number": "3S1"} | fields)


def concerns(client) -> dict[str, tuple[int, list[str]]]:
    page = client.get("/admin/")
    return {str(one.title): (one.count, [row.name for row in one.rows]) for one in page.context["concerns"]}


def test_the_first_page_counts_what_needs_somebody_and_names_the_oldest(staff_client):
    lost = make_integration(name="Otter: lost")
    lost.lose_permission("invalid_grant")
    for n in range(6):
        made_earlier(make_run(state=State.FAILED), minutes=n)
    waiting = make_run(next_attempt_at=minutes_ago(2))
    make_hanging(name="Half way", lease_until=minutes_ago(1))
    differing = make_connection()
    make_drift(connection=differing, product=make_product(organization=differing.organization, sku="HAT-1"))
    deaf = make_feed(shop=make_connection().shop, tries=3, error="timeout")
    unmapped = make_hindrance(code="unmapped_shipping_method", ref="Pigeon").order
    by_fallback = make_fulfillment(is_fallback=True)
    held = {code: str(make_held(code)) for code in HELD.values()}
    untaken, unheard = make_untaken(), make_unheard()
    silent = make_order_feed(integration=make_warehouse().integration, tries=9, error="timeout")
    oldest = [str(run) for run in SyncRun.objects.filter(state=State.FAILED).order_by("created_at")[:5]]
    assert concerns(staff_client) == {
        "Permission lost": (1, ["Otter: lost"]),
        "Failed syncs": (6, oldest),
        "Syncs nobody works on": (1, [str(waiting)]),
        "Stock that differs": (1, ["HAT-1: 5 here, 2 there"]),
        "Platforms that do not hear our stock": (1, [str(deaf)]),
        "SKUs nobody knows": (1, ["HAT-2"]),
        **{title: (1, [held[code]]) for title, code in HELD.items()},
        "Warehouses that cannot be told of orders": (1, [str(silent)]),
        "Orders their warehouse does not take": (1, [str(untaken)]),
        "Parcels their platform does not know of": (1, [str(unheard)]),
        "Shipping methods nobody knows": (1, [str(unmapped)]),
        "Orders shipped by the fallback": (1, [str(by_fallback)]),
        "Connections that hang": (1, ["Half way"]),
    }


def test_each_link_of_the_first_page_lists_the_rows_it_counted(staff_client):
    break_something_of_each_kind()
    make_run(state=State.SUCCEEDED)
    for concern in staff_client.get("/admin/").context["concerns"]:
        listed = staff_client.get(concern.link).context["cl"].result_list
        assert set(listed) == set(concern.found)
        assert len(listed) == 1


def test_on_a_quiet_day_the_first_page_says_so(staff_client):
    make_run(state=State.SUCCEEDED)
    page = staff_client.get("/admin/")
    counts = [one.count for one in page.context["concerns"]]
    assert (set(counts), page.text.count("Nothing to do.")) == ({0}, len(counts))


def break_something_of_each_kind() -> None:
    make_integration().lose_permission("invalid_grant")
    make_run(state=State.FAILED)
    make_drift()
    make_drift(times=1)
    make_run(next_attempt_at=minutes_ago(2))
    make_hanging(lease_until=minutes_ago(1))
    make_feed(shop=make_connection().shop, tries=3, error="timeout")
    make_hindrance(code="unmapped_shipping_method", ref="Pigeon")
    make_fulfillment(is_fallback=True)
    make_fulfillment(is_fallback=True, state="shipped", finished_at=timezone.now())
    for code in HELD.values():
        make_held(code)
    make_order_feed(integration=make_warehouse().integration, tries=9, error="timeout")
    make_order_feed(integration=make_warehouse().integration)
    make_untaken()
    make_untaken(error="", tries=0)
    make_unheard()
    make_unheard(error="", tries=0)


def test_the_first_page_costs_the_same_whatever_is_broken(staff_client):
    break_something_of_each_kind()
    staff_client.get("/admin/")
    with CaptureQueriesContext(connection) as one:
        staff_client.get("/admin/")
    break_something_of_each_kind()
    break_something_of_each_kind()
    with CaptureQueriesContext(connection) as three:
        staff_client.get("/admin/")
    assert len(three) == len(one)


def test_what_was_too_late_is_shown_for_three_days(staff_client):
    order = make_order()
    flag = make_hindrance(order=order, code="cancel_refused", ref="")
    type(order).objects.filter(pk=order.pk).update(state="fulfilled")
    title = "Orders changed or cancelled too late"
    assert concerns(staff_client)[title] == (1, [str(order)])
    type(flag).objects.filter(pk=flag.pk).update(since=minutes_ago(3 * 24 * 60 + 1))
    assert concerns(staff_client)[title] == (0, [])


def test_a_platform_that_could_not_be_told_for_a_while_needs_somebody():
    wanted = [(2, "timeout"), (3, "timeout"), (0, "")]
    told, stuck, refusing = (make_feed(shop=make_connection().shop, tries=n, error=error) for n, error in wanted)
    make_feed(shop=make_connection(state=Connection.State.PAUSED).shop, tries=9, error="timeout")
    make_publication(listing=make_listing(shop=refusing.shop), error="not_found")
    make_publication(listing=make_listing(shop=told.shop), error="")
    assert set(StockFeed.objects.troubled()) == {stuck, refusing}
