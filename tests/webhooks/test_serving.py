"""What a dispatcher asks the database and tells it, for what only a race would show."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from apps.audit.trail import Actor
from apps.webhooks import hooking, replaying, serving
from apps.webhooks.health import Health
from apps.webhooks.models import Delivery, Endpoint
from apps.webhooks.serving import Behind, Record
from tests.concurrency import in_thread, wait_until_blocked
from tests.factories import make_delivery, make_endpoint, make_hook, make_organization

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


def answered(delivery: Delivery) -> Record:
    """It was not taken, and that says something of its endpoint."""
    pk = str(delivery.endpoint_id)
    row = {
        "delivery": delivery.pk,
        "endpoint": pk,
        "state": "waiting",
        "tries": 1,
        "wait": 5.0,
        "status": 500,
        "error": "status_500",
        "started_at": time.time(),
        "milliseconds": 1,
        "url": delivery.endpoint.url,
        "headers": {},
        "body": "",
    }
    health = Health("active", "", 1, time.time(), None, 0, last_error="status_500", is_changed=True)
    return Record(held=[(pk, 0)], results=[row], healths=[(pk, 0, health)])


@pytest.mark.django_db(transaction=True)
def test_an_answer_waits_for_who_drops_what_it_is_about():
    """Endpoints first, then deliveries: the other way round one of the two would be refused (a deadlock)."""
    delivery = make_delivery()
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            list(Endpoint.objects.select_for_update(no_key=True))
            written = in_thread(pool, lambda: serving.write(answered(delivery)))
            wait_until_blocked()
            assert replaying.drop(Delivery.objects.all(), actor=Actor("Ann")) == 1
        written.result(10)
    assert Delivery.objects.get().state == "dropped"


@pytest.mark.django_db(transaction=True)
def test_a_hook_that_moves_and_who_goes_on_serving_both_addresses_wait_for_each_other(monkeypatch):
    organization = make_organization()
    first, second = sorted(
        (make_endpoint(organization=organization, url=f"https://8.8.8.8/{name}") for name in "ab"),
        key=lambda one: one.pk,
    )
    hook = make_hook(endpoint=second, event="order.created")
    make_hook(endpoint=second, event="order.updated")
    with ThreadPoolExecutor(1) as pool:
        waiting = []

        def renew_meanwhile(hook):
            waiting.append(in_thread(pool, lambda: serving.renew([(str(one.pk), 0) for one in (first, second)])))
            wait_until_blocked()
            return found(hook)

        found = hooking._locked_hook
        monkeypatch.setattr(hooking, "_locked_hook", renew_meanwhile)
        assert hooking.change(hook, url=first.url, actor=Actor("Ann")).endpoint == first
        assert waiting[0].result(10) == {str(first.pk), str(second.pk)}
