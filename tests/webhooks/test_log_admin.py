"""Behaviours 94 and 95 in the admin: what came in and went out, each try of it, and once more."""

from datetime import timedelta

import pytest
from django.contrib.admin.utils import quote
from django.contrib.auth.models import Permission
from django.urls import reverse
from django.utils import timezone

from apps.audit.models import Entry
from apps.webhooks.models import Delivery, Message, Receipt
from tests.conftest import signed_in
from tests.factories import (
    make_delivery,
    make_endpoint,
    make_event,
    make_hook,
    make_integration,
    make_receipt,
    make_try,
    make_user,
)

State = Delivery.State
LIST, LOG = "/admin/webhooks/delivery/", "/admin/webhooks/message/"


def page(delivery: Delivery) -> str:
    return reverse("admin:webhooks_delivery_change", args=[delivery.pk])


def rows(answer) -> list[str]:
    return sorted(str(row.pk) for row in answer.context["cl"].result_list)


def test_a_delivery_shows_each_try_with_what_was_sent_and_what_came_back(staff_client):
    endpoint = make_endpoint(url="https://hats.example/hear", headers={"X-Key": "do-not-show"})
    delivery = make_delivery(
        hook=make_hook(endpoint=endpoint), state=State.WAITING, next_attempt_at=timezone.now() + timedelta(hours=2)
    )
    came = {"Retry-After": "30", "X-Access-Token": "of-theirs"}
    make_try(delivery=delivery, status=503, milliseconds=17, headers=came, body="come later")
    text = staff_client.get(page(delivery)).text
    for said in [
        "POST https://hats.example/hear",
        f"msg_{delivery.pk}",
        "17 ms · 503",
        "Retry-After: 30",
        "come later",
    ]:
        assert said in text
    assert "X-Key: …" in text and "do-not-show" not in text
    assert "X-Access-Token: …" in text and "of-theirs" not in text
    assert "The next try" in text


def test_a_delivery_is_sent_once_more_as_the_same_row(staff, staff_client):
    delivery = make_delivery(state=State.FAILED, error="timeout", tries=10)
    answer = staff_client.post(reverse("admin:webhooks_delivery_replay", args=[delivery.pk]), follow=True)
    assert "1 message is sent once more." in answer.text
    delivery.refresh_from_db()
    assert (delivery.state, delivery.tries) == (State.PENDING, 0)
    assert Entry.objects.get(action="delivery.replay").actor == staff.email


def test_many_are_sent_once_more_or_tried_now(staff_client):
    hook = make_hook()
    failed = [make_delivery(hook=hook, state=State.FAILED) for _ in range(2)]
    waiting = make_delivery(hook=hook, state=State.WAITING, next_attempt_at=timezone.now() + timedelta(hours=2))
    chosen = [str(row.pk) for row in [*failed, waiting]]
    sent = staff_client.post(LIST, {"action": "replay_chosen", "_selected_action": chosen}, follow=True)
    assert "2 messages are sent once more." in sent.text
    tried = staff_client.post(LIST, {"action": "try_chosen", "_selected_action": chosen}, follow=True)
    assert "1 message is tried now." in tried.text
    waiting.refresh_from_db()
    assert waiting.next_attempt_at <= timezone.now()


def test_what_has_still_to_arrive_is_not_sent_once_more(staff_client):
    delivery = make_delivery()
    answer = staff_client.post(reverse("admin:webhooks_delivery_replay", args=[delivery.pk]), follow=True)
    assert "Only what came to its end can be sent once more." in answer.text


def test_who_may_only_look_sends_nothing(db, settings):
    settings.DEMO = True
    viewer = make_user(is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_delivery"))
    delivery = make_delivery(state=State.FAILED)
    button = reverse("admin:webhooks_delivery_replay", args=[delivery.pk])
    assert (signed_in(viewer).get(page(delivery)).status_code, signed_in(viewer).post(button).status_code) == (200, 403)


def test_deliveries_are_found_by_state_event_integration_and_entity(staff_client):
    one = make_delivery(hook=make_hook(endpoint=make_endpoint(integration=make_integration())), state=State.FAILED)
    event = make_event(type="product.created", entity="product", entity_id="77")
    other = make_delivery(
        hook=make_hook(endpoint=make_endpoint(organization=event.organization), event="product.created"), event=event
    )
    asked = {
        "state__exact=failed": one,
        "event=order.created": one,
        f"hook__integration__id__exact={one.hook.integration_id}": one,
        f"organization__id__exact={one.organization_id}": one,
        "event=product.created": other,
        "q=77": other,
        f"q=msg_{other.pk}": other,
    }
    assert {query: rows(staff_client.get(f"{LIST}?{query}")) for query in asked} == {
        query: [str(found.pk)] for query, found in asked.items()
    }


def test_what_is_held_is_found(staff_client):
    held = make_delivery(hook=make_hook(endpoint=make_endpoint(state="paused", reason="asked")))
    make_delivery()
    assert rows(staff_client.get(f"{LIST}?needs=held")) == [str(held.pk)]


def test_the_log_has_what_came_in_beside_what_goes_out(staff_client):
    went, came = make_delivery(state=State.DELIVERED), make_receipt(state=Receipt.State.FAILED, remote_id="theirs-1")
    out, into = f"out_{went.pk}", f"in_{came.pk}"
    asked = {
        "": [into, out],
        "direction__exact=in": [into],
        "direction__exact=out": [out],
        "status__exact=completed": [out],
        "status__exact=failed": [into],
        f"integration__id__exact={came.integration_id}": [into],
        f"organization__id__exact={went.organization_id}": [out],
        "entity=order": [out],
        "q=theirs-1": [into],
        f"q=msg_{went.pk}": [out],
        f"q={went.event.entity_id}": [out],
    }
    assert {query: rows(staff_client.get(f"{LOG}?{query}")) for query in asked} == asked


@pytest.mark.parametrize("make", [make_delivery, make_receipt])
def test_a_message_leads_to_what_it_stands_for(staff_client, make):
    row = make()
    message = Message.objects.get()
    text = staff_client.get(reverse("admin:webhooks_message_change", args=[quote(message.pk)])).text
    assert f"/admin/webhooks/{row._meta.model_name}/{row.pk}/change/" in text


def test_the_page_of_an_integration_has_its_last_messages_both_ways(staff_client):
    integration = make_integration()
    delivery = make_delivery(hook=make_hook(endpoint=make_endpoint(integration=integration)))
    receipt = make_receipt(integration=integration)
    others = [make_delivery(), make_receipt()]
    text = staff_client.get(reverse("admin:integrations_integration_change", args=[integration.pk])).text
    shown = [f"/{row._meta.model_name}/{row.pk}/" in text for row in [delivery, receipt, *others]]
    assert shown == [True, True, False, False]


def test_one_box_finds_a_delivery_by_its_id_and_an_endpoint_by_its_address(staff_client):
    delivery = make_delivery(hook=make_hook(endpoint=make_endpoint(url="https://hats.example/hear")))
    found = staff_client.get("/admin/search/", {"s": "hats.example"})
    assert reverse("admin:webhooks_endpoint_change", args=[delivery.endpoint_id]) in found.text
    found = staff_client.get("/admin/search/", {"s": delivery.message_id})
    assert page(delivery) in found.headers.get("Location", found.text)
