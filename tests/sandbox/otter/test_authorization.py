from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.sandbox.driver import CHALLENGE, READ, REDIRECT, Browser


@pytest.fixture
def browser(sandbox):
    with Browser(sandbox) as browser:
        yield browser


def carried(response):
    """What a redirect to the application carries."""
    address, _, query = response.headers["Location"].partition("?")
    assert address == REDIRECT
    return dict(parse_qsl(query))


def test_consent_needs_a_login_first_and_comes_back_to_it(browser, application):
    path = application.authorize_path()
    sent_to = browser.sandbox.ask("GET", path).headers["Location"]
    assert urlsplit(sent_to).path == "/v1/auth/login"
    assert browser.log_in("hats", path=sent_to).headers["Location"] == path


def test_the_consent_page_names_the_application_the_organization_and_what_it_may_do(browser, application):
    browser.log_in("hats")
    page = browser.sandbox.ask("GET", application.authorize_path()).text
    assert f"Allow {application.client_id} to work with Great Hats?" in page
    assert "See your organization, its brands and its stores" in page
    assert "Connect and disconnect your stores" in page


def test_the_consent_page_leaves_out_what_is_not_asked_for(browser, application):
    browser.log_in("hats")
    page = browser.sandbox.ask("GET", application.authorize_path(scope=READ)).text
    assert "Connect and disconnect your stores" not in page


def test_a_wrong_password_logs_nobody_in(browser, application):
    refused = browser.post("/v1/auth/login", {"email": "hats@great-hats.example", "password": "wrong"})
    assert refused.status_code == 401
    assert browser.sandbox.ask("GET", application.authorize_path()).headers["Location"].startswith("/v1/auth/login")


@pytest.mark.parametrize(
    "leaving", ["https://evil.example/", "//evil.example/v1/auth/oauth2/authorize?", "/\\evil.example"]
)
def test_the_login_never_leads_to_another_site(browser, leaving):
    assert browser.log_in("hats", path=f"/v1/auth/login?next={leaving}").headers["Location"] == "/"


def test_another_account_can_be_chosen_on_the_consent_page(browser, application):
    browser.log_in("hats")
    browser.log_in("shoes")
    assert "Great Shoes" in browser.sandbox.ask("GET", application.authorize_path()).text


def test_approval_carries_code_state_and_issuer(sandbox, application):
    answer = application.consent()
    assert sorted(answer) == ["code", "iss", "state"]
    assert answer["state"] == "a state/+&"
    assert answer["iss"] == sandbox.url


def test_denial_carries_the_reason_and_the_state(sandbox, application):
    assert application.consent(decision="deny") == {
        "error": "access_denied",
        "error_description": "The user did not allow this",
        "state": "a state/+&",
        "iss": sandbox.url,
    }


@pytest.mark.parametrize(
    "redirect_uri",
    [
        None,
        "",
        REDIRECT.rstrip("/"),
        REDIRECT + "?more=1",
        REDIRECT.upper(),
        REDIRECT.replace("127.0.0.1", "localhost"),
        "https://evil.example/",
    ],
)
def test_an_unregistered_redirect_address_is_a_page_and_never_a_redirect(browser, application, redirect_uri):
    browser.log_in("hats")
    response = browser.sandbox.ask("GET", application.authorize_path(redirect_uri=redirect_uri))
    assert response.status_code == 400
    assert "Location" not in response.headers


def test_a_redirect_address_given_twice_is_refused(browser, application):
    response = browser.sandbox.ask("GET", application.authorize_path() + "&redirect_uri=https://evil.example/")
    assert response.status_code == 400


@pytest.mark.parametrize("client_id", [None, "nobody", "\0"])
def test_an_unknown_client_is_a_page_and_never_a_redirect(browser, application, client_id):
    assert browser.sandbox.ask("GET", application.authorize_path(client_id=client_id)).status_code == 400


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": None}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": None}, "invalid_request"),
        ({"scope": "catalog"}, "invalid_scope"),
        ({"state": None}, "invalid_request"),
        ({"code_challenge": CHALLENGE}, "invalid_request"),
        ({"code_challenge": CHALLENGE, "code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": "short", "code_challenge_method": "S256"}, "invalid_request"),
        ({"code_challenge_method": "S256"}, "invalid_request"),
    ],
)
def test_any_other_mistake_is_told_to_the_client(browser, application, changes, error):
    response = browser.sandbox.ask("GET", application.authorize_path(**changes))
    assert carried(response)["error"] == error


def test_consent_by_a_post_without_the_page_is_refused(browser, application):
    browser.log_in("hats")
    response = browser.sandbox.ask("POST", application.authorize_path(), data={"decision": "approve"})
    assert response.status_code == 403


def test_the_pages_cannot_be_framed(browser):
    assert browser.sandbox.ask("GET", "/v1/auth/login").headers["X-Frame-Options"] == "DENY"


def test_the_metadata_name_the_endpoints_and_the_issuer(sandbox):
    described = sandbox.ask("GET", "/.well-known/oauth-authorization-server").json()
    assert described["issuer"] == sandbox.url
    assert described["authorization_endpoint"] == sandbox.url + "/v1/auth/oauth2/authorize"
    assert described["token_endpoint"] == sandbox.url + "/v1/auth/token"
    assert described["grant_types_supported"] == ["authorization_code", "client_credentials"]
    assert described["code_challenge_methods_supported"] == ["S256"]
