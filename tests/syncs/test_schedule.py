from datetime import timedelta

import pytest
from django.utils import timezone

from apps.syncs import schedule
from apps.syncs.models import SyncRun
from tests.factories import make_connection, make_run

pytestmark = pytest.mark.django_db


def ended(connection, *, days, **fields):
    run = make_run(connection=connection, state=SyncRun.State.SUCCEEDED, **fields)
    then = timezone.now() - timedelta(days=days)
    SyncRun.objects.filter(pk=run.pk).update(created_at=then, finished_at=then)
    return run


def test_runs_that_ended_long_ago_are_forgotten_but_never_a_shops_newest(monkeypatch):
    monkeypatch.setattr(schedule, "OLD_AT_ONCE", 1)
    busy, quiet = make_connection(), make_connection()
    kept = [ended(busy, days=29), ended(busy, days=1), ended(quiet, days=400)]
    ended(busy, days=31), ended(busy, days=300), ended(quiet, days=401)
    schedule.forget_old_runs()
    assert set(SyncRun.objects.all()) == set(kept)


def test_a_run_that_has_not_ended_is_never_forgotten():
    connection = make_connection()
    waiting = make_run(connection=connection)
    SyncRun.objects.filter(pk=waiting.pk).update(created_at=timezone.now() - timedelta(days=90))
    newest = ended(connection, days=40)
    schedule.forget_old_runs()
    assert set(SyncRun.objects.all()) == {waiting, newest}


def test_readings_of_orders_that_found_nothing_are_forgotten_after_a_day():
    connection, orders = make_connection(), {"kind": SyncRun.Kind.ORDERS}
    kept = [
        ended(connection, days=0, **orders),
        ended(connection, days=2, created_count=1, **orders),
        ended(connection, days=2, updated_count=1, **orders),
        ended(connection, days=2),
    ]
    ended(connection, days=2, **orders)
    schedule.forget_old_runs()
    assert set(SyncRun.objects.all()) == set(kept)
