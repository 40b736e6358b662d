"""A bucket lets through its burst and its rate, exactly, whoever asks at once."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import F
from django.test import Client
from django.utils import timezone

from apps.api import limits, tasks
from apps.api.errors import Problem
from apps.api.limits import Rate, spend, spend_all
from apps.api.models import Usage
from tests.api.conftest import bearer
from tests.concurrency import in_thread
from tests.factories import make_access_token, make_authorization, make_partner_integration, make_shop

SLOW = Rate(1 / 3600, 50)


def is_let_through(rates: dict[str, Rate]) -> bool:
    with suppress(Problem):
        return bool(spend_all(rates))
    return False


def many(count: int, threads: int, rates: dict[str, Rate]) -> list[bool]:
    """How `count` calls in so many threads fared."""
    with ThreadPoolExecutor(threads) as pool:
        each = [
            in_thread(pool, lambda: [is_let_through(rates) for _ in range(count // threads)]) for _ in range(threads)
        ]
    return [passed for future in each for passed in future.result()]


@pytest.mark.django_db(transaction=True)
def test_400_at_once_get_exactly_the_burst():
    assert sum(many(400, 8, {"a": SLOW})) == 50
    assert Usage.objects.get().calls == 400


@pytest.mark.django_db(transaction=True)
def test_under_steady_fire_no_more_pass_than_burst_and_rate_allow():
    rate, began = Rate(50, 20), time.monotonic()
    passed = sum(many(400, 8, {"a": rate}))
    took = time.monotonic() - began
    assert 20 <= passed <= 20 + 50 * took


def test_what_is_left_and_when_more_is_are_told(db):
    left = spend("a", rate=Rate(2, 3))
    assert left.headers == {"RateLimit-Limit": "3", "RateLimit-Remaining": "2", "RateLimit-Reset": "1"}


def test_an_empty_bucket_tells_when_to_come_back(db):
    rate = Rate(1 / 60, 1)
    spend("a", rate=rate)
    with pytest.raises(Problem) as error:
        spend("a", rate=rate)
    assert 59 <= int(error.value.headers["Retry-After"]) <= 60
    assert error.value.headers["RateLimit-Remaining"] == "0"
    assert error.value.status == 429


def test_a_bucket_fills_again_and_never_over(db):
    rate = Rate(1, 10)
    assert [is_let_through({"a": rate}) for _ in range(12)] == [True] * 10 + [False] * 2
    Usage.objects.update(last_at=F("last_at") - timedelta(seconds=3.5))
    assert [is_let_through({"a": rate}) for _ in range(4)] == [True] * 3 + [False]
    Usage.objects.update(last_at=F("last_at") - timedelta(days=3))
    assert sum(is_let_through({"a": rate}) for _ in range(20)) == 10


def test_a_clock_that_was_set_back_gives_nothing_away_and_locks_nobody_out(db):
    rate = Rate(1, 10)
    assert sum(is_let_through({"a": rate}) for _ in range(20)) == 10
    Usage.objects.update(last_at=F("last_at") + timedelta(hours=5))
    assert not is_let_through({"a": rate})
    Usage.objects.update(last_at=F("last_at") - timedelta(seconds=5))
    assert sum(is_let_through({"a": rate}) for _ in range(20)) == 5


def test_a_call_that_began_earlier_and_comes_later_refills_nothing_twice(db):
    rate, ahead = Rate(1, 10), timezone.now() + timedelta(seconds=30)
    Usage.objects.create(key="a", level=5, last_at=ahead)
    assert is_let_through({"a": rate})
    assert Usage.objects.values_list("level", "last_at").get() == (4.0, ahead)


def test_of_two_buckets_the_second_keeps_what_the_first_refuses(db, django_assert_num_queries):
    with django_assert_num_queries(1):
        assert spend_all({"shop": Rate(1 / 3600, 2), "app": SLOW}).rate.burst == 2
    passed = [is_let_through({"shop": Rate(1 / 3600, 2), "app": SLOW}) for _ in range(5)]
    assert passed == [True, False, False, False, False]
    assert round(Usage.objects.get(key="app").level) == 48
    spend("app", rate=Rate(1 / 3600, 48))


def test_the_second_bucket_refuses_too(db):
    rates = {"shop": SLOW, "app": Rate(1 / 3600, 2)}
    assert [is_let_through(rates) for _ in range(3)] == [True, True, False]


@pytest.mark.django_db(transaction=True)
def test_many_shops_of_one_application_never_lock_each_other_up():
    rates = [{f"shop:{n}": SLOW, "integration:1": Rate(1 / 3600, 40)} for n in range(4)]
    with ThreadPoolExecutor(4) as pool:
        each = [in_thread(pool, lambda own=own: [is_let_through(own) for _ in range(25)]) for own in rates]
    assert sum(sum(future.result()) for future in each) == 40


def test_callers_do_not_share(db):
    assert [is_let_through({key: Rate(1, 1)}) for key in "abab"] == [True, True, False, False]


def test_asking_whether_nothing_is_left_counts_nothing(db):
    rate = Rate(1 / 3600, 1)
    assert not limits.is_exhausted("a", rate=rate)
    spend("a", rate=rate)
    assert limits.is_exhausted("a", rate=rate)
    assert Usage.objects.get().calls == 1


def test_usage_of_many_is_one_query(db, django_assert_num_queries):
    for key in "abc":
        spend(key, rate=SLOW)
    with django_assert_num_queries(1):
        assert {key: usage.calls for key, usage in limits.usage_of(["a", "b", "z"]).items()} == {"a": 1, "b": 1}


def test_addresses_are_forgotten_after_a_day_and_callers_after_400(db):
    ages = {"ip:1": 2, "registration:1": 2, "shop:1": 2, "ip:2": 0, "key:1": 399, "integration:1": 2, "client:1": 401}
    for key, days in ages.items():
        Usage.objects.create(key=key, level=1, last_at=timezone.now() - timedelta(days=days))
    assert tasks.forget_old_usage() == 4
    assert set(Usage.objects.values_list("key", flat=True)) == {"ip:2", "key:1", "integration:1"}


def limited(monkeypatch: Any, **rates: Rate) -> None:
    for name, rate in rates.items():
        monkeypatch.setattr(limits, name, rate)


def test_a_caller_over_its_limit_gets_429_with_the_time_to_wait(calls, monkeypatch):
    limited(monkeypatch, CALLS=Rate(1 / 60, 2))
    answers = [calls.get("/api/notes") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert [answer.headers["RateLimit-Remaining"] for answer in answers] == ["1", "0", "0"]
    assert answers[2].json()["code"] == "rate_limited"
    assert 59 <= int(answers[2].headers["Retry-After"]) <= 60


def test_calls_that_are_refused_count_too(calls, monkeypatch):
    limited(monkeypatch, CALLS=Rate(1 / 60, 2))
    assert [calls.get("/api/unruled").status_code for _ in range(3)] == [403, 403, 429]


def test_a_busy_shop_takes_nothing_from_another_of_its_application(db, sampled, monkeypatch):
    limited(monkeypatch, CALLS=Rate(1 / 60, 4), CALLS_OF_A_SHOP=Rate(1 / 60, 2))
    integration = make_partner_integration()
    shops = [
        make_shop(integration=integration, authorization=make_authorization(integration=integration)) for _ in "ab"
    ]
    busy, calm = (Client(headers=bearer(make_access_token(authorization=shop.authorization))) for shop in shops)
    assert [busy.get("/api/notes").status_code for _ in range(9)] == [200] * 2 + [429] * 7
    assert [calm.get("/api/notes").status_code for _ in range(3)] == [200, 200, 429]


def test_wrong_credentials_lock_out_wrong_credentials_of_that_address_alone(calls, key, monkeypatch):
    limited(monkeypatch, FAILURES=Rate(1 / 60, 3))
    wrong = [calls.get("/api/notes", headers=bearer("wrong")) for _ in range(4)]
    assert [answer.status_code for answer in wrong] == [401, 401, 401, 429]
    assert calls.get("/api/notes", headers=bearer("wrong"), REMOTE_ADDR="192.0.2.7").status_code == 401
    assert calls.get("/api/notes").status_code == 200


@pytest.mark.django_db(transaction=True)
def test_spending_holds_no_lock_longer_than_its_statement():
    spend("a", rate=SLOW)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE relation = 'api_usage'::regclass")
        assert cursor.fetchone() == (0,)
