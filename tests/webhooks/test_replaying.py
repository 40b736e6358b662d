"""Behaviour 95: sent once more is the same row with the same id, and a new attempt."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.api.errors import Problem
from apps.audit.models import Entry
from apps.audit.trail import Actor
from apps.webhooks import hooking, replaying
from apps.webhooks.models import Delivery, Endpoint
from tests.concurrency import in_thread, wait_until_blocked
from tests.factories import make_delivery, make_endpoint, make_hook, make_try

ANN = Actor(text="Ann")
State = Delivery.State
LONG_AGO = timezone.now() - timedelta(hours=3)


def ended(state: str = State.FAILED, **fields) -> Delivery:
    told = {"tries": 10, "status": 500, "error": "timeout", "first_tried_at": LONG_AGO, "finished_at": LONG_AGO}
    return make_delivery(state=state, **told | fields)


def facts(delivery: Delivery) -> dict:
    names = ["state", "tries", "status", "error", "first_tried_at", "next_attempt_at", "finished_at"]
    return Delivery.objects.values(*names).get(pk=delivery.pk)


ANEW = {
    "state": "pending", "tries": 0, "status": None, "error": "", "first_tried_at": None, "next_attempt_at": None,
    "finished_at": None,
}  # fmt: skip


@pytest.mark.parametrize("state", [State.DELIVERED, State.FAILED, State.DROPPED])
def test_what_came_to_its_end_is_sent_once_more_as_the_same_row(db, state):
    delivery = ended(state)
    tried = make_try(delivery=delivery)
    before = delivery.message_id
    assert replaying.replay(Delivery.objects.filter(pk=delivery.pk), actor=ANN) == 1
    assert (facts(delivery), Delivery.objects.get().message_id) == (ANEW, before)
    assert list(delivery.attempts.all()) == [tried]


@pytest.mark.parametrize("state", Delivery.UNDONE)
def test_what_has_still_to_arrive_is_left_alone(db, state):
    delivery = make_delivery(state=state, tries=3)
    before = facts(delivery)
    assert replaying.replay(Delivery.objects.all(), actor=ANN) == 0
    assert (facts(delivery), Entry.objects.count()) == (before, 0)


def test_its_endpoint_is_rung_for_and_dispatchers_are_woken(db):
    delivery = ended()
    with CaptureQueriesContext(
        connection,
    ) as asked:
        replaying.replay(Delivery.objects.all(), actor=ANN)
    endpoint = Endpoint.objects.get(pk=delivery.endpoint_id)
    assert (endpoint.rung, endpoint.due_at is not None) == (1, True)
    assert any("pg_notify" in query["sql"] for query in asked)


def test_many_cost_as_few_statements_as_one_and_leave_one_entry(db):
    hook = make_hook()
    rows = [ended(hook=hook) for _ in range(5)]
    with CaptureQueriesContext(connection) as many:
        assert replaying.replay(Delivery.objects.all(), actor=ANN, asked={"state": "failed"}) == 5
    entry = Entry.objects.get()
    told = (entry.action, entry.after, entry.organization_id)
    assert told == ("delivery.replay", {"count": 5, "asked": {"state": "failed"}}, hook.organization_id)
    Delivery.objects.filter(pk=rows[0].pk).update(state=State.FAILED)
    with CaptureQueriesContext(connection) as one:
        replaying.replay(Delivery.objects.all(), actor=ANN)
    assert len(one) == len(many)


@pytest.mark.parametrize(("deed", "state"), [("replay", "failed"), ("try_now", "waiting"), ("drop", "pending")])
def test_what_is_done_to_messages_of_many_organizations_stands_in_the_trail_of_each(db, deed, state):
    hooks = [make_hook(), make_hook()]
    for hook in [*hooks, hooks[1]]:
        make_delivery(hook=hook, state=state)
    assert getattr(replaying, deed)(Delivery.objects.all(), actor=ANN, asked={"job": "1"}) == 3
    told = {entry.organization_id: (entry.action, entry.after) for entry in Entry.objects.all()}
    assert told == {
        hook.organization_id: (f"delivery.{deed}", {"count": n, "asked": {"job": "1"}})
        for n, hook in enumerate(hooks, start=1)
    }


def test_one_leaves_an_entry_that_says_what_it_was(db):
    delivery = ended()
    replaying.replay(Delivery.objects.all(), actor=ANN)
    entry = Entry.objects.get()
    assert (entry.target_id, entry.before) == (str(delivery.pk), {"state": "failed", "error": "timeout"})


def test_more_than_were_counted_are_refused_and_nothing_is_done(db):
    hook = make_hook()
    first = ended(hook=hook)
    expected = replaying.count(Delivery.objects.all())
    ended(hook=hook)
    with pytest.raises(Problem) as refused:
        replaying.replay(Delivery.objects.all(), actor=ANN, expected=expected)
    assert (refused.value.code, refused.value.detail) == (
        "more_than_expected", "2 match now. Look at them, and ask again.",
    )  # fmt: skip
    assert (facts(first)["state"], Entry.objects.count(), Endpoint.objects.get().rung) == ("failed", 0, 0)
    assert replaying.replay(Delivery.objects.all(), actor=ANN, expected=2) == 2


def test_what_went_to_a_hook_that_was_removed_is_refused(db):
    delivery = ended()
    hooking.unsubscribe(delivery.hook, actor=ANN)
    with pytest.raises(Problem, match="removed"):
        replaying.replay(Delivery.objects.all(), actor=ANN)
    assert (replaying.count(Delivery.objects.all()), facts(delivery)["state"]) == (0, "failed")


def test_it_goes_to_where_its_hook_goes_now(db):
    delivery = ended()
    other = make_endpoint(organization=delivery.organization)
    delivery.hook.endpoint = other
    delivery.hook.save()
    replaying.replay(Delivery.objects.all(), actor=ANN)
    delivery.refresh_from_db()
    assert (delivery.endpoint, Endpoint.objects.get(pk=other.pk).rung) == (other, 1)


def test_what_waits_for_its_next_try_has_it_now(db):
    later = timezone.now() + timedelta(hours=5)
    delivery = make_delivery(state=State.WAITING, tries=4, next_attempt_at=later)
    Endpoint.objects.update(probe_at=later, failures=7)
    assert replaying.try_now(Delivery.objects.all(), actor=ANN) == 1
    told, endpoint = facts(delivery), Endpoint.objects.get()
    assert (told["state"], told["tries"], told["next_attempt_at"] <= timezone.now()) == ("waiting", 4, True)
    assert (endpoint.probe_at, endpoint.rung, endpoint.fence) == (None, 1, 1)
    assert Entry.objects.get().action == "delivery.try_now"


def test_what_does_not_wait_is_not_tried_at_once(db):
    ended()
    make_delivery()
    assert (replaying.try_now(Delivery.objects.all(), actor=ANN), Entry.objects.count()) == (0, 0)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("deed", [replaying.try_now, replaying.drop])
def test_what_arrives_at_this_moment_has_arrived(deed):
    delivery = make_delivery(state=State.WAITING)
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            Delivery.objects.filter(pk=delivery.pk).update(state=State.DELIVERED, finished_at=LONG_AGO)
            done = in_thread(pool, lambda: deed(Delivery.objects.all(), actor=ANN))
            wait_until_blocked()
        assert (done.result(), Entry.objects.count()) == (0, 0)
    told = facts(delivery)
    assert (told["state"], told["finished_at"], told["next_attempt_at"]) == ("delivered", LONG_AGO, None)
