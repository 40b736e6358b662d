"""What every call has in common, whatever it does."""

import pytest
from django.test import Client

from apps.accounts.models import Brand
from apps.audit.models import Entry
from apps.integrations.models import ApiKey
from tests.api.conftest import basic, bearer
from tests.factories import make_access_token, make_key, make_member, make_partner

JSON = "application/json"


def write(client: Client, **more):
    return client.post("/api/notes", {"text": "a"} | more, content_type=JSON)


def entries() -> list[tuple[str, str, str]]:
    return list(Entry.objects.order_by("id").values_list("action", "outcome", "reason"))


def test_a_write_leaves_one_entry_with_who_it_was_and_from_where(calls):
    answer = write(calls)
    key, entry = ApiKey.objects.get(), Entry.objects.get()
    assert (entry.action, entry.outcome, entry.request_id) == (
        "POST /api/notes",
        "done",
        answer.headers["X-Request-Id"],
    )
    assert (entry.organization_id, entry.integration_id) == (key.organization_id, key.integration_id)
    assert (entry.actor, entry.address) == (f"Integration key {key}", "127.0.0.1")


def test_a_write_that_recorded_itself_leaves_no_second_entry(calls):
    write(calls, more="recorded")
    assert entries() == [("note.write", "done", "")]


def test_what_one_call_recorded_is_no_excuse_for_the_next(calls):
    write(calls, more="recorded")
    write(calls)
    assert entries() == [("note.write", "done", ""), ("POST /api/notes", "done", "")]


def test_a_write_that_failed_leaves_neither_its_work_nor_an_entry(calls):
    assert write(calls, more="fails").status_code == 409
    assert (Brand.objects.count(), entries()) == (0, [])


def test_reading_leaves_no_entry(calls):
    calls.get("/api/notes")
    assert entries() == []


@pytest.mark.parametrize("method", ["get", "post", "delete"])
def test_a_refused_call_leaves_one_entry(sampled, db, method):
    client = Client(headers=bearer(make_key(grants=[])))
    assert getattr(client, method)("/api/notes").status_code == 403
    assert entries() == [(f"{method.upper()} /api/notes", "refused", "insufficient_scope")]


def test_a_call_refused_in_the_middle_of_its_work_leaves_one_entry(calls):
    assert calls.post("/api/fail?how=denied", {}, content_type=JSON).status_code == 403
    assert entries() == [("POST /api/fail", "refused", "forbidden")]


def test_a_call_of_nobody_known_leaves_no_entry(sampled, db):
    Client().get("/api/notes")
    Client(headers=bearer("wrong")).get("/api/notes")
    assert entries() == []


@pytest.mark.parametrize("method", ["put", "patch", "options", "trace", "head_", "CONNECT"])
def test_a_method_that_is_not_offered_is_answered_with_those_that_are(calls, method):
    answer = calls.generic(method.upper(), "/api/notes", b"{}", content_type=JSON)
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "POST", "DELETE", "HEAD"}


@pytest.mark.parametrize("header", ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"])
def test_a_method_is_what_the_request_line_says(calls, header):
    Brand.objects.create(name="stays", organization=ApiKey.objects.get().organization)
    assert calls.post("/api/notes?_method=DELETE", {"text": "a"}, JSON, headers={header: "DELETE"}).status_code == 201
    assert calls.get("/api/notes?_method=DELETE", headers={header: "DELETE"}).json()["data"] == ["a", "stays"]


def test_nothing_is_kept_by_anybody_on_the_way(calls):
    for answer in (
        calls.get("/api/notes"),
        write(calls),
        calls.get("/api/nothing"),
        calls.get("/api/notes?per_page=0"),
    ):
        assert answer.headers["Cache-Control"] == "no-store"
        assert "Set-Cookie" not in answer.headers and not answer.cookies


def test_a_session_is_no_credential(owner_client, sampled):
    assert owner_client.get("/api/notes").status_code == 401


@pytest.mark.parametrize("name", ["access_token", "api_key", "client_secret"])
def test_a_credential_in_the_address_is_refused_even_when_right(sampled, key, name):
    for client in (Client(), Client(headers=bearer(key))):
        answer = client.get("/api/notes", {name: key})
        assert (answer.status_code, answer.json()["code"]) == (400, "credential_in_address")


def test_a_credential_in_the_body_is_none(sampled, key):
    form = "application/x-www-form-urlencoded"
    assert Client().post("/api/notes", f"text=a&access_token={key}", content_type=form).status_code == 401
    assert Client().post("/api/notes", {"text": "a", "access_token": key}, content_type=JSON).status_code == 401


@pytest.mark.parametrize("rows", [1, 3])
def test_credential_policy_and_limit_are_two_statements_for_each_kind(sampled, db, django_assert_num_queries, rows):
    for _ in range(rows):
        credentials = [
            bearer(make_access_token()),
            bearer(make_key()),
            bearer(make_key(user=make_member())),
            basic(make_partner().application.client_id),
        ]
    for headers in credentials:
        client = Client(headers=headers)
        with django_assert_num_queries(2):
            assert client.get("/api/open").status_code == 200


def test_every_answer_has_its_id_and_the_three_limits(calls):
    answer = calls.get("/api/notes")
    assert len(answer.headers["X-Request-Id"]) == 32
    assert {name for name in answer.headers if name.startswith("RateLimit-")} == {
        "RateLimit-Limit",
        "RateLimit-Remaining",
        "RateLimit-Reset",
    }
