from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.catalog.models import StockFeed
from apps.shops.models import Connection
from apps.syncs import attention
from apps.syncs.models import SyncRun

from ..factories import (
    make_connection,
    make_draft,
    make_drift,
    make_feed,
    make_integration,
    make_listing,
    make_product,
    make_publication,
    make_run,
    make_shop,
    make_unlinked,
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
    make_unlinked(shop=make_shop(creates_products=False), sku="HAT-2")
    oldest = [str(run) for run in SyncRun.objects.filter(state=State.FAILED).order_by("created_at")[:5]]
    assert concerns(staff_client) == {
        "Permission lost": (1, ["Otter: lost"]),
        "Failed syncs": (6, oldest),
        "Syncs nobody works on": (1, [str(waiting)]),
        "Stock that differs": (1, ["HAT-1: 5 here, 2 there"]),
        "Platforms that do not hear our stock": (1, [str(deaf)]),
        "SKUs nobody knows": (1, ["HAT-2"]),
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
    assert ([one.count for one in page.context["concerns"]], page.text.count("Nothing to do.")) == ([0] * 7, 7)


def break_something_of_each_kind() -> None:
    make_integration().lose_permission("invalid_grant")
    make_run(state=State.FAILED)
    make_drift()
    make_drift(times=1)
    make_run(next_attempt_at=minutes_ago(2))
    make_hanging(lease_until=minutes_ago(1))
    make_unlinked(shop=make_shop(creates_products=False))
    make_feed(shop=make_connection().shop, tries=3, error="timeout")


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


def test_a_platform_that_could_not_be_told_for_a_while_needs_somebody():
    wanted = [(2, "timeout"), (3, "timeout"), (0, "")]
    told, stuck, refusing = (make_feed(shop=make_connection().shop, tries=n, error=error) for n, error in wanted)
    make_feed(shop=make_connection(state=Connection.State.PAUSED).shop, tries=9, error="timeout")
    make_publication(listing=make_listing(shop=refusing.shop), error="not_found")
    make_publication(listing=make_listing(shop=told.shop), error="")
    assert set(StockFeed.objects.troubled()) == {stuck, refusing}
