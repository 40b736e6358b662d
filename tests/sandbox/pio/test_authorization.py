import base64
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.sandbox.driver import Browser

from .driver import ADMIN, CALLBACK, LOGIN, PICKER, TOKEN, Client, error_of, logged_in


@pytest.fixture
def admin(sandbox):
    with logged_in(sandbox) as browser:
        yield browser


def test_the_form_needs_a_login_first_and_comes_back_to_it(client):
    with Browser(client.sandbox) as browser:
        sent_to = browser.sandbox.ask("GET", client.authorize_path()).headers["Location"]
        assert urlsplit(sent_to).path == LOGIN
        email, password = ADMIN
        back = browser.post(sent_to, {"email": email, "password": password}).headers["Location"]
    assert back == client.authorize_path()


def test_a_wrong_password_logs_nobody_in(client):
    with Browser(client.sandbox) as browser:
        assert browser.post(LOGIN, {"email": ADMIN[0], "password": "wrong"}).status_code == 401
        assert browser.sandbox.ask("GET", client.authorize_path()).headers["Location"].startswith(LOGIN)


@pytest.mark.parametrize("leaving", ["https://evil.example/", "//evil.example/port/", "/\\evil.example"])
def test_the_login_never_leads_to_another_site(sandbox, leaving):
    with Browser(sandbox) as browser:
        answer = browser.post(f"{LOGIN}?next={leaving}", {"email": ADMIN[0], "password": ADMIN[1]})
    assert answer.headers["Location"] == "/port/"


def test_the_form_names_the_integration_the_organization_and_the_scopes(client, admin):
    page = admin.sandbox.ask("GET", client.authorize_path()).text
    assert f"Allow {client.client_id} to work with Foo 3PL?" in page
    assert "See the stock of its shop&#x27;s products (<code>inventory</code>)" in page


def test_approval_leads_to_the_callback_with_a_code_and_the_state_as_it_was(client):
    answer = client.approval()
    assert answer == {"code": answer["code"], "state": "a state/+&"}


def test_denial_leads_back_without_a_code(client):
    assert client.approval(decision="deny") == {"error": "access_denied", "state": "a state/+&"}


def test_a_state_is_optional(client, admin):
    location = admin.post(client.authorize_path(state=None), {"decision": "approve"}).headers["Location"]
    assert sorted(parse_qs(urlsplit(location).query)) == ["code"]


def test_a_picker_cannot_approve_and_is_told_why(client):
    with logged_in(client.sandbox, PICKER) as picker:
        page = picker.sandbox.ask("GET", client.authorize_path())
        answer = picker.post(client.authorize_path(), {"decision": "approve"})
    assert [page.status_code, answer.status_code] == [403, 403]
    assert "Only an admin of Foo 3PL can allow this, and you are logged in as a picker." in page.text
    assert 'value="approve"' not in page.text
    assert "Location" not in answer.headers


def test_another_account_can_be_chosen(client):
    with logged_in(client.sandbox, PICKER) as browser:
        path = client.authorize_path()
        again = browser.post("/raw/openapi_auth/logout?next=/port/", {}, page=path).headers["Location"]
        assert again == f"{LOGIN}?next=%2Fport%2F"
        assert browser.sandbox.ask("GET", path).headers["Location"].startswith(LOGIN)


@pytest.mark.parametrize(
    "callback", [None, "", CALLBACK.rstrip("/"), CALLBACK + "?more=1", CALLBACK.upper(), "https://evil.example/"]
)
def test_a_callback_that_is_not_registered_is_a_page_and_never_a_redirect(client, admin, callback):
    answer = admin.sandbox.ask("GET", client.authorize_path(redirect_uri=callback))
    assert (answer.status_code, "Location" in answer.headers) == (400, False)


def test_a_callback_given_twice_is_refused(client, admin):
    path = client.authorize_path() + "&redirect_uri=https://evil.example/"
    assert admin.sandbox.ask("GET", path).status_code == 400


@pytest.mark.parametrize("client_id", [None, "nobody", "\0"])
def test_an_unknown_integration_is_a_page_and_never_a_redirect(client, admin, client_id):
    assert admin.sandbox.ask("GET", client.authorize_path(client_id=client_id)).status_code == 400


def test_approval_by_a_post_without_the_page_is_refused(client, admin):
    assert admin.sandbox.ask("POST", client.authorize_path(), data={"decision": "approve"}).status_code == 403


def test_a_code_becomes_a_token_without_an_end(client):
    answer = client.exchange(client.approval()["code"])
    token = answer.json()
    assert token == {
        "access_token": token["access_token"],
        "token_type": "bearer",
        "scope": "products inventory orders hooks",
    }
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_code_works_once_even_when_asked_for_many_times_at_once(client):
    code = client.approval()["code"]
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda _: client.exchange(code).status_code, range(8)))
    assert sorted(statuses) == [200] + [400] * 7


def test_a_code_of_another_integration_is_refused(client):
    code = client.approval()["code"]
    assert Client(client.sandbox).register().exchange(code).json()["error"] == "invalid_grant"
    assert client.exchange(code).status_code == 200


@pytest.mark.parametrize("redirect_uri", [None, "http://127.0.0.1:8000/elsewhere/"])
def test_an_exchange_with_another_callback_is_refused_and_the_code_stays_good(client, redirect_uri):
    code = client.approval()["code"]
    assert client.exchange(code, redirect_uri=redirect_uri).json()["error"] == "invalid_grant"
    assert client.exchange(code).status_code == 200


def test_the_client_may_use_http_basic(client):
    basic = base64.b64encode(f"{client.client_id}:{client.secret}".encode()).decode()
    form = {"grant_type": "authorization_code", "code": client.approval()["code"], "redirect_uri": CALLBACK}
    answer = client.sandbox.ask("POST", TOKEN, data=form, headers={"Authorization": f"Basic {basic}"})
    assert answer.json()["token_type"] == "bearer"


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_secret": None}, 401, "invalid_client"),
        ({"client_id": None}, 401, "invalid_client"),
        ({"grant_type": None}, 400, "invalid_request"),
        ({"grant_type": "client_credentials"}, 400, "unsupported_grant_type"),
        ({}, 400, "invalid_grant"),
    ],
)
def test_a_wrong_token_request_gets_its_error(client, changes, status, error):
    answer = client.exchange("no-such-code", **changes)
    assert (answer.status_code, answer.json()["error"]) == (status, error)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, (401, "unauthorized")),
        ("Basic abc", (401, "unauthorized")),
        ("Bearer ", (403, "could_not_validate_credentials")),
        ("Bearer nonsense", (403, "could_not_validate_credentials")),
    ],
)
def test_a_call_without_a_token_and_one_with_nonsense_are_told_apart(sandbox, header, expected):
    answer = sandbox.ask("GET", "/api/v1/products", headers={"Authorization": header})
    assert error_of(answer) == expected
