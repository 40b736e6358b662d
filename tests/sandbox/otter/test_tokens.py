import base64
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote_plus

import pytest

from tests.sandbox.driver import CHALLENGE, INTEGRATE, READ, VERIFIER

ORGANIZATION = "/organization/v1/organization"
PKCE = {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}


def status_with(application, token):
    return application.call("GET", ORGANIZATION, token=token).status_code


def test_a_code_becomes_a_token_as_the_vendor_describes_it(application):
    answer = application.exchange(application.consent()["code"])
    token = answer.json()
    assert token.pop("access_token")
    assert token == {"expires_in": 2627999, "scope": READ, "token_type": "bearer"}
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_second_exchange_of_a_code_fails_and_ends_the_first_token(application):
    code = application.consent()["code"]
    token = application.exchange(code).json()["access_token"]
    assert status_with(application, token) == 200
    again = application.exchange(code)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert status_with(application, token) == 401


def test_a_code_exchanged_many_times_at_once_gives_at_most_one_token(application):
    code = application.consent()["code"]
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda _: application.exchange(code).status_code, range(8)))
    assert sorted(statuses) == [200] + [400] * 7


def test_a_code_of_another_application_is_refused(sandbox, application):
    code = application.consent()["code"]
    assert sandbox.application().exchange(code).json()["error"] == "invalid_grant"
    assert application.exchange(code).status_code == 200


@pytest.mark.parametrize("redirect_uri", [None, "http://127.0.0.1:8000/elsewhere/"])
def test_an_exchange_with_another_redirect_address_is_refused(application, redirect_uri):
    code = application.consent()["code"]
    assert application.exchange(code, redirect_uri=redirect_uri).json()["error"] == "invalid_grant"


@pytest.mark.parametrize("verifier", [None, "", "wrong" * 10])
def test_a_challenge_needs_its_verifier(application, verifier):
    code = application.consent(**PKCE)["code"]
    assert application.exchange(code, code_verifier=verifier).json()["error"] == "invalid_grant"


def test_the_right_verifier_is_accepted(application):
    code = application.consent(**PKCE)["code"]
    assert application.exchange(code, code_verifier=VERIFIER).status_code == 200


def test_a_verifier_without_a_challenge_is_refused(application):
    code = application.consent()["code"]
    assert application.exchange(code, code_verifier=VERIFIER).json()["error"] == "invalid_grant"


def test_an_exchange_cannot_ask_for_more_than_was_allowed(application):
    code = application.consent(scope=READ)["code"]
    assert application.exchange(code, scope=f"{READ} {INTEGRATE}").json()["error"] == "invalid_scope"


@pytest.mark.parametrize("encode", [str, quote_plus])
def test_the_client_may_use_http_basic(sandbox, application, encode):
    pair = f"{application.client_id}:{encode(application.secret)}"
    basic = "Basic " + base64.b64encode(pair.encode()).decode()
    form = {"grant_type": "client_credentials", "scope": "catalog"}
    answer = sandbox.ask("POST", "/v1/auth/token", data=form, headers={"Authorization": basic})
    assert answer.json()["scope"] == "catalog"


@pytest.mark.parametrize("basic", ["Basic", "Basic !!!", "Basic bm9ib2R5Om5vdGhpbmc="])
def test_a_bad_basic_header_is_refused(sandbox, basic):
    form = {"grant_type": "client_credentials", "scope": "catalog"}
    answer = sandbox.ask("POST", "/v1/auth/token", data=form, headers={"Authorization": basic})
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert answer.headers["WWW-Authenticate"] == 'Basic realm="token"'


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_secret": None}, 401, "invalid_client"),
        ({"grant_type": None}, 400, "invalid_request"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"grant_type": "refresh_token"}, 400, "unsupported_grant_type"),
        ({"scope": None}, 400, "invalid_scope"),
        ({"scope": READ}, 400, "invalid_scope"),
        ({"scope": "catalog unheard.of"}, 400, "invalid_scope"),
    ],
)
def test_a_wrong_token_request_gets_its_error(application, changes, status, error):
    answer = application.token_request(**({"grant_type": "client_credentials", "scope": "catalog"} | changes))
    assert (answer.status_code, answer.json()["error"]) == (status, error)


def test_a_code_that_never_was_is_refused(application):
    assert application.exchange("no-such-code").json()["error"] == "invalid_grant"


def test_there_are_no_refresh_tokens_unless_switched_on(application):
    assert "refresh_token" not in application.exchange(application.consent()["code"]).json()


@pytest.fixture
def family(sandbox, application):
    """The first tokens of a consent, with refresh tokens switched on."""
    sandbox.control("PATCH", "switches", json={"refresh_tokens": True})
    return application.exchange(application.consent()["code"]).json()


def refresh(application, token):
    return application.token_request(grant_type="refresh_token", refresh_token=token)


def test_a_refresh_token_gives_the_next_pair(application, family):
    renewed = refresh(application, family["refresh_token"]).json()
    assert renewed["scope"] == READ
    assert status_with(application, renewed["access_token"]) == 200
    assert refresh(application, renewed["refresh_token"]).status_code == 200


def test_a_refresh_token_used_twice_ends_the_whole_family(application, family):
    renewed = refresh(application, family["refresh_token"]).json()
    assert refresh(application, family["refresh_token"]).json()["error"] == "invalid_grant"
    assert refresh(application, renewed["refresh_token"]).json()["error"] == "invalid_grant"
    assert status_with(application, renewed["access_token"]) == 401


def test_a_refresh_token_is_no_access_token(application, family):
    assert status_with(application, family["refresh_token"]) == 401


def test_a_token_dies_when_its_life_is_over(sandbox, application):
    sandbox.control("PATCH", "switches", json={"token_seconds": 0})
    answer = application.exchange(application.consent()["code"]).json()
    assert answer["expires_in"] == 0
    assert status_with(application, answer["access_token"]) == 401
