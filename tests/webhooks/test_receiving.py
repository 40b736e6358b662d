"""Receiving: what of a webhook is stored, and what never is."""

from contextlib import suppress
from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone

from apps.integrations.models import Integration
from apps.syncs.tasks import open_receipts
from apps.webhooks import inboxes, receiving
from apps.webhooks.models import Inbox, Receipt
from tests.concurrency import at_once
from tests.factories import make_integration, make_receipt, make_warehouse

from .sending import message, stock_of

State = Receipt.State
HAT = stock_of("HAT-1", 5, version=3)


def states() -> list[tuple[str, str]]:
    return list(Receipt.objects.order_by("received_at").values_list("state", "error"))


def test_a_webhook_is_stored_as_it_came_before_anything_acts_on_it(warehouse):
    sent = message(warehouse, HAT, delivery="d-1")
    assert (sent.send().status_code, sent.send().json()) == (200, {"received": True})
    receipt = Receipt.objects.get()
    assert (receipt.state, receipt.remote_id, receipt.event_type) == (State.RECEIVED, "d-1", "inventory_levels.update")
    assert (receipt.organization, receipt.integration) == (warehouse.organization, warehouse.integration)
    assert (receipt.shop_ref, bytes(receipt.body), receipt.tries) == (warehouse.ext_shop_id, sent.body, 0)
    assert receipt.headers == {name.lower(): value for name, value in sent.headers.items()} | {
        "content-type": "application/json"
    }


def test_no_login_or_cookie_of_a_sender_is_kept(warehouse):
    message(warehouse, HAT).send(Authorization="Bearer abc", Cookie="a=b")
    assert {"authorization", "cookie"} & set(Receipt.objects.get().headers) == set()


def test_wi_04_a_repeated_delivery_is_answered_alike_and_counted(warehouse):
    sent = message(warehouse, HAT)
    assert [sent.send().status_code for _ in range(3)] == [200] * 3
    assert Receipt.objects.get().repeats == 2


@pytest.mark.django_db(transaction=True)
def test_wi_04_of_many_parallel_duplicates_one_is_stored(pio):
    warehouse = make_warehouse()
    sent = message(warehouse, HAT)
    answers = at_once(8, lambda: sent.send(Client()).status_code)
    assert answers == [200] * 8
    assert Receipt.objects.get().repeats == 7


def test_the_same_delivery_id_at_another_warehouse_is_another_delivery(warehouse):
    other = make_warehouse()
    for one in (warehouse, other):
        message(one, HAT, delivery="d-1").send()
    assert Receipt.objects.filter(remote_id="d-1", repeats=0).count() == 2


def test_a_refused_delivery_does_not_stand_in_the_way_of_the_true_one(warehouse):
    sent = message(warehouse, HAT)
    assert sent.send(body=sent.body + b" ").status_code == 401
    assert sent.send().status_code == 200
    assert states() == [(State.REJECTED, "bad_signature"), (State.RECEIVED, "")]


def test_wi_01_what_is_forged_is_refused_and_noted_but_never_opened(warehouse):
    forged = message(warehouse, HAT, secret="somebody-elses")
    answer = forged.send()
    assert (answer.status_code, answer.json()["code"]) == (401, "bad_signature")
    receipt = Receipt.objects.get()
    assert (receipt.state, receipt.remote_id, receipt.detail) == (State.REJECTED, "", "The signature does not fit.")
    assert Receipt.objects.claim(most=10) == []


def test_wi_01_one_of_another_organizations_inbox_is_refused_by_what_it_says_of_its_shop(warehouse):
    """All inboxes of a connector share its client secret: the signature holds, the shop is not this inbox's."""
    other = make_warehouse()
    sent = message(other, HAT, shop=warehouse.ext_shop_id)
    assert sent.send().status_code == 200
    assert Receipt.objects.get().organization == other.organization  # opening finds no such shop there, and parks it


def test_wi_02_no_header_and_no_body_is_worth_more_than_a_401(warehouse):
    path = f"/receive/{warehouse.integration.inbox.token}"
    for body in (b"", b"\xff\xfe", b"{", b"null"):
        for headers in ({}, {"X-Pio-Hmac-Sha256": "%%%"}, {"X-Pio-Timestamp": "soon"}):
            assert Client().post(path, body, content_type="text/plain", headers=headers).status_code == 401


def test_wi_03_a_delivery_of_yesterday_is_a_retry_and_one_of_last_week_a_replay(warehouse):
    now = timezone.now().timestamp()
    answers = [message(warehouse, HAT, at=now - hours * 3600).send().status_code for hours in (24, 24 * 7)]
    assert answers == [200, 401]


def test_wi_10_while_a_secret_is_replaced_both_are_accepted(warehouse, settings):
    known = settings.CONNECTOR_ENVIRONMENT["pio"] | {"CLIENT_SECRET": "new", "FORMER_SECRET": "former"}
    settings.CONNECTOR_ENVIRONMENT = settings.CONNECTOR_ENVIRONMENT | {"pio": known}
    answers = [message(warehouse, HAT, secret=secret).send().status_code for secret in ("new", "former", "other")]
    assert answers == [200, 200, 401]


def test_a_content_type_does_not_matter_for_the_bytes_are_signed(warehouse):
    for content_type in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""):
        assert message(warehouse, HAT).send(content_type=content_type).status_code == 200


@pytest.mark.parametrize("path", ["/receive/{}", "/receive/from/otter"])
def test_a_body_that_does_not_say_how_long_it_is_is_not_taken_for_an_empty_one(warehouse, otter, path):
    path = path.format(warehouse.integration.inbox.token)
    answer = Client().post(path, CONTENT_LENGTH="", headers={"Transfer-Encoding": "chunked"})
    assert (answer.status_code, answer.json()) == (
        411,
        {"code": "length_required", "message": "Send the length of the body."},
    )
    assert states() == []


def test_a_huge_body_is_refused_and_not_kept(warehouse, settings):
    answer = message(warehouse, b"x" * (settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)).send()
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert message(warehouse, b"x" * settings.DATA_UPLOAD_MAX_MEMORY_SIZE).send().status_code == 200
    assert Receipt.objects.count() == 1


def test_an_address_nobody_was_given_receives_nothing(warehouse):
    for token in ("unknown", warehouse.integration.inbox.token + "x", "%00"):
        answer = Client().post(f"/receive/{token}", b"{}", content_type="application/json")
        assert answer.status_code in {400, 404}  # 400 for what PostgreSQL could not even look for
    assert Receipt.objects.count() == 0


def test_an_inbox_of_a_connector_that_sends_nothing_receives_nothing(db):
    inbox = inboxes.inbox_of(make_integration())
    assert Client().post(f"/receive/{inbox.token}", b"{}", content_type="application/json").status_code == 404


def test_only_posting_is_receiving(warehouse):
    assert Client().get(f"/receive/{warehouse.integration.inbox.token}").status_code == 405


def test_no_session_and_no_form_token_is_needed_or_made(warehouse):
    answer = message(warehouse, HAT).send(Client(enforce_csrf_checks=True))
    assert (answer.status_code, dict(answer.cookies)) == (200, {})


def test_what_comes_while_an_integration_or_its_organization_is_switched_off_is_stored_and_waits(warehouse):
    integration, organization = warehouse.integration, warehouse.organization
    Integration.objects.filter(pk=integration.pk).update(state=Integration.State.DISABLED)
    assert message(warehouse, HAT).send().status_code == 200
    assert Receipt.objects.claim(most=1) == []
    Integration.objects.filter(pk=integration.pk).update(state=Integration.State.CONNECTED)
    type(organization).objects.filter(pk=organization.pk).update(is_active=False)
    assert Receipt.objects.claim(most=1) == []
    type(organization).objects.filter(pk=organization.pk).update(is_active=True)
    assert len(Receipt.objects.claim(most=1)) == 1


def test_an_attacker_cannot_fill_the_table(warehouse, monkeypatch):
    monkeypatch.setattr(receiving, "REFUSED_A_MINUTE", 5)
    forged = message(warehouse, b"x" * 5_000, secret="guessed")
    assert [forged.send().status_code for _ in range(8)] == [401] * 8
    assert Receipt.objects.count() == 5
    assert {len(receipt.body) for receipt in Receipt.objects.all()} == {receiving.REFUSED_BODY}


def test_of_refused_ones_an_inbox_keeps_the_newest(warehouse, monkeypatch):
    monkeypatch.setattr(receiving, "REFUSED_KEPT", 3)
    long_ago = timezone.now() - timedelta(hours=1)
    old = [
        make_receipt(integration=warehouse.integration, state=State.REJECTED, received_at=long_ago) for _ in range(5)
    ]
    of_another = make_receipt(state=State.REJECTED)
    message(warehouse, HAT, secret="guessed").send()
    kept = Receipt.objects.filter(integration=warehouse.integration)
    assert (kept.count(), kept.exclude(pk__in=[receipt.pk for receipt in old]).count()) == (3, 1)
    assert Receipt.objects.filter(pk=of_another.pk).exists()


def test_wi_09_a_database_in_trouble_says_try_again_and_never_that_it_was_received(warehouse, monkeypatch):
    def broken(*args, **kwargs):
        raise OperationalError("the server closed the connection")

    monkeypatch.setattr(Inbox.objects, "select_related", broken)
    answer = message(warehouse, HAT).send()
    assert (answer.status_code, answer.json()["code"]) == (503, "try_again")


@pytest.mark.django_db(transaction=True)
def test_wi_09_what_came_while_the_database_was_down_lands_once_when_it_is_sent_again(pio):
    """Its server ends our connection, as it does when it is stopped."""
    sent = message(make_warehouse(), HAT)
    with connection.cursor() as cursor, suppress(OperationalError):
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    try:
        answer = sent.send()
        assert (answer.status_code, answer.json()["code"], answer["Retry-After"]) == (503, "try_again", "5")
    finally:
        connection.close()
    assert Receipt.objects.count() == 0
    assert [sent.send().status_code for _ in range(2)] == [200, 200]
    assert Receipt.objects.get().repeats == 1


def test_receiving_takes_the_same_few_statements_however_much_waits(warehouse, django_assert_num_queries):
    for _ in range(3):
        with django_assert_num_queries(6):  # the inbox; the limit; savepoint, insert, look for the same, release
            message(warehouse, HAT).send()


def test_the_bell_is_rung_once_a_new_one_is_stored(warehouse, monkeypatch, django_capture_on_commit_callbacks):
    rung = []
    monkeypatch.setattr(receiving.current_app, "send_task", lambda *args, **kwargs: rung.append(args[0]))
    sent = message(warehouse, HAT)
    for _ in range(2):
        with django_capture_on_commit_callbacks(execute=True):
            sent.send()
    assert rung == ["apps.syncs.tasks.open_receipts"]


def test_the_task_that_is_rung_for_is_there():
    assert open_receipts.name == receiving.OPEN


def test_an_integration_has_one_inbox_with_an_address_nobody_can_guess(warehouse, settings):
    inbox = inboxes.inbox_of(warehouse.integration)
    assert inboxes.inbox_of(warehouse.integration) == inbox
    made = inboxes.inbox_of(make_integration())
    assert len(made.token) >= 43
    assert inboxes.address_of(made) == f"{settings.PUBLIC_URL}/receive/{made.token}"
