"""From what happened to what is owed: who hears of it, in which order, and with how many statements."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from django.db import DataError, IntegrityError, connection, transaction
from django.utils.timezone import now

from apps.audit.trail import Actor
from apps.webhooks import audiences, bell, fanning, hooking
from apps.webhooks.fanning import fan_out
from apps.webhooks.models import Attempt, Delivery, Endpoint, Event, Hook, Outgoing
from tests.concurrency import in_thread, wait_until_blocked
from tests.factories import (
    make_custom_integration,
    make_delivery,
    make_endpoint,
    make_event,
    make_hook,
    make_order,
    make_organization,
    make_shop,
)

pytestmark = pytest.mark.django_db


def owed() -> list[tuple[Event, Hook]]:
    return [(one.event, one.hook) for one in Delivery.objects.select_related("event", "hook").order_by("id")]


def changed(organization, number: int = 1, **fields) -> Event:
    said = {
        "type": "sync_run.finished",
        "entity": "sync_run",
        "entity_id": str(number),
        "sequence": 1,
        "data": {"n": 1},
    }
    return make_event(organization=organization, **said | fields)


def test_nothing_goes_out_that_nobody_asked_for():
    hook = make_hook(event="order.created")
    changed(hook.organization)
    changed(make_organization(), type="order.created", entity="order")

    assert (Outgoing.objects.count(), fan_out()) == (0, fanning.NOTHING)


def test_what_was_asked_for_goes_out_once_in_the_order_it_happened():
    hook = make_hook(event="sync_run.finished")
    events = [changed(hook.organization, number) for number in range(5)]

    assert fan_out().rung == {str(hook.endpoint_id): 1}
    assert fan_out().rung == {}
    assert owed() == [(event, hook) for event in events]
    assert Delivery.objects.order_by("id").values_list("lane", "state").first() == ("sync_run:0", "pending")


def test_a_hook_that_was_taken_away_hears_nothing_more(django_assert_num_queries):
    hook = make_hook(event="sync_run.finished")
    changed(hook.organization)
    Hook.objects.update(deleted_at="2026-11-21T00:00:00Z")
    changed(hook.organization, 2)

    assert Outgoing.objects.count() == 1
    assert (fan_out(), owed(), Outgoing.objects.count()) == (fanning.Fanned(1, {}, is_all=True), [], 0)


def test_many_take_as_many_statements_as_one(django_assert_num_queries):
    hook = make_hook(event="sync_run.finished")
    changed(hook.organization)
    fan_out()  # it has the statement planned
    changed(hook.organization, 200)
    with django_assert_num_queries(1):
        fan_out()
    for number in range(100):
        changed(hook.organization, number + 2)
    with django_assert_num_queries(1):
        fan_out()


def test_a_filter_lets_some_through_and_keeps_the_order_of_all():
    organization = make_organization()
    endpoint = make_endpoint(organization=organization)
    narrow = make_hook(
        endpoint=endpoint, event="order.updated", filter=[{"field": "state", "op": "equals", "value": "shipped"}]
    )
    wide = make_hook(endpoint=endpoint, event="order.cancelled")
    of_one = {"entity": "order", "entity_id": str(uuid4())}
    first = changed(organization, type="order.updated", sequence=2, data={"state": "shipped"}, **of_one)
    second = changed(organization, type="order.cancelled", sequence=3, data={"state": "cancelled"}, **of_one)
    changed(organization, type="order.updated", sequence=4, data={"state": "new"}, **of_one)
    third = changed(organization, type="order.updated", sequence=5, data={"state": "shipped"}, **of_one)

    fan_out()

    assert owed() == [(first, narrow), (second, wide), (third, narrow)]


def test_a_shops_hook_hears_of_that_shop_and_an_integrations_of_all_of_its_own():
    order = make_order()
    integration, other = order.integration, make_shop(integration=order.integration)
    integration.grants = ["orders:read"]
    integration.save()
    elsewhere = make_shop(integration=make_custom_integration(organization=order.organization))
    endpoints = {
        "shop": make_endpoint(integration=integration, shop=order.shop),
        "other shop": make_endpoint(integration=integration, shop=other),
        "integration": make_endpoint(integration=integration),
        "other integration": make_endpoint(integration=elsewhere.integration),
        "people": make_endpoint(organization=order.organization),
        "people, other shop": make_endpoint(organization=order.organization, shop=other),
        "strangers": make_endpoint(),
    }
    for endpoint in endpoints.values():
        make_hook(endpoint=endpoint, event="order.updated")
    make_event(
        organization=order.organization, type="order.updated", entity="order", entity_id=str(order.pk), sequence=2,
        data={"state": "ready", "shop_id": str(order.shop_id)},
    )  # fmt: skip

    touched = fan_out().rung

    assert {name for name, endpoint in endpoints.items() if str(endpoint.pk) in touched} == {
        "shop", "integration", "people",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("grants", "org_wide", "hears"),
    [(["orders:read"], False, False), (["orders:read"], True, True), (["products:read"], True, False)],
)
def test_a_key_hears_what_it_may_see(grants, org_wide, hears):
    order = make_order()
    integration = make_custom_integration(organization=order.organization, grants=grants, org_wide_access=org_wide)
    make_hook(endpoint=make_endpoint(integration=integration), event="order.updated")
    make_event(
        organization=order.organization, type="order.updated", entity="order", entity_id=str(order.pk), sequence=2,
        data={},
    )  # fmt: skip

    assert bool(fan_out().rung) == hears


def test_a_closed_shop_hears_nothing():
    order = make_order()
    order.integration.grants = ["orders:read"]
    order.integration.save()
    make_hook(endpoint=make_endpoint(integration=order.integration, shop=order.shop), event="order.updated")
    make_event(
        organization=order.organization, type="order.updated", entity="order", entity_id=str(order.pk), sequence=2
    )
    order.shop.is_active = False
    order.shop.save()

    assert fan_out().rung == {}


def test_what_its_room_says_is_added_once_and_what_the_event_says_wins(monkeypatch):
    monkeypatch.setitem(audiences.DESCRIPTIONS, "sync_run", lambda ids: {pk: {"n": 2, "name": pk} for pk in ids})
    hook = make_hook(event="sync_run.finished")
    event, bare = changed(hook.organization), changed(hook.organization, 2, data=None)

    fan_out()

    event.refresh_from_db()
    bare.refresh_from_db()
    assert (event.data, bare.data) == ({"n": 1, "name": "1"}, {"n": 2, "name": "2"})


def test_a_room_that_breaks_down_keeps_nothing_back(monkeypatch):
    monkeypatch.setitem(audiences.DESCRIPTIONS, "sync_run", lambda ids: {}[len(ids)])
    hook = make_hook(event="sync_run.finished")
    changed(hook.organization)

    assert fan_out().rung == {str(hook.endpoint_id): 1}


def test_its_endpoint_is_due_at_once_unless_it_is_left_in_peace():
    hook, failing = make_hook(event="sync_run.finished"), make_endpoint(probe_at="2999-01-01T00:00:00Z")
    make_hook(endpoint=failing, event="sync_run.finished")
    for organization in (hook.organization, failing.organization):
        changed(organization)

    fan_out()

    well, failing = Endpoint.objects.get(pk=hook.endpoint_id), Endpoint.objects.get(pk=failing.pk)
    assert (well.rung, failing.rung, failing.due_at) == (1, 1, failing.probe_at)
    assert well.due_at and well.due_at.year < 2999


def test_one_that_cannot_go_out_keeps_no_other_back():
    order = make_order()
    order.integration.grants = ["orders:read"]
    order.integration.save()
    endpoint = make_endpoint(integration=order.integration, shop=order.shop)
    hook = make_hook(endpoint=endpoint, event="order.updated")  # whether it hears is asked of the order
    said = {"type": "order.updated", "entity": "order", "data": {}}
    changed(hook.organization, entity_id="no id of an order", **said)
    good = changed(hook.organization, entity_id=str(order.pk), **said)

    while Outgoing.objects.exists():
        fan_out()

    assert owed() == [(good, hook)]


@pytest.mark.django_db(transaction=True)
def test_two_who_find_the_same_that_cannot_go_out_take_no_other_along(monkeypatch):
    order = make_order()
    hook = make_hook(endpoint=make_endpoint(organization=order.organization, shop=order.shop), event="order.updated")
    said = {"type": "order.updated", "entity": "order", "data": {}}
    changed(hook.organization, entity_id="no id of an order", **said)
    good = changed(hook.organization, entity_id=str(order.pk), **said)
    failed = []

    @contextmanager
    def atomic() -> Iterator[None]:
        try:
            with transaction.atomic():
                yield
        except DataError as error:
            failed.append(error)
            if len(failed) == 2:  # the second time it was tried by itself: now somebody else finds it, too
                with ThreadPoolExecutor(1) as pool:
                    in_thread(pool, fan_out).result(10)
            raise

    monkeypatch.setattr(fanning, "transaction", SimpleNamespace(atomic=atomic))
    while Outgoing.objects.exists():
        fan_out()

    assert owed() == [(good, hook)]


# ---- While hooks change


def meanwhile(change: Callable[[], object]) -> fanning.Fanned:
    """What is handed out by somebody who has seen how it was, and goes on when this has changed."""
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            change()
            fanned = in_thread(pool, fan_out)
            wait_until_blocked()
        return fanned.result(10)


def two_at_one_endpoint() -> tuple[Hook, Hook]:
    endpoint = make_endpoint()
    return make_hook(endpoint=endpoint, event="sync_run.finished"), make_hook(endpoint=endpoint, event="order.updated")


@pytest.mark.django_db(transaction=True)
def test_what_happens_as_a_hook_moves_goes_to_its_new_address():
    hook, _ = two_at_one_endpoint()
    event = changed(hook.organization)

    fanned = meanwhile(lambda: hooking.change(hook, url="https://8.8.8.8/hooks", actor=Actor("somebody")))

    moved = Hook.objects.get(pk=hook.pk).endpoint
    assert (fanned.rung, moved.url) == ({str(moved.pk): 2}, "https://8.8.8.8/hooks")
    assert [(one.event, one.endpoint) for one in Delivery.objects.all()] == [(event, moved)]


@pytest.mark.django_db(transaction=True)
def test_what_happens_as_a_hook_is_taken_away_goes_to_nobody():
    hook, _ = two_at_one_endpoint()
    changed(hook.organization)

    assert meanwhile(lambda: hooking.unsubscribe(hook, actor=Actor("somebody"))) == fanning.Fanned(1, {}, is_all=True)
    assert (owed(), Outgoing.objects.count()) == ([], 0)


@pytest.mark.django_db(transaction=True)
def test_what_happens_as_an_endpoint_is_removed_goes_to_nobody():
    hook, _ = two_at_one_endpoint()
    changed(hook.organization)

    assert meanwhile(lambda: hooking.remove(hook.endpoint, actor=Actor("somebody"))) == fanning.Fanned(
        1, {}, is_all=True
    )
    assert (owed(), Outgoing.objects.count()) == ([], 0)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("is_served", "told"), [(False, 1), (True, 0)])
def test_other_dispatchers_hear_only_of_endpoints_that_whoever_hands_out_does_not_serve(is_served, told):
    hook = make_hook(event="sync_run.finished")
    changed(hook.organization)
    with closing(bell._listen()) as wire:
        list(wire.notifies(timeout=0))
        assert fan_out([str(hook.endpoint_id)] if is_served else []).rung == {str(hook.endpoint_id): 1}
        heard = [one.channel for one in wire.notifies(timeout=0.2)]
    assert heard == [bell.ENDPOINTS] * told


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("served", [[], [str(uuid4())]])
def test_a_look_at_nothing_wakes_nobody(served):
    with closing(bell._listen()) as wire:
        assert fan_out(served) == fanning.NOTHING
        assert list(wire.notifies(timeout=0.2)) == []


def test_hooks_that_do_not_stand_still_are_looked_at_again_later(monkeypatch):
    hook, looks = make_hook(event="sync_run.finished"), []

    def moved(served: Any, most: int) -> None:
        looks.append(most)
        raise IntegrityError

    changed(hook.organization)
    with monkeypatch.context() as patch:
        patch.setattr(fanning, "_plainly", moved)
        assert (fan_out(), len(looks)) == (fanning.NOTHING, fanning.LOOKS)
    assert fan_out().events == 1


def test_nothing_is_owed_to_a_hook_that_was_taken_away():
    hook = make_hook(deleted_at="2026-11-21T00:00:00Z")
    make_delivery(hook=hook, state="delivered")
    with pytest.raises(IntegrityError):
        make_delivery(hook=hook)


def test_a_batch_looks_its_rows_up_also_where_the_tables_were_empty_when_it_was_planned():
    tables = [model._meta.db_table for model in (Event, Outgoing, Delivery, Attempt)]
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {', '.join(tables)}")
        cursor.execute(f"ANALYZE {', '.join(tables)}")
        for table in tables:
            cursor.execute(f"INSERT INTO {table} TABLE {table}")  # of nothing: what is checked is planned
    hook = make_hook(event="sync_run.finished")

    own = {"organization": hook.organization, "type": "sync_run.finished", "entity": "sync_run", "sequence": 1}
    Event.objects.bulk_create(Event(**own, entity_id=str(number), data={}) for number in range(300))
    assert fan_out().events == 300
    tried = {"organization": hook.organization, "url": "https://receiver.example", "milliseconds": 20, "status": 200}
    Attempt.objects.bulk_create(Attempt(**tried, delivery=one, started_at=now()) for one in Delivery.objects.all())

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, seq_scan FROM pg_stat_xact_user_tables WHERE relname = ANY(%s) AND seq_scan > 100",
            [tables],
        )
        assert cursor.fetchall() == []
