"""The inboxes of custom integrations: set up over the API, signed as their owner says, and never fooled."""

import json
from datetime import timedelta
from unittest.mock import ANY

import pytest
from django.test import Client
from django.utils import timezone

from apps.accounts.models import Role
from apps.api.limits import Rate
from apps.audit.models import Entry
from apps.integrations import customizing
from apps.integrations.models import Integration
from apps.webhooks import receiving
from apps.webhooks.models import Inbox, InboxSecret, Receipt
from tests.api.calling import call
from tests.concurrency import at_once
from tests.factories import make_custom_integration, make_integration, make_key, make_member, make_warehouse

from . import sending
from .custom import KEY, TIMED, by_hand, envelope, make_sender, message, told

State = Receipt.State
BODY = envelope("order.created", {"n": 1})
OPEN = {"scheme": "standard"}
SAID = {"signatureHeader": "", "encoding": "", "idHeader": "", "timestampHeader": "", "signed": ""}


@pytest.fixture
def sender(db) -> Integration:
    return make_sender()


@pytest.fixture
def partner(db) -> Integration:
    return make_custom_integration()


@pytest.fixture
def token(partner) -> str:
    return make_key(user=make_member(organization=partner.organization, role=Role.ADMIN))


def path(integration, *more):
    return "/".join(["v1/integrations", str(integration.pk), "inbox", *more])


def states():
    return list(Receipt.objects.order_by("received_at").values_list("state", "error"))


def test_an_inbox_is_set_up_and_its_secret_shown_once(partner, token, settings):
    before = call("GET", path(partner), token=token).json()
    inbox = Inbox.objects.get(integration=partner)
    address = f"{settings.PUBLIC_URL}/receive/{inbox.token}"
    assert before == SAID | {"address": address, "state": "not_set_up", "scheme": "", "secrets": []}
    secret = {"id": ANY, "createdAt": ANY, "notAfter": None}
    made = call("PUT", path(partner), OPEN, token=token).json()
    after = SAID | {"address": address, "state": "receiving", "scheme": "standard", "secrets": [secret]}
    assert made == after | {"secret": ANY}
    assert (
        call("PUT", path(partner), OPEN, token=token).json() == call("GET", path(partner), token=token).json() == after
    )
    assert told(message(partner, BODY, key=made["secret"])) == (200, "")
    entries = Entry.objects.filter(target_id=str(partner.pk), action__startswith="inbox").order_by("pk")
    assert list(entries.values_list("action", flat=True)) == ["inbox.set_up", "inbox.new_secret", "inbox.set_up"]
    assert made["secret"] not in json.dumps([entry.after for entry in entries])


def test_terms_of_its_own_are_kept_as_they_were_said(partner, token):
    body = {
        "scheme": "hmac",
        "signatureHeader": "X-Sign",
        "encoding": "base64",
        "timestampHeader": "X-Time",
        "signed": "{timestamp}.{body}",
    }
    answer = call("PUT", path(partner), body, token=token).json()
    assert {name: answer[name] for name in SAID} == SAID | {name: body[name] for name in body if name != "scheme"}


@pytest.mark.parametrize(
    ("body", "attribute"),
    [
        ({}, "scheme"),
        ({"scheme": "none"}, "scheme"),
        ({"scheme": "hmac"}, "signatureHeader"),
        ({"scheme": "standard", "signatureHeader": "X-Sign"}, ""),
        ({"scheme": "hmac", "signatureHeader": "X Sign"}, "signatureHeader"),
        ({"scheme": "hmac", "signatureHeader": "Authorization"}, "signatureHeader"),
        ({"scheme": "hmac", "signatureHeader": "X-Sign", "encoding": "binary"}, "encoding"),
        ({"scheme": "hmac", "signatureHeader": "X-Sign", "signed": "{body}{timestamp}"}, "signed"),
        ({"scheme": "hmac", "signatureHeader": "X-Sign", "signed": "{timestamp}{body}"}, "signed"),
        ({"scheme": "hmac", "signatureHeader": "X-Sign", "timestampHeader": "X-Time"}, "signed"),
        ({"scheme": "hmac", "signatureHeader": "X-Sign", "signed": "{id}{body}"}, "signed"),
        ({"scheme": "hmac", "signatureHeader": "X-Sign", "signed": "é{body}"}, "signed"),
        ({"scheme": "standard", "more": 1}, "more"),
    ],
)
def test_terms_that_could_not_work_are_refused_by_name(partner, token, body, attribute):
    answer = call("PUT", path(partner), body, token=token)
    assert (answer.status_code, [detail["attribute"] for detail in answer.json()["details"]]) == (422, [attribute])
    assert not InboxSecret.objects.exists()


def test_only_a_custom_integration_has_such_an_inbox(partner, token):
    other = make_integration(organization=partner.organization)
    for method, *more in (("GET",), ("PUT",), ("POST", "rotate-secret")):
        assert call(method, path(other, *more), {}, token=token).status_code in {404, 422}
    assert call("PUT", path(other), OPEN, token=token).status_code == 404


def test_nobody_gives_away_what_they_have_not_themselves(partner):
    admin = make_member(organization=partner.organization, role=Role.ADMIN)
    narrow = make_key(user=admin, grants=["integrations:read", "integrations:write"])
    for method, *more in (("PUT",), ("POST", "rotate-secret")):
        answer = call(method, path(partner, *more), OPEN if method == "PUT" else {}, token=narrow)
        assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")
    assert call("GET", path(partner), token=narrow).status_code == 200


def test_a_secret_is_not_rotated_before_there_is_one(partner, token):
    assert call("POST", path(partner, "rotate-secret"), {}, token=token).status_code == 409


def test_wi_10_in_the_overlap_two_secrets_are_accepted_and_then_one(sender):
    token = make_key(user=make_member(organization=sender.organization, role=Role.ADMIN))
    made = call("POST", path(sender, "rotate-secret"), {"overlapSeconds": 3600}, token=token)
    new = made.json()["secret"]
    assert made.status_code == 201
    assert [told(message(sender, BODY, key=key)) for key in (KEY, new)] == [(200, "")] * 2
    shown = call("GET", path(sender), token=token).json()["secrets"]
    assert [secret["notAfter"] is None for secret in shown] == [True, False]
    InboxSecret.objects.filter(not_after__isnull=False).update(not_after=timezone.now())
    assert [told(message(sender, BODY, key=key)) for key in (KEY, new)] == [(401, "bad_signature"), (200, "")]
    call("POST", path(sender, "rotate-secret"), {"overlapSeconds": 0}, token=token)
    assert told(message(sender, BODY, key=new)) == (401, "bad_signature")


def test_a_message_is_stored_before_anything_acts_on_it(sender):
    sent = message(sender, envelope("order.created", {}, ext_shop_id="hats-1"), message_id="m-1")
    assert (sent.send().status_code, sent.send().json()) == (200, {"received": True})
    receipt = Receipt.objects.get()
    assert (receipt.state, receipt.remote_id, receipt.repeats) == (State.RECEIVED, "m-1", 1)
    assert (receipt.event_type, receipt.shop_ref, receipt.tries) == ("order.created", "hats-1", 0)
    assert receipt.headers == sent.headers | {"content-type": "application/json"}


def test_without_an_id_of_its_sender_a_message_is_known_by_its_words(db):
    sender = make_sender(terms={"signature": "X-Sign"})
    for body in (BODY, BODY, envelope("order.created", {"n": 2})):
        assert told(by_hand(sender, body)) == (200, "")
    assert sorted(Receipt.objects.values_list("repeats", flat=True)) == [0, 1]
    named = make_sender(terms={"signature": "X-Sign", "id": "X-Id"})
    for number in ("1", "2", "2"):
        assert told(by_hand(named, BODY, **{"X-Id": number})) == (200, "")
    assert sorted(Receipt.objects.filter(integration=named).values_list("remote_id", "repeats")) == [("1", 0), ("2", 1)]


def test_wi_01_what_is_forged_is_refused_and_noted_but_never_opened(sender):
    assert told(message(sender, BODY, key="whsec_AAAA")) == (401, "bad_signature")
    assert told(message(make_sender(), BODY)) == (200, "")
    receipt = Receipt.objects.get(integration=sender)
    assert (receipt.state, receipt.error, receipt.remote_id) == (State.REJECTED, "bad_signature", "")
    assert receipt.detail == "The signature does not fit."


@pytest.mark.parametrize(
    "body",
    [b"", b"\xff\xfe", b"{", b"null", b"[]", b"{}", b'{"type": 1}', b'{"type": ""}', b'{"type": "a", "type": "b"}',
     b'{"type": "x", "ext_shop_id": 7}', b'{"type": "\\u0000"}', b"[" * 100_000, b'{"type": "x", "n": NaN}'],
)  # fmt: skip
def test_wi_02_what_was_signed_and_says_nothing_is_told_so(db, body):
    sender = make_sender(terms={"signature": "X-Sign"})
    assert told(by_hand(sender, body)) == (400, "unreadable")
    assert states() == [(State.REJECTED, "unreadable")]


def test_wi_02_no_header_and_no_body_is_worth_more_than_a_401(sender):
    address = f"/receive/{sender.inbox.token}"
    for body in (b"", b"\xff\xfe", b"{", BODY):
        for headers in ({}, {"webhook-id": "m", "webhook-timestamp": "1", "webhook-signature": "v1,%%%"}):
            assert Client().post(address, body, content_type="text/plain", headers=headers).status_code == 401


def test_wi_03_several_refused_for_their_time_are_a_clock_that_is_wrong(sender):
    assert told(message(sender, BODY, late=timedelta(minutes=4))) == (200, "")
    late = [message(sender, BODY, late=timedelta(minutes=6)) for _ in range(3)]
    for number, sent in enumerate(late, start=1):
        assert told(sent) == (401, "bad_signature")
        assert Inbox.objects.out_of_time().count() == (number == 3)
    Receipt.objects.filter(state=State.REJECTED).update(received_at=timezone.now() - timedelta(minutes=61))
    assert Inbox.objects.out_of_time().count() == 0


def test_wi_03_forged_ones_say_nothing_of_a_clock(sender):
    for _ in range(5):
        told(message(sender, BODY, key="whsec_AAAA", late=timedelta(hours=1)))
    assert Inbox.objects.out_of_time().count() == 0


def test_wi_03_a_time_that_is_signed_by_hand_has_its_window_too(db):
    sender, now = make_sender(terms=TIMED), int(timezone.now().timestamp())
    for at, answer in ((now, 200), (now - 290, 200), (now - 310, 401), (now + 310, 401)):
        sent = by_hand(sender, BODY, signed=f"{at}.".encode() + BODY, **{"X-Time": str(at)})
        assert sent.send().status_code == answer
    assert [error for _, error in states() if error] == ["bad_time"] * 2


@pytest.mark.django_db(transaction=True)
def test_wi_04_of_fifty_at_once_one_is_stored():
    sender = make_sender()
    sent = message(sender, BODY)
    assert at_once(50, lambda: sent.send(Client()).status_code) == [200] * 50
    assert Receipt.objects.get().repeats == 49


def test_wi_06_the_same_said_otherwise_is_refused(sender):
    sent = message(sender, BODY)
    for body in (json.dumps(json.loads(BODY), indent=1).encode(), b"\xef\xbb\xbf" + BODY):
        assert sent.send(body=body).status_code == 401


def test_wi_08_only_what_was_signed_counts_and_too_much_is_told_when_to_come_back(sender, monkeypatch):
    monkeypatch.setattr(receiving, "MOST_RECEIPTS", Rate(per_second=0.01, burst=3))
    for _ in range(10):
        assert told(message(sender, BODY, key="whsec_AAAA")) == (401, "bad_signature")
    assert [told(message(sender, BODY))[0] for _ in range(5)] == [200, 200, 200, 429, 429]
    answer = message(sender, BODY).send()
    assert (answer.json()["code"], 0 < int(answer["Retry-After"]) <= 100) == ("rate_limited", True)
    assert Receipt.objects.filter(state=State.RECEIVED).count() == 3
    assert told(message(make_sender(), BODY)) == (200, "")


def test_wi_08_a_warehouse_that_is_told_to_wait_loses_nothing(pio, db, monkeypatch):
    warehouse = make_warehouse()
    monkeypatch.setattr(receiving, "MOST_RECEIPTS", Rate(per_second=1000, burst=1))
    sent = [sending.message(warehouse, sending.stock_of("HAT-1", n, version=n)) for n in (1, 2, 3)]
    waits = [one for one in sent if one.send().status_code == 429]
    while waits:
        waits = [one for one in waits if one.send().status_code == 429]
    assert Receipt.objects.filter(repeats=0).count() == 3


def test_what_came_to_a_deleted_connector_is_received_no_more(sender, staff):
    customizing.discard(sender.partner, actor=receiving.Actor("test"))
    assert told(message(sender, BODY)) == (404, "not_found")
