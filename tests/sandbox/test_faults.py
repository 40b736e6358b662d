import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.sandbox.driver import READ


@pytest.fixture(scope="module")
def application(running):
    """One application for all tests here; each test has a token of its own."""
    return running.application()


@pytest.fixture(scope="module")
def store(running, application):
    """A store of 30 products, connected as `my-store`: three pages of ten."""
    store = running.new_store(brand="Great Shoes", products=30)
    application.connect(store, brand="Great Shoes", who="shoes")
    return store


@pytest.fixture
def token(sandbox, application):
    return application.own_token()


@pytest.fixture
def page(application, store, token):
    """Ask for a page of ten."""
    return lambda **query: application.summaries(token, limit=10, **query)


def test_unauthorized_hits_once_and_leaves_the_token_good(sandbox, page):
    sandbox.fault("unauthorized")
    assert [page().status_code, page().status_code] == [401, 200]


def test_expire_token_ends_the_presented_token_for_good(sandbox, application, page):
    sandbox.fault("expire_token")
    assert [page().status_code, page().status_code] == [401, 401]
    assert application.summaries(application.own_token()).status_code == 200


def test_rate_limited_says_when_to_come_back_if_told_to(sandbox, page):
    sandbox.fault("rate_limited", retry_after=7)
    sandbox.fault("rate_limited")
    first, second, third = page(), page(), page()
    assert [(a.status_code, a.headers.get("Retry-After")) for a in (first, second, third)] == [
        (429, "7"),
        (429, None),
        (200, None),
    ]


def test_server_error_answers_500_in_the_vendors_words(sandbox, page):
    sandbox.fault("server_error")
    answer = page()
    assert (answer.status_code, answer.json()) == (500, {"message": "Internal server error", "details": []})


def test_slow_waits_and_then_answers_as_usual(sandbox, page):
    sandbox.fault("slow", delay=0.4)
    began = time.monotonic()
    answer = page()
    assert answer.status_code == 200
    assert time.monotonic() - began >= 0.4


def test_a_slow_call_does_not_hold_up_others(sandbox, application, store, token):
    sandbox.fault("slow", delay=1.5)
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(requests.get, sandbox.url + "/v1/ping", timeout=10)
        while sandbox.control("GET", "state").json()["faults"]:
            time.sleep(0.01)
        assert application.ping(token).status_code == 200
        assert not slow.done()


def test_cut_off_json_is_half_a_body_of_the_right_type(sandbox, page):
    sandbox.fault("cut_off_json")
    answer = page()
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
    assert page().text.startswith(answer.text[:-1])
    with pytest.raises(requests.JSONDecodeError):
        answer.json()


def test_cut_off_json_waits_for_an_answer_with_a_body(sandbox, application):
    other = sandbox.new_store(brand="Great Shoes")
    sandbox.fault("cut_off_json")
    application.connect(other, brand="Great Shoes", who="shoes", store_id="other-store")
    assert [fault["kind"] for fault in sandbox.control("GET", "state").json()["faults"]] == ["cut_off_json"]


def test_html_page_is_a_web_page_with_status_200(sandbox, page):
    sandbox.fault("html_page")
    answer = page()
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")


def test_repeated_page_gives_the_previous_page_with_the_token_it_had(sandbox, page):
    first = page().json()
    second = page(token=first["offsetToken"]).json()
    sandbox.fault("repeated_page")
    assert page().json() == first
    assert page(token=second["offsetToken"]).json() == second
    assert page(token=second["offsetToken"]).json()["items"] != second["items"]


def test_short_page_is_short_and_its_token_is_right(sandbox, store, page):
    sandbox.fault("short_page")
    short = page().json()
    assert len(short["items"]) == 5
    following = page(token=short["offsetToken"]).json()
    assert short["items"] + following["items"] == sandbox.truth(store)[:15]


def test_missing_pages_end_the_list_early(sandbox, page):
    sandbox.fault("missing_pages")
    assert [sorted(page().json()), sorted(page().json())] == [["items"], ["items", "offsetToken"]]


def test_page_faults_wait_for_a_page_that_they_can_spoil(sandbox, application, store, token):
    for kind in ("short_page", "missing_pages", "repeated_page"):
        sandbox.fault(kind)
    assert application.summaries(token, limit=100).json() == {"items": sandbox.truth(store)}
    assert len(sandbox.control("GET", "state").json()["faults"]) == 3


def test_bad_item_lacks_what_identifies_it(sandbox, store, page):
    sandbox.fault("bad_item")
    items, truth = page().json()["items"], sandbox.truth(store)
    assert items[5] == {name: value for name, value in truth[5].items() if name not in ("id", "externalId", "name")}
    assert items[:5] + items[6:] == truth[:5] + truth[6:10]


def test_page_faults_hit_the_lists_of_the_organization_too(sandbox, application):
    token = application.user_token("hats", scope=READ)
    sandbox.fault("short_page")
    sandbox.fault("bad_item")
    path = "/organization/v1/organization/brands?limit=2"
    body = application.call("GET", path, token=token).json()
    assert body["items"] == [{}]
    assert "offsetToken" in body


def test_deny_consent_turns_an_approval_into_a_refusal(sandbox, application):
    sandbox.fault("deny_consent")
    assert application.consent()["error"] == "access_denied"
    assert sorted(application.consent()) == ["code", "iss", "state"]


def test_wrong_iss_and_wrong_state_spoil_the_redirect(sandbox, application):
    sandbox.fault("wrong_iss")
    sandbox.fault("wrong_state")
    answer = application.consent()
    assert answer["iss"] == "https://somebody-else.example"
    assert answer["state"] != "a state/+&"


def test_invalid_grant_refuses_a_good_code_and_leaves_it_good(sandbox, application):
    code = application.consent()["code"]
    sandbox.fault("invalid_grant")
    assert application.exchange(code).json()["error"] == "invalid_grant"
    assert application.exchange(code).status_code == 200


def test_missing_refresh_leaves_the_refresh_token_out(sandbox, application):
    sandbox.control("PATCH", "switches", json={"refresh_tokens": True})
    sandbox.fault("missing_refresh")
    answers = [application.exchange(application.consent()["code"]).json() for _ in range(2)]
    assert ["refresh_token" in answer for answer in answers] == [False, True]


def test_without_a_path_the_token_endpoint_and_the_pages_are_spared(sandbox, application):
    sandbox.fault("server_error")
    assert application.own_token()
    assert sandbox.ask("GET", "/v1/auth/login").status_code == 200
    assert sandbox.ask("GET", "/v1/ping").status_code == 500


def test_a_path_picks_the_calls(sandbox, application, page):
    sandbox.fault("server_error", path="/v1/auth/token")
    assert page().status_code == 200
    answers = [application.token_request(grant_type="client_credentials", scope="ping") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [500, 200]


def test_a_fault_cannot_shut_out_the_control_endpoint(sandbox):
    sandbox.fault("server_error", path="/", times=None)
    assert sandbox.ask("GET", "/v1/ping").status_code == 500
    assert sandbox.control("DELETE", "faults").status_code == 204
    assert sandbox.ask("GET", "/v1/ping").status_code == 401


def test_times_counts_down_and_null_stays_until_lifted(sandbox, page):
    sandbox.fault("unauthorized", times=2)
    assert [page().status_code for _ in range(3)] == [401, 401, 200]
    sandbox.fault("unauthorized", times=None)
    assert [page().status_code for _ in range(4)] == [401] * 4
    sandbox.control("DELETE", "faults")
    assert page().status_code == 200


def test_many_threads_use_a_fault_up_exactly(sandbox, application, store, token):
    sandbox.fault("unauthorized", times=7)
    with ThreadPoolExecutor(16) as pool:
        statuses = list(pool.map(lambda _: application.ping(token).status_code, range(60)))
    assert sorted(statuses) == [200] * 53 + [401] * 7
