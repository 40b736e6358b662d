"""How a day went is judged by runs that were counted alike."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.desk import days
from apps.desk.days import How
from apps.syncs.models import SyncRun

from ..factories import make_connection, make_run


@pytest.mark.parametrize(
    ("states", "how"),
    [
        ("failed failed failed succeeded succeeded", How.PARTLY),  # of which two are looked at
        ("succeeded succeeded succeeded failed failed", How.BADLY),
        ("succeeded succeeded succeeded failed succeeded", How.PARTLY),
    ],
)
def test_failures_are_weighed_against_what_went_well_among_the_same_runs(db, monkeypatch, states, how):
    monkeypatch.setattr(days, "NEWEST_RUNS", 2)
    store = make_connection()
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=2)
    for hour, state in enumerate(states.split()):
        run = make_run(connection=store, state=state)
        SyncRun.objects.filter(pk=run.pk).update(created_at=midnight + timedelta(hours=hour))
    assert [day.how for day in days.days(store.integration)][-3] == how
