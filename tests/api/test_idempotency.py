"""`Idempotency-Key`: sent again, a write has its effect once (draft-ietf-httpapi-idempotency-key-header-07)."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from apps.accounts.models import Brand
from apps.api import idempotency, tasks
from apps.api.models import Answer
from apps.audit.models import Entry
from tests.api.conftest import bearer
from tests.concurrency import at_once, in_thread
from tests.factories import make_access_token, make_authorization, make_key, make_partner_integration

JSON = "application/json"
KEY = {"Idempotency-Key": "5f1c"}


def write(client: Client, text: str = "a", headers: dict[str, str] = KEY, address: str = "/api/notes", **more):
    return client.post(address, {"text": text} | more, content_type=JSON, headers=headers)


def test_the_same_call_again_gets_the_same_answer_and_does_nothing(calls):
    first, again = write(calls), write(calls)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    assert ("Idempotency-Replayed" in first.headers, again.headers["Idempotency-Replayed"]) == (False, "true")
    assert (Brand.objects.count(), Entry.objects.count(), Answer.objects.count()) == (1, 1, 1)


def test_an_answer_without_a_body_is_given_again_without_one(calls):
    first, again = (calls.delete("/api/notes", headers=KEY) for _ in range(2))
    assert (first.status_code, again.status_code, again.content) == (204, 204, b"")
    assert again.headers["Idempotency-Replayed"] == "true"


def test_a_call_that_needs_no_body_may_still_bring_no_more_than_a_mebibyte_of_one(calls):
    answer = calls.delete("/api/notes", b"x" * (1024 * 1024 + 1), content_type=JSON, headers=KEY)
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


def test_without_a_key_each_call_counts(calls):
    write(calls, headers={})
    write(calls, headers={})
    assert (Brand.objects.count(), Answer.objects.count()) == (2, 0)


def test_with_another_key_it_is_another_call(calls):
    write(calls)
    write(calls, headers={"Idempotency-Key": "other"})
    assert Brand.objects.count() == 2


def test_the_key_with_another_request_is_refused(calls):
    write(calls)
    for answer in (write(calls, text="b"), write(calls, address="/api/notes?x=1"), write(calls, address="/api/open")):
        assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert calls.delete("/api/notes", headers=KEY).status_code == 422
    assert Brand.objects.count() == 1


def test_what_fails_is_undone_not_kept_and_can_be_tried_again(calls):
    assert write(calls, more="fails").status_code == 409
    assert (Brand.objects.count(), Answer.objects.count()) == (0, 0)
    assert write(calls).status_code == 201
    assert Brand.objects.count() == 1


@pytest.mark.parametrize("wrong", ["", "x" * 256, "é", "a\tb", "a\x7f"])
def test_a_key_that_is_none_is_refused(calls, wrong):
    answer = write(calls, headers={"Idempotency-Key": wrong})
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_request")
    assert not Brand.objects.exists()


def test_the_longest_key_is_taken(calls):
    assert write(calls, headers={"Idempotency-Key": "~ " * 127 + "x"}).status_code == 201


def test_reading_ignores_the_key(calls):
    assert [calls.get("/api/notes", headers=KEY).status_code for _ in range(2)] == [200, 200]
    assert not Answer.objects.exists()


def test_another_caller_with_the_same_key_and_body_is_told_nothing(calls):
    secret = write(calls).json()
    other = write(Client(headers=bearer(make_key())))
    assert other.status_code == 201
    assert other.json()["id"] != secret["id"]


def test_two_shops_of_one_application_are_two_callers(db, sampled):
    integration = make_partner_integration()
    consents = [make_authorization(integration=integration) for _ in range(2)]
    one, other = (Client(headers=bearer(make_access_token(authorization=consent))) for consent in consents)
    assert write(one).json()["id"] != write(other).json()["id"]


def test_refreshed_a_token_is_still_the_same_caller(db, sampled):
    consent = make_authorization()
    old, new = (Client(headers=bearer(make_access_token(authorization=consent))) for _ in range(2))
    assert write(old).json() == write(new).json()


def test_callers_without_a_credential_are_told_apart_by_their_address(db, sampled):
    first = write(Client(), address="/api/open")
    again, elsewhere = write(Client(), address="/api/open"), write(Client(REMOTE_ADDR="192.0.2.7"), address="/api/open")
    assert [one.headers.get("Idempotency-Replayed") for one in (first, again, elsewhere)] == [None, "true", None]


def test_the_answer_is_sealed(calls):
    write(calls, text="not to be read")
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(a)::text FROM api_answer a")
        stored = cursor.fetchone()[0]
    assert "shown once" not in stored and "not to be read" not in stored
    assert Answer.objects.get().body()["secret"] == "shown once"


def test_after_seven_days_a_key_is_as_new(calls):
    write(calls)
    Answer.objects.update(created_at=timezone.now() - timedelta(days=7, seconds=1))
    assert write(calls, text="b").status_code == 201
    assert (Brand.objects.count(), Answer.objects.count()) == (2, 1)


def test_old_answers_are_forgotten_and_young_ones_kept(calls):
    write(calls)
    write(calls, headers={"Idempotency-Key": "old"})
    Answer.objects.filter(key="old").update(created_at=timezone.now() - idempotency.KEPT - timedelta(seconds=1))
    assert tasks.forget_old_answers() == 1
    assert Answer.objects.get().key == "5f1c"


@pytest.mark.django_db(transaction=True)
def test_while_the_first_is_at_work_the_second_is_told_to_wait(calls, key):
    with ThreadPoolExecutor(1) as pool:
        first = in_thread(pool, lambda: write(calls, more="waits"))
        while not _is_claimed():
            pass
        second = write(Client(headers=bearer(key)), more="waits")
        assert first.result().status_code == 201
    assert (second.status_code, second.json()["code"]) == (409, "idempotency_key_in_use")
    assert second.headers["Retry-After"] == "1"
    assert write(calls, more="waits").content == first.result().content
    assert Brand.objects.count() == 1


def _is_claimed() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted")
        return cursor.fetchone()[0] > 0


@pytest.mark.django_db(transaction=True)
def test_of_eight_at_once_one_has_an_effect_and_nobody_another_answer(key, sampled):
    answers = at_once(8, lambda: write(Client(headers=bearer(key))))
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.content for answer in answers if answer.status_code == 201}) == 1
    assert (Brand.objects.count(), Answer.objects.count(), Entry.objects.count()) == (1, 1, 1)


def test_an_answer_may_hold_what_only_the_renderer_knows(calls, monkeypatch):
    answer = write(calls, text="id is a UUID object in the view")
    assert Answer.objects.get().body() == answer.json()
