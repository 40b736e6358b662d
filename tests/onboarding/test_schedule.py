from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from apps.onboarding import schedule
from apps.shops.models import Connection
from config.celery import app
from tests.factories import make_connection

State = Connection.State


def test_beat_starts_both_sweeps():
    app.loader.import_default_modules()
    wanted = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    assert {task for task in wanted if "onboarding" in task} == {
        schedule.finish_hanging_connections.name,
        schedule.finish_disconnecting.name,
    }
    assert wanted <= set(app.tasks)


def test_one_connection_that_fails_does_not_stop_the_others(db, otter):
    """Nobody answers here: each is asked about, each stays as it is, for the next sweep."""
    long_ago = timezone.now() - timedelta(minutes=5)
    for _ in range(2):
        make_connection(state=State.DISCONNECTING, disconnect_at=long_ago)
    schedule.finish_disconnecting()
    assert set(Connection.objects.values_list("state", "fence")) == {(State.DISCONNECTING, 1)}


def test_what_is_not_due_is_left_alone(db):
    soon = timezone.now() + timedelta(minutes=5)
    make_connection(state=State.CONNECTING, lease_until=soon)
    make_connection(state=State.DISCONNECTING, disconnect_at=soon)
    make_connection()
    before = list(Connection.objects.order_by("pk").values())
    schedule.finish_hanging_connections()
    schedule.finish_disconnecting()
    assert list(Connection.objects.order_by("pk").values()) == before
