"""Inboxes in the admin: set up for a custom integration, its secret shown once, and nobody else's address."""

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from apps.audit.models import Entry
from apps.webhooks.models import Inbox, Receipt
from tests.conftest import signed_in
from tests.factories import make_custom_integration, make_receipt, make_user, make_warehouse

from .custom import KEY, envelope, make_sender, message, told

BODY = envelope("order.created", {})
LIST = "/admin/webhooks/inbox/"


def deed(name, inbox):
    return reverse(f"admin:webhooks_inbox_{name}", args=[inbox.pk])


def secret_of(answer) -> str:
    return answer.context["secret"]


def test_staff_set_an_inbox_up_and_hand_its_secret_over(staff, staff_client):
    integration = make_custom_integration()
    answer = staff_client.post(LIST + "add/", {"integration": integration.pk, "scheme": "standard"})
    inbox = Inbox.objects.get(integration=integration)
    assert (answer.status_code, answer.context["address"].endswith(inbox.token)) == (200, True)
    assert told(message(integration, BODY, key=secret_of(answer))) == (200, "")
    page = staff_client.get(f"{LIST}{inbox.pk}/change/").content.decode()
    assert inbox.token in page and secret_of(answer) not in page
    assert Entry.objects.get(action="inbox.set_up").actor == staff.email


def test_terms_of_its_own_are_changed_and_the_secret_stays(staff_client):
    inbox = make_sender().inbox
    form = {"scheme": "hmac", "signatureHeader": "X-Sign", "encoding": "base64", "signed": ""}
    answer = staff_client.post(deed("set_up", inbox), form, follow=True)
    inbox.refresh_from_db()
    assert "Saved." in answer.content.decode()
    assert (inbox.scheme, inbox.terms["signature"], inbox.terms["encoding"]) == ("hmac", "X-Sign", "base64")
    assert [one.secrets["key"] for one in inbox.own_secrets.live()] == [KEY]


def test_terms_that_could_not_work_are_said_above_the_form(staff_client):
    inbox = make_sender().inbox
    answer = staff_client.post(deed("set_up", inbox), {"scheme": "hmac", "encoding": "hex"})
    assert (answer.status_code, "Name the header that has the signature." in answer.content.decode()) == (422, True)


def test_a_new_secret_is_shown_and_the_old_one_accepted_for_a_while(staff_client):
    sender = make_sender()
    answer = staff_client.post(deed("new_secret", sender.inbox), {"length": 1, "unit": "days"})
    for key in (KEY, secret_of(answer)):
        assert told(message(sender, BODY, key=key)) == (200, "")


def test_a_warehouses_address_is_shown_to_nobody_and_set_up_by_itself(pio, staff_client):
    inbox = make_warehouse().integration.inbox
    assert inbox.token not in staff_client.get(f"{LIST}{inbox.pk}/change/").content.decode()
    assert staff_client.post(deed("new_secret", inbox), {"length": 1, "unit": "days"}).status_code == 403


@pytest.mark.parametrize("name", ["set_up", "new_secret"])
def test_who_may_only_look_changes_nothing(db, settings, name):
    settings.DEMO = True
    inbox = make_sender().inbox
    viewer = make_user(is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_inbox"))
    browser = signed_in(viewer)
    assert browser.get(f"{LIST}{inbox.pk}/change/").status_code == 200
    assert browser.post(deed(name, inbox), {"scheme": "standard"}).status_code == 403
    assert browser.get(LIST + "add/").status_code == 403


def test_a_refused_message_is_listed_with_its_reason(staff_client):
    make_receipt(state=Receipt.State.REJECTED, error="bad_time", remote_id="")
    assert "bad_time" in staff_client.get("/admin/webhooks/receipt/?state__exact=rejected").content.decode()
