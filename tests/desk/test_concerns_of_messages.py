"""What does not go out, and what does not get in."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.desk import reckoning
from apps.webhooks.models import Delivery, Event, Outgoing
from tests.factories import (
    make_delivery,
    make_endpoint,
    make_event,
    make_hook,
    make_integration,
    make_organization,
    make_outgoing,
    make_receipt,
    make_shop,
)

pytestmark = pytest.mark.django_db


def ago(**how) -> object:
    return timezone.now() - timedelta(**how)


def counts() -> dict[str, int]:
    """What is more than nothing."""
    return {one.title: one.count.number for one in found()}


def found() -> list[reckoning.Found]:
    broken, _fine = reckoning.reckon(reckoning.concerns())
    return broken


def test_addresses_that_fail_or_were_disabled_need_their_owners():
    make_endpoint()
    make_endpoint(failing_since=ago(minutes=1))
    make_endpoint(state="disabled", reason="failing", failing_since=ago(days=5))
    make_endpoint(state="disabled", reason="gone", deleted_at=timezone.now())
    assert counts() == {"Addresses that we stopped sending to": 1, "Addresses that do not take our messages": 1}


def test_addresses_whose_secrets_cannot_be_opened_need_us():
    """With the age of what they are owed, or of their state where nothing is."""
    make_endpoint(name="owed", last_error="cannot_open", due_at=ago(hours=2))
    make_endpoint(name="not owed", last_error="cannot_open", state_since=ago(hours=1))
    make_endpoint(last_error="cannot_open", state="paused", reason="asked")
    make_endpoint(last_error="cannot_open", deleted_at=timezone.now())
    make_endpoint(last_error="timeout")
    (concern,) = found()
    assert (concern.title, concern.count.number) == ("Addresses whose secrets cannot be opened", 2)
    assert [row.name for row in concern.rows] == ["owed", "not owed"]


def test_messages_that_nobody_sends_are_counted_with_the_age_of_the_oldest():
    due = make_endpoint(name="due", due_at=ago(minutes=6))
    hook = make_hook(endpoint=due)
    rows = [make_delivery(hook=hook) for _ in range(3)]
    oldest = ago(hours=2)
    Delivery.objects.filter(pk=rows[0].pk).update(created_at=oldest)
    for fields in (
        {"due_at": ago(minutes=4)},
        {"due_at": ago(minutes=6), "lease_until": timezone.now() + timedelta(seconds=20)},
        {"due_at": ago(minutes=6), "organization": make_organization(is_active=False)},
        {"due_at": ago(minutes=6), "integration": make_integration(state="disabled")},
        {"due_at": ago(minutes=6), "integration": make_integration(deleted_at=timezone.now())},
        {"due_at": ago(minutes=6), "shop": make_shop(is_active=False)},
    ):
        make_delivery(hook=make_hook(endpoint=make_endpoint(**fields)))
    (concern,) = [one for one in found() if one.title == "Messages nobody sends"]
    assert concern.count.number == 3
    assert [(row.name, row.since) for row in concern.rows] == [("due", oldest)]


def test_messages_that_are_kept_are_counted():
    hook = make_hook(endpoint=make_endpoint(state="paused", reason="asked"))
    for state in ("pending", "waiting", "behind", "delivered"):
        make_delivery(hook=hook, state=state)
    make_delivery()
    assert counts() == {"Messages that are kept": 3}


def test_events_that_were_not_passed_on_for_a_minute_need_the_dispatchers():
    old, young = make_outgoing(), make_outgoing()
    Event.objects.filter(pk=old.pk).update(created_at=ago(minutes=2))
    (concern,) = found()
    assert (concern.count.number, [row.name for row in concern.rows]) == (1, [str(old)])
    assert Outgoing.objects.filter(pk=young.pk).exists()


def test_messages_that_came_in_and_went_nowhere_are_counted():
    make_receipt(next_attempt_at=ago(minutes=2))
    make_receipt(next_attempt_at=ago(seconds=2))
    for state in ("parked", "failed", "rejected", "done"):
        make_receipt(state=state)
    make_receipt(state="failed", received_at=ago(days=4))
    assert counts() == {
        "Messages nobody opens": 1,
        "Messages that are put aside": 1,
        "Messages we could not act on": 1,
        "Messages with a wrong signature": 1,
    }


def test_an_event_nobody_asked_for_waits_for_nobody():
    Event.objects.filter(pk=make_event().pk).update(created_at=ago(days=1))
    assert counts() == {}
