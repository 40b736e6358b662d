from datetime import timedelta

import pytest
from django.utils import timezone

from apps.catalog.models import StockFeed
from apps.shops.models import Connection
from apps.syncs import attention
from apps.syncs.models import SyncRun

from ..factories import (
    make_connection,
    make_feed,
    make_listing,
    make_publication,
    make_run,
)

pytestmark = pytest.mark.django_db
State = SyncRun.State


def minutes_ago(n: float):
    return timezone.now() - timedelta(minutes=n)


def made_earlier(run: SyncRun, *, minutes: float) -> SyncRun:
    SyncRun.objects.filter(pk=run.pk).update(created_at=minutes_ago(minutes))
    return run


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


def test_a_platform_that_could_not_be_told_for_a_while_needs_somebody():
    wanted = [(2, "timeout"), (3, "timeout"), (0, "")]
    told, stuck, refusing = (make_feed(shop=make_connection().shop, tries=n, error=error) for n, error in wanted)
    make_feed(shop=make_connection(state=Connection.State.PAUSED).shop, tries=9, error="timeout")
    make_publication(listing=make_listing(shop=refusing.shop), error="not_found")
    make_publication(listing=make_listing(shop=told.shop), error="")
    assert set(StockFeed.objects.troubled()) == {stuck, refusing}
