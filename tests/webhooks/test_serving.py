"""What a dispatcher asks the database and tells it, for what only a race would show."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.webhooks import serving
from apps.webhooks.models import Delivery, Endpoint
from apps.webhooks.serving import Behind, Record
from tests.factories import make_delivery, make_endpoint, make_hook

pytestmark = pytest.mark.django_db


def released(endpoint: Endpoint) -> Endpoint:
    assert serving.release([(str(endpoint.pk), 0, 0)]) == {str(endpoint.pk)}
    return Endpoint.objects.get(pk=endpoint.pk)


def test_it_is_due_again_when_something_is_left_and_not_before_it_may_be_probed():
    soon, later = timezone.now() + timedelta(minutes=1), timezone.now() + timedelta(minutes=2)
    hook = make_hook(endpoint=make_endpoint(probe_at=soon, due_at=timezone.now() - timedelta(hours=1)))
    assert Endpoint.objects.unserved().exists()
    assert (released(hook.endpoint).due_at, Endpoint.objects.unserved().exists()) == (None, False)
    delivery = make_delivery(hook=hook)
    assert released(hook.endpoint).due_at == soon
    Delivery.objects.filter(pk=delivery.pk).update(state="waiting", next_attempt_at=later)
    assert released(hook.endpoint).due_at == later


def test_what_stands_behind_nothing_makes_it_due_at_once():
    """What it stood behind was dropped, or has moved: whoever leases it next sets it free."""
    delivery = make_delivery(state="behind")
    due = released(delivery.endpoint).due_at
    assert due and due <= timezone.now()

    [claimed], _ = serving.claim(0)
    delivery.refresh_from_db()
    assert (claimed.id, delivery.state) == (str(delivery.endpoint_id), "pending")


def test_what_has_moved_stands_behind_nothing_at_its_old_address():
    old, delivery = make_endpoint(), make_delivery()
    serving.write(Record(held=[], behind=[Behind(delivery.pk, str(old.pk), 0)]))
    delivery.refresh_from_db()
    assert delivery.state == "pending"
