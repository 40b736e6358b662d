"""Whatever goes wrong is one and the same kind of answer."""

from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus

import pytest
from django.db import transaction
from django.test import Client

from apps.accounts.models import Brand
from apps.api.errors import CODES
from apps.api.tokens import new_token
from tests.api.conftest import bearer
from tests.concurrency import in_thread

JSON = "application/json"
NOWHERE = ["", "nothing", "v1/", "v1/ping/", "v1/Ping", "v2/ping", "../api/x", "%00", "é", "a//b", "a%0Ab", "%FF%FE"]


@pytest.mark.parametrize(
    ("how", "status", "code"),
    [
        ("unexpected", 500, "internal_error"),
        ("assertion", 500, "internal_error"),
        ("broken", 500, "internal_error"),
        ("unrenderable", 500, "internal_error"),
        ("missing", 404, "not_found"),
        ("denied", 403, "forbidden"),
        ("suspicious", 400, "malformed_request"),
        ("not_parsed", 400, "malformed_request"),
        ("cut", 400, "malformed_request"),
        ("locked", 503, "try_again"),
        ("closed", 503, "try_again"),
        ("throttled", 500, "internal_error"),
        ("twice", 409, "conflict"),
    ],
)
def test_an_exception_is_a_problem_that_tells_nothing_of_ours(calls, how, status, code):
    answer = calls.post(f"/api/fail?how={how}", {}, content_type=JSON)
    assert answer.json() == {
        "type": f"http://testserver/api/errors#{code}",
        "title": CODES[code][1],
        "status": status,
        "detail": answer.json()["detail"],
        "code": code,
        "message": answer.json()["detail"],
        "details": [],
        "request_id": answer.headers["X-Request-Id"],
    }
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/problem+json")
    assert answer.headers["Cache-Control"] == "no-store"
    assert "secret" not in answer.content.decode()


def test_a_problem_says_what_its_raiser_said_and_brings_its_headers(calls):
    answer = calls.get("/api/fail?how=problem")
    assert (answer.status_code, answer.headers["Retry-After"]) == (502, "7")
    assert (answer.json()["title"], answer.json()["detail"]) == (CODES["platform_failed"][1], "They said no.")


def test_each_wrong_attribute_is_named_by_its_path(calls):
    answer = calls.get("/api/fail?how=nested").json()
    assert answer["details"] == [
        {"attribute": "lines[1].sku", "message": "Too long."},
        {"attribute": "lines[1].sku", "message": "Odd."},
        {"attribute": "name", "message": "Missing."},
    ]
    assert answer["message"] == "lines[1].sku: Too long.; lines[1].sku: Odd.; name: Missing."


@pytest.mark.django_db(transaction=True)
def test_a_lock_that_is_not_given_in_time_is_a_call_to_be_sent_again(calls):
    with transaction.atomic(), ThreadPoolExecutor(1) as pool:
        Brand.objects.count()  # holds a lock that is in the way of the other's
        answer = in_thread(pool, lambda: calls.post("/api/fail?how=waits", {}, content_type=JSON)).result()
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert answer.json()["code"] == "try_again"


@pytest.mark.parametrize("language", ["nl", "nl-BE,nl;q=0.9", "de", "*", "\xff"])
def test_texts_are_english_for_everybody(calls, language):
    calls.cookies["crossdock_language"] = "nl"
    answer = calls.post("/api/notes", {}, content_type=JSON, headers={"Accept-Language": language})
    assert answer.json()["message"] == "text: This field is required."
    assert answer.headers["Content-Language"] == "en"


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "nonsense", "", "text/html;q=1,*/*;q=0"])
def test_the_form_is_the_same_whatever_is_asked_for(calls, accept):
    for address, status, kind in [
        ("/api/notes", 200, "application/json"),
        ("/api/nothing", 404, "application/problem+json"),
        ("/api/notes?format=xml", 200, "application/json"),
    ]:
        answer = calls.get(address, headers={"Accept": accept})
        assert (answer.status_code, answer.headers["Content-Type"]) == (status, kind)


@pytest.mark.parametrize("address", NOWHERE)
@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete", "head", "options", "trace"])
def test_an_address_that_is_none_answers_that(db, address, method):
    answer = getattr(Client(enforce_csrf_checks=True), method)(f"/api/{address}")
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.status_code == (400 if address == "%00" else 404)
    assert method == "head" or answer.json()["status"] == answer.status_code
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("address", ["/api/v1/ping?a=%00", "/api/v1/ping?%00"])
def test_what_is_refused_before_any_view_is_a_problem_too(db, address):
    answer = Client().get(address)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_request")


def test_a_foreign_host_is_refused_as_one(db, settings):
    settings.ALLOWED_HOSTS = ["testserver"]
    answer = Client().get("/api/v1/ping", headers={"Host": "evil.example"})
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_request")
    assert "evil" not in answer.content.decode()


def test_a_page_that_fails_is_still_a_page(owner_client):
    assert owner_client.get("/team/?a=%00").headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize(("who", "way_out"), [("owner_client", "/"), ("staff_client", "/admin/"), ("client", "/")])
def test_a_page_that_is_not_there_leads_to_where_one_works(who, way_out, db, request):
    answer = request.getfixturevalue(who).get("/nowhere/")
    assert answer.status_code == 404
    assert f'<a class="button" href="{way_out}">' in answer.text
    assert ("Your stores" in answer.text) == (way_out == "/")


def test_the_message_names_no_reason_for_a_wrong_credential(db):
    wrong = [{}, bearer(""), bearer("x"), bearer(new_token("xdi")), bearer(new_token("xda")), {"X-Api-Key": "x"}]
    wrong += [{"Authorization": text} for text in ("Basic", "Basic x", "Basic eA==", "Digest a=1,b=2", "Bearer", "x")]
    answers = [Client().get("/api/v1/ping", headers=headers) for headers in wrong]
    bodies = [answer.json() | {"request_id": ""} for answer in answers]
    assert bodies == [bodies[0]] * len(wrong)
    assert {answer.status_code for answer in answers} == {401}
    assert {answer.headers["WWW-Authenticate"] for answer in answers} == {'Bearer realm="Crossdock"'}


def test_every_code_has_a_status_that_is_an_error_and_a_sentence():
    assert [code for code, (status, _) in CODES.items() if HTTPStatus(status).is_success] == []
    assert [title for _, title in CODES.values() if not title.endswith(".")] == []
