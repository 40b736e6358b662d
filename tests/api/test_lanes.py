"""What the quick lanes have in common."""

from typing import Any

import pytest
from django.db import IntegrityError, OperationalError, connection, transaction
from django.http import HttpResponse
from django.test import RequestFactory

from apps.api import lanes
from apps.prepared import Statement

DIVIDED = Statement.of("SELECT 1 / %(n)s::integer")


def request(**options: Any) -> Any:
    return RequestFactory().post("/api/v1/orders", "{}", content_type="application/json", **options)


def test_what_was_learned_is_forgotten_when_it_is_too_much(monkeypatch):
    monkeypatch.setattr(lanes, "MOST_KNOWN", 2)
    known = lanes.Known()
    for digest in (b"a", b"b", b"c"):
        known[digest] = {"of": digest}
    assert known == {b"c": {"of": b"c"}}


def test_only_a_plain_call_is_for_a_quick_lane():
    odd = [
        request(headers={"Transfer-Encoding": "chunked"}),
        request(headers={"Content-Encoding": "gzip"}),
        request(query_params={"a": "b"}),
        RequestFactory().post("/api/v1/orders", "{}", content_type="text/plain"),
    ]
    assert [lanes.is_plain(one) for one in odd] == [False] * 4
    assert lanes.is_plain(request())


@pytest.mark.django_db(transaction=True)
def test_a_statement_that_divides_by_nothing_did_nothing():
    one, none = (DIVIDED, {"n": 1}), (DIVIDED, {"n": 0})
    assert lanes.attempt(one) == [[(1,)]]
    assert lanes.attempt(one, none, one) == [[], [], []]
    assert lanes.attempt(one, one) == [[(1,)], [(1,)]]


@pytest.mark.django_db(transaction=True)
def test_a_lost_connection_is_said_and_given_up(monkeypatch):
    def torn(*_given: Any, **_named: Any) -> None:
        raise OperationalError("gone")

    with monkeypatch.context() as patched:
        patched.setattr(lanes, "ask_all", torn)
        with pytest.raises(OperationalError):
            lanes.attempt((DIVIDED, {"n": 1}))
    assert connection.connection is None
    assert lanes.attempt((DIVIDED, {"n": 1})) == [[(1,)]]


@pytest.mark.django_db
def test_any_other_error_is_an_error():
    wrong = Statement.of("INSERT INTO accounts_organization (id) VALUES (gen_random_uuid())")
    with pytest.raises(IntegrityError), transaction.atomic():
        lanes.attempt((wrong, {}))


@pytest.mark.django_db(transaction=True)
def test_the_careful_lane_gets_what_the_quick_one_leaves():
    quick, careful = HttpResponse("quick"), HttpResponse("careful")
    view = lanes.quick_or_careful(lambda call: quick if "X-Quick" in call.headers else None, lambda call: careful)
    assert view(request(headers={"X-Quick": "1"})) is quick
    assert view(request()) is careful
    assert view(RequestFactory().get("/api/v1/orders", headers={"X-Quick": "1"})) is careful
    with transaction.atomic():
        assert view(request(headers={"X-Quick": "1"})) is careful
