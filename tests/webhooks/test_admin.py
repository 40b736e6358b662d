"""Opening parked and failed webhooks again, from the admin (behaviour 95)."""

from html import unescape

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from apps.audit.models import Entry
from apps.webhooks.models import Receipt
from tests.conftest import signed_in
from tests.factories import make_receipt, make_user

State = Receipt.State
LIST = "/admin/webhooks/receipt/"


def button(receipt):
    return reverse("admin:webhooks_receipt_open_this", args=[receipt.pk])


def again(receipt):
    receipt.refresh_from_db()
    return receipt.state, receipt.error, receipt.tries


@pytest.mark.parametrize("state", [State.PARKED, State.FAILED])
def test_a_parked_or_failed_one_is_opened_again_as_the_same_row(staff, staff_client, state):
    receipt = make_receipt(state=state, error="unknown_shop", tries=3)
    answer = staff_client.post(button(receipt), follow=True)
    assert "1 message is opened again." in answer.content.decode()
    assert again(receipt) == (State.RECEIVED, "", 0)
    entry = Entry.objects.get(action="receipt.replay")
    assert (entry.actor, entry.before) == (staff.email, {"state": state, "error": "unknown_shop"})


def test_what_was_done_refused_or_waits_is_left_alone(staff_client):
    receipts = [make_receipt(state=state, error="x") for state in (State.DONE, State.REJECTED, State.RECEIVED)]
    for receipt in receipts:
        answer = staff_client.post(button(receipt), follow=True)
        assert "Only what was parked or failed can be opened again." in answer.content.decode()
    assert [again(receipt)[1] for receipt in receipts] == ["x"] * 3
    assert not Entry.objects.filter(action="receipt.replay").exists()


def test_many_are_opened_again_at_once(staff_client):
    receipts = [make_receipt(state=State.PARKED) for _ in range(2)]
    chosen = {"action": "open_chosen", "_selected_action": [str(receipt.pk) for receipt in receipts]}
    assert "2 messages are opened again." in staff_client.post(LIST, chosen, follow=True).content.decode()
    assert {again(receipt)[0] for receipt in receipts} == {State.RECEIVED}


def test_signatures_and_tokens_of_what_came_are_named_and_not_shown(staff_client):
    headers = {"x-own-event": "stock", "x-own-hmac-sha256": "c2lnbmVk", "x-own-token": "hush", "x-api-key": "quiet"}
    receipt = make_receipt(state=State.REJECTED, error="bad_signature", headers=headers)
    page = unescape(staff_client.get(reverse("admin:webhooks_receipt_change", args=[receipt.pk])).text)
    assert ('"x-own-event": "stock"' in page, '"x-api-key": "…"' in page) == (True, True)
    assert [secret for secret in ("c2lnbmVk", "hush", "quiet") if secret in page] == []


def test_who_may_only_look_opens_nothing_again(db, settings):
    settings.DEMO = True
    viewer = make_user(is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_receipt"))
    receipt = make_receipt(state=State.PARKED)
    assert signed_in(viewer).post(button(receipt)).status_code == 403
    assert again(receipt)[0] == State.PARKED
