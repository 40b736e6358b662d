"""What is taken away after its time, and what stays however old it is."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from apps.webhooks import forgetting
from apps.webhooks.forgetting import forget
from apps.webhooks.models import Attempt, Delivery, Endpoint, Event, Hook, Notice, SigningSecret
from apps.webhooks.tasks import forget_old
from tests.factories import (
    make_connection,
    make_delivery,
    make_endpoint,
    make_event,
    make_hook,
    make_notice,
    make_signing_secret,
    make_try,
)

pytestmark = pytest.mark.django_db


def ago(days: int) -> Any:
    return timezone.now() - timedelta(days=days)


def made_ago(row: Any, days: int, **changes: Any) -> Any:
    type(row).objects.filter(pk=row.pk).update(created_at=ago(days), **changes)
    return row


@pytest.mark.parametrize("state", ["delivered", "failed", "dropped"])
def test_a_delivery_goes_thirty_days_after_its_end_with_its_tries(state):
    hook = make_hook()
    old = made_ago(make_delivery(hook=hook, state=state), 40, finished_at=ago(31))
    young = made_ago(make_delivery(hook=hook, state=state), 40, finished_at=ago(29))
    for one in (old, young):
        make_try(delivery=one)
    assert forget() == 1
    assert [one.pk for one in Delivery.objects.all()] == [young.pk]
    assert [one.delivery_id for one in Attempt.objects.all()] == [young.pk]


@pytest.mark.parametrize("state", ["pending", "waiting", "behind"])
def test_what_is_still_to_be_sent_stays_with_its_event_however_old_it_is(state):
    delivery = make_delivery(state=state)
    made_ago(delivery, 400)
    made_ago(delivery.event, 400)
    assert (forget(), Delivery.objects.count(), Event.objects.filter(pk=delivery.event_id).count()) == (0, 1, 1)


def test_an_event_goes_after_ninety_days_when_nothing_needs_it():
    organization = make_hook().organization
    old, young = (made_ago(make_event(organization=organization), days) for days in (91, 89))
    forget_old()
    assert list(Event.objects.filter(entity="product")) == [young]
    assert not Event.objects.filter(pk=old.pk).exists()


def test_an_event_that_has_still_to_be_given_out_stays():
    make_hook(event="product.created", endpoint=(endpoint := make_endpoint()))
    event = made_ago(make_event(organization=endpoint.organization), 400)
    assert (forget(), Event.objects.filter(pk=event.pk).exists()) == (0, True)


def test_the_newest_event_of_a_connection_stays_and_the_next_is_numbered_on_from_it():
    made = make_connection()
    for state in ("paused", "active"):
        type(made).objects.filter(pk=made.pk).update(state=state)
    Event.objects.update(created_at=ago(400))
    forget()
    assert list(Event.objects.filter(entity="connection").values_list("sequence", flat=True)) == [3]
    type(made).objects.filter(pk=made.pk).update(state="paused")
    assert Event.objects.filter(entity="connection").order_by("-sequence").values_list("sequence", flat=True)[0] == 4


def test_a_hook_and_an_endpoint_that_were_taken_away_go_when_nothing_tells_of_them():
    def removed(days: int) -> Hook:
        hook = make_hook(deleted_at=ago(days), endpoint=make_endpoint(deleted_at=ago(days)))
        make_notice(endpoint=hook.endpoint)
        make_signing_secret(endpoint=hook.endpoint)
        return hook

    gone, young, told_of, kept = removed(31), removed(29), removed(400), make_hook()
    make_delivery(hook=told_of, state="delivered", finished_at=ago(1))
    forget()
    assert set(Hook.objects.all()) == {young, told_of, kept}
    assert set(Endpoint.objects.all()) == {young.endpoint, told_of.endpoint, kept.endpoint}
    assert not Notice.objects.filter(endpoint=gone.endpoint).exists()
    assert SigningSecret.objects.count() == 2


def test_a_secret_goes_when_its_time_is_over():
    endpoint = make_endpoint()
    for not_after in (None, timezone.now() + timedelta(hours=1), ago(1)):
        make_signing_secret(endpoint=endpoint, not_after=not_after)
    forget()
    assert SigningSecret.objects.count() == SigningSecret.objects.live().count() == 2


def test_notices_go_after_ninety_days_but_not_while_what_they_tell_of_goes_on():
    well, failing = make_endpoint(), make_endpoint(failing_since=ago(100))
    old = made_ago(make_notice(endpoint=well), 91)
    kept = [made_ago(make_notice(endpoint=well), 89), made_ago(make_notice(endpoint=failing), 99)]
    forget()
    assert not Notice.objects.filter(pk=old.pk).exists()
    assert set(Notice.objects.all()) == set(kept)


def test_a_walk_ends_where_nothing_is_old_and_goes_past_what_stays(monkeypatch):
    monkeypatch.setattr(forgetting, "SLICE", 2)
    hook = make_hook()
    for days, state in [(99, "pending")] * 3 + [(99, "delivered")] * 3 + [(1, "delivered")] * 9:
        made_ago(make_delivery(hook=hook, state=state), days, finished_at=None if state == "pending" else ago(days))
    with connection.execute_wrapper(counting := Counting()):
        assert forget() == 3
    assert (Delivery.objects.count(), counting.of("FROM webhooks_delivery WHERE id >")) == (12, 4)


class Counting:
    """How often each statement was executed."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        self.asked.append(sql)
        return execute(sql, params, many, context)

    def of(self, part: str) -> int:
        return sum(part in sql for sql in self.asked)
