"""The owner's pages of messages: all that came in and went out, and each by itself."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.urls import reverse
from django.utils import timezone, translation

from apps.accounts.models import Role
from apps.syncs import parking
from apps.webhooks import message_views, sentences, showing
from apps.webhooks.dispatching import deliver_all
from apps.webhooks.models import Delivery, Endpoint, Receipt
from tests.conftest import signed_in
from tests.factories import (
    make_connection,
    make_delivery,
    make_endpoint,
    make_event,
    make_hook,
    make_integration,
    make_member,
    make_receipt,
    make_shop,
    make_signing_secret,
    make_try,
    make_warehouse,
)
from tests.onboarding.pages import HTMX, is_part, text

from .receiver import receiver

pytestmark = pytest.mark.django_db
State = Delivery.State
LIST = "/hooks/messages/"
SYNCS = Path(parking.__file__).parent


@pytest.fixture
def endpoint(owner):
    made = make_endpoint(organization=owner.organization, name="Bookkeeping", headers={"X-Token": "hush"})
    make_signing_secret(endpoint=made, key="whsec_c2VjcmV0IG9mIGhhdHM=")
    return made


@pytest.fixture
def delivery(owner, endpoint):
    event = make_event(
        organization=owner.organization, type="order.created", entity="order", data={"number": "#1001", "note": "it's"}
    )
    return make_delivery(hook=make_hook(endpoint=endpoint), event=event, state=State.FAILED, error="status_500")


def out(delivery, name: str = "message-out") -> str:
    return reverse(name, args=[delivery.pk])


def listed(client, **query) -> list[str]:
    return [message.row_id for message, *_words in client.get(LIST, query).context["rows"]]


def said(answer) -> list[str]:
    return [str(message) for message in answer.context["messages"]]


# ---- The list


def test_what_came_in_and_went_out_stands_there_newest_first_and_nobody_elses(owner_client, owner, delivery):
    receipt = make_receipt(integration=make_integration(organization=owner.organization))
    make_receipt()
    make_delivery()
    assert listed(owner_client) == [str(receipt.pk), str(delivery.pk)]


def test_the_list_offers_each_integration_and_narrows_by_it(owner_client, owner, delivery):
    """Behaviour 96."""
    integrations = [make_integration(organization=owner.organization, name=name) for name in ("Shop A", "Shop B")]
    make_integration(name="Elsewhere")
    receipts = [make_receipt(integration=integration) for integration in integrations]
    page = owner_client.get(LIST)
    offered = [integration.name for integration in page.context["integrations"]]
    assert (offered, "Elsewhere" in text(page)) == (["Shop A", "Shop B"], False)
    for integration, receipt in zip(integrations, receipts, strict=True):
        assert listed(owner_client, integration=str(integration.pk)) == [str(receipt.pk)]
    assert listed(owner_client, integration="own") == [str(delivery.pk)]


@pytest.mark.parametrize(
    ("asked", "finds"),
    [
        ({"direction": "in"}, ["in"]),
        ({"direction": "out"}, ["out"]),
        ({"entity": "order"}, ["out"]),
        ({"entity": "stock_level"}, ["in"]),
        ({"status": "failed"}, ["out"]),
        ({"status": "acknowledged"}, ["in"]),
        ({"status": "completed"}, []),
        ({"q": "#1001"}, ["out"]),
        ({"q": "told-1"}, ["in"]),
        ({"q": "nothing"}, []),
    ],
)
def test_the_list_is_narrowed(owner_client, owner, delivery, asked, finds):
    receipt = make_receipt(integration=make_integration(organization=owner.organization), remote_id="told-1")
    ids = {"in": str(receipt.pk), "out": str(delivery.pk)}
    assert listed(owner_client, **asked) == [ids[name] for name in finds]


def test_a_store_leads_to_its_own_messages(owner_client, owner):
    connection = make_connection(integration=make_integration(organization=owner.organization))
    endpoints = [make_endpoint(organization=owner.organization, shop=shop) for shop in (connection.shop, None)]
    ours, _others = (make_delivery(hook=make_hook(endpoint=endpoint)) for endpoint in endpoints)
    assert f"{LIST}?shop={connection.shop_id}" in owner_client.get(reverse("store", args=[connection.pk])).text
    assert listed(owner_client, shop=str(connection.shop_id)) == [str(ours.pk)]


def test_a_warehouse_leads_to_its_own_messages(owner_client, owner, pio):
    warehouse = make_warehouse(organization=owner.organization)
    receipt = make_receipt(integration=warehouse.integration)
    assert (
        f"{LIST}?integration={warehouse.integration_id}" in owner_client.get(reverse("store", args=[warehouse.pk])).text
    )
    assert listed(owner_client, integration=str(warehouse.integration_id)) == [str(receipt.pk)]


def test_the_list_goes_on_where_the_page_before_ended(owner_client, owner, monkeypatch):
    monkeypatch.setattr(message_views, "PAGE", 2)
    integration = make_integration(organization=owner.organization)
    made = [str(make_receipt(integration=integration).pk) for _ in range(5)]
    pages, after = [], ""
    while after is not None:
        page = owner_client.get(LIST, {"after": after} if after else {})
        pages.append([message.row_id for message, *_words in page.context["rows"]])
        after = page.context["next"] or None
    assert pages == [[made[4], made[3]], [made[2], made[1]], [made[0]]]


@pytest.mark.parametrize("zone", ["+16:00", "-16:00"])
def test_the_list_goes_on_from_a_moment_of_any_zone(owner_client, delivery, zone):
    assert listed(owner_client, after=f"2999-01-01T00:00:00{zone}~out_1") == listed(owner_client) != []


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00"])
def test_a_moment_out_of_reach_is_no_cursor(owner_client, delivery, moment):
    assert listed(owner_client, after=f"{moment}~out_1") == listed(owner_client) != []


@pytest.mark.parametrize("rows", [1, 3])
def test_the_list_takes_as_many_statements_for_one_as_for_many(owner_client, owner, rows, django_assert_num_queries):
    for _ in range(rows):
        integration = make_integration(organization=owner.organization)
        make_receipt(integration=integration)
        make_delivery(
            hook=make_hook(endpoint=make_endpoint(integration=integration, shop=make_shop(integration=integration)))
        )
    owner_client.get(LIST)
    with django_assert_num_queries(8):
        owner_client.get(LIST)


def test_htmx_gets_the_same(owner_client, owner, delivery):
    receipt = make_receipt(integration=make_integration(organization=owner.organization))
    make_try(delivery=delivery)
    for address in (LIST, out(delivery), reverse("message-in", args=[receipt.pk])):
        whole, part = owner_client.get(address), owner_client.get(address, headers=HTMX)
        assert is_part(part, of=whole)


def test_without_any_the_page_says_what_will_stand_there(owner_client):
    assert "No messages yet" in text(owner_client.get(LIST))
    assert "No message is like that" in text(owner_client.get(LIST, {"status": "failed"}))


# ---- One that goes out


def test_a_message_shows_each_try_its_answer_and_when_it_is_tried_next(owner_client, delivery):
    make_try(delivery=delivery, status=500, headers={"Server": "hats"}, body="out of hats", milliseconds=12)
    make_try(delivery=delivery, status=None, error="timeout", milliseconds=15_000)
    Delivery.objects.filter(pk=delivery.pk).update(
        state=State.WAITING, next_attempt_at=timezone.now() + timedelta(hours=1), error="timeout"
    )
    page = text(owner_client.get(out(delivery)))
    assert "Something went wrong there (500 Internal Server Error)." in page
    assert ("out of hats" in page, "Server: hats" in page, "after 12 ms" in page) == (True, True, True)
    assert ("It did not answer in time." in page, "Next try:" in page, "Try it now" in page) == (True, True, True)


def test_a_message_shows_what_is_sent_without_its_secrets(owner_client, delivery):
    make_try(delivery=delivery)
    answer = owner_client.get(out(delivery))
    page = text(answer)
    assert ('"number": "#1001"' in page, delivery.message_id in page) == (True, True)
    assert ("webhook-signature: …" in page, "X-Token: …" in page) == (True, True)
    assert ("hush" in page, "v1," in page, "whsec_" in page) == (False, False, False)
    assert answer.context["curl"].startswith(f"curl -X POST {delivery.endpoint.url} \\\n  -H 'Content-Type: ")
    assert "it'\"'\"'s" in answer.context["curl"]


@pytest.mark.django_db(transaction=True)
def test_a_message_names_the_shop_that_its_event_is_of_as_it_was_sent(owner, settings):
    settings.EGRESS_ALLOWED_HOSTS = ["127.0.0.1"]
    shop = make_shop(integration=make_integration(organization=owner.organization))
    with receiver() as there:
        hook = make_hook(endpoint=make_endpoint(organization=owner.organization, url=there.url))
        event = make_event(
            organization=owner.organization, type="order.created", entity="order", data={"shop_id": str(shop.pk)}
        )
        delivery = make_delivery(hook=hook, event=event)
        Endpoint.objects.ring()
        deliver_all()
    shown = dict(showing.headers_of(delivery, None, body=b""))
    sent = {name: there.got[0].headers[name.lower()] for name in shown if name.startswith("X-Crossdock-")}
    assert sent == {
        "X-Crossdock-Event": "order.created",
        "X-Crossdock-Shop-Id": str(shop.pk),
        "X-Crossdock-Ext-Shop-Id": shop.ext_shop_id,
    }
    assert sent.items() <= shown.items()


@pytest.mark.parametrize(
    ("state", "told"),
    [
        (State.PENDING, "It is about to be sent."),
        (State.BEHIND, "An earlier message about the same thing has to arrive first."),
        (State.DELIVERED, "It arrived."),
        (State.FAILED, "It did not arrive, and we gave up."),
        (State.DROPPED, "It was not sent"),
    ],
)
def test_each_state_of_a_message_is_a_sentence(owner_client, delivery, state, told):
    Delivery.objects.filter(pk=delivery.pk).update(state=state)
    assert told in text(owner_client.get(out(delivery)))


def test_what_is_held_says_so(owner_client, delivery):
    Delivery.objects.filter(pk=delivery.pk).update(state=State.PENDING)
    owner_client.post(reverse("pause-hook", args=[delivery.endpoint_id]))
    assert "It is kept until its address is resumed." in text(owner_client.get(out(delivery)))


def test_a_failed_message_is_sent_once_more_as_the_same_row(owner_client, delivery):
    answer = owner_client.post(out(delivery, "replay-out"), follow=True)
    delivery.refresh_from_db()
    assert (said(answer), delivery.state, Delivery.objects.count()) == (
        ["It is sent once more. What comes of it stands here."],
        State.PENDING,
        1,
    )
    again = owner_client.post(out(delivery, "replay-out"), follow=True)
    assert said(again) == ["It is about to be sent already."]


def test_one_that_waits_is_tried_now(owner_client, delivery):
    later = timezone.now() + timedelta(hours=5)
    Delivery.objects.filter(pk=delivery.pk).update(state=State.WAITING, next_attempt_at=later)
    owner_client.post(out(delivery, "replay-out"))
    delivery.refresh_from_db()
    assert delivery.next_attempt_at <= timezone.now()


def test_to_a_removed_address_nothing_is_sent_once_more(owner_client, delivery):
    owner_client.post(reverse("remove-hook", args=[delivery.endpoint_id]))
    assert "Send it once more" not in text(owner_client.get(out(delivery)))
    assert said(owner_client.post(out(delivery, "replay-out"), follow=True)) == ["Its hook was removed."]


def test_an_answer_is_text_whatever_it_holds(owner_client, delivery):
    make_try(delivery=delivery, body="<script>alert(1)</script>", headers={"X-<b>": "<img src=x onerror=alert(1)>"})
    page = owner_client.get(out(delivery)).text
    assert ("<script>alert" in page, "<img" in page, "&lt;script&gt;alert(1)&lt;/script&gt;" in page) == (
        False,
        False,
        True,
    )


def test_all_that_failed_at_an_address_is_sent_once_more_after_its_count(owner_client, delivery):
    make_delivery(hook=delivery.hook, state=State.FAILED)
    make_delivery(hook=delivery.hook, state=State.DELIVERED)
    address = reverse("replay-failed", args=[delivery.endpoint_id])
    assert address in owner_client.get(reverse("hook", args=[delivery.endpoint_id])).text
    assert "2 messages failed there." in text(owner_client.get(address))
    fewer = owner_client.post(address, {"expected": "1"})
    assert ("2 match now." in text(fewer), Delivery.objects.filter(state=State.FAILED).count()) == (True, 2)
    answer = owner_client.post(address, {"expected": "2"}, follow=True)
    assert said(answer) == ["2 messages are sent once more."]
    assert sorted(Delivery.objects.values_list("state", flat=True)) == ["delivered", "pending", "pending"]
    assert "Nothing failed there" in text(owner_client.get(address))


def test_what_came_in_shows_what_it_said_and_no_signature(owner_client, owner):
    receipt = make_receipt(
        integration=make_integration(organization=owner.organization),
        headers={"x-own-hmac-sha256": "c2lnbmVk", "x-own-event": "stock"},
        body=b'{"sku": "HAT"}',
        state=Receipt.State.REJECTED,
        error="bad_signature",
    )
    answer = owner_client.get(reverse("message-in", args=[receipt.pk]))
    page = text(answer)
    assert ('{ "sku": "HAT" }' in page, "x-own-event: stock" in page) == (True, True)
    assert ("c2lnbmVk" in page, "It was not signed as it should be" in page) == (False, True)
    assert "Open it again" not in page


@pytest.mark.parametrize(
    ("state", "error", "because", "todo"),
    [
        ("rejected", "bad_signature", "It was not signed as it should be", "compare the secret at both sides."),
        ("rejected", "bad_time", "Its time is too far from ours", "compare the clocks at both sides."),
        ("rejected", "unreadable", "It could not be read.", "Whoever looks after that system has to mend it."),
        ("parked", "not_allowed", "This integration may not do what it asks for.", "open it again"),
        ("parked", "unknown_order", "It is about an order that we do not have.", "open it again"),
        ("parked", "unknown_fulfillment", "It is about a shipment that we do not have.", "open it again"),
        ("failed", "refused", "Nothing of what it says could be taken over.", "Open it again"),
    ],
)
def test_each_reason_is_a_sentence_in_ones_own_language_and_says_what_helps(state, error, because, todo):
    receipt = make_receipt(state=state, error=error)
    look = sentences.of_receipt(receipt)
    assert (because in str(look.text), todo in str(look.todo)) == (True, True)
    with translation.override("nl"):
        assert because not in str(sentences.of_receipt(receipt).text)


def test_every_reason_for_which_a_message_is_put_aside_has_its_sentence():
    names = {name for path in SYNCS.glob("*.py") for name in re.findall(r'Parked\("(\w+)"', path.read_text())}
    assert names | {parking.UNKNOWN_ORDER, parking.UNKNOWN_FULFILLMENT} <= sentences.WHY_RECEIPT.keys()


@pytest.mark.parametrize("body", [b"", b"\xff\xfe\x00", b"[" * 5_000, b"<script>alert(1)</script>", b"x" * 100_000])
def test_what_came_in_may_be_anything(owner_client, owner, body):
    receipt = make_receipt(integration=make_integration(organization=owner.organization), body=body)
    answer = owner_client.get(reverse("message-in", args=[receipt.pk]))
    assert (answer.status_code, "<script>alert" in answer.text, len(answer.content) < 60_000) == (200, False, True)


@pytest.mark.parametrize("state", [Receipt.State.PARKED, Receipt.State.FAILED])
def test_what_was_put_aside_or_failed_is_opened_again(owner_client, owner, state):
    receipt = make_receipt(
        integration=make_integration(organization=owner.organization), state=state, error="unknown_shop"
    )
    address = reverse("message-in", args=[receipt.pk])
    assert "It is about a store that is not connected here." in text(owner_client.get(address))
    first = owner_client.post(reverse("replay-in", args=[receipt.pk]), follow=True)
    assert said(first) == ["It is opened again. What comes of it stands here."]
    receipt.refresh_from_db()
    assert receipt.state == Receipt.State.RECEIVED
    again = owner_client.post(reverse("replay-in", args=[receipt.pk]), follow=True)
    assert said(again) == ["Only what was put aside or failed can be opened again."]


def test_a_viewer_looks_and_sends_nothing(owner, delivery):
    receipt = make_receipt(integration=make_integration(organization=owner.organization), state=Receipt.State.FAILED)
    viewer = signed_in(make_member(organization=owner.organization, role=Role.VIEWER))
    for address in (out(delivery), reverse("message-in", args=[receipt.pk])):
        page = viewer.get(address)
        assert (page.status_code, "/again/" in page.text) == (200, False)
    assert viewer.post(out(delivery, "replay-out")).status_code == 403
    assert viewer.post(reverse("replay-in", args=[receipt.pk])).status_code == 403


def test_a_message_is_shown_also_when_the_secrets_of_its_address_cannot_be_opened(owner_client, delivery, endpoint):
    """Those it was sent with by their names, and of its owner's own none."""
    Endpoint.objects.filter(pk=endpoint.pk).update(sealed="lost:AAAA")
    make_try(delivery=delivery)
    page = owner_client.get(out(delivery))
    assert [name for name, _value in page.context["headers"]] == [
        "Content-Type", "webhook-id", "webhook-timestamp", "webhook-signature", "X-Crossdock-Event",
    ]  # fmt: skip
