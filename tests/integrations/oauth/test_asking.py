"""What an application may not ask: where it hears so, and where nobody is sent (behaviour 10)."""

from urllib.parse import urlencode

import pytest
from django.test import Client

from apps.api.grants import CONSENTED, ITSELF
from apps.integrations.models import Authorization, Grant
from tests.factories import CALLBACK_URL, make_partner

from .flow import AUTHORIZE, challenge_of, heard

# Whatever is not the registered string, letter for letter.
NOT_REGISTERED = [
    "https://PARTNER.example/callback",
    "https://partner.Example/callback",
    "HTTPS://partner.example/callback",
    "https://partner.example/Callback",
    "https://partner.example:443/callback",
    "https://partner.example:8443/callback",
    "https://partner.example:/callback",
    "https://user@partner.example/callback",
    "https://user:password@partner.example/callback",
    "https://@partner.example/callback",
    "https://partner.example/callback/",
    "https://partner.example//callback",
    "https://partner.example/./callback",
    "https://partner.example/x/../callback",
    "https://partner.example/callback/..",
    "https://partner.example/callback/../../evil",
    "https://partner.example/%63allback",
    "https://partner.example/callback%2e",
    "https://partner.example/callback%2f..%2fevil",
    "https://partner.example/callback%00",
    "https://partner.example/callback?",
    "https://partner.example/callback?a=b",
    "https://partner.example/callback#",
    "https://partner.example/callback#a",
    "https://partner.example/callback;a=b",
    "http://partner.example/callback",
    "javascript:alert(1)//partner.example/callback",
    "data:text/html,partner.example",
    "//partner.example/callback",
    "/callback",
    "callback",
    "partner.example/callback",
    "https://evil.partner.example/callback",
    "https://partner.example.evil/callback",
    "https://partner.example.evil.example/callback",
    "https://evil.example/partner.example/callback",
    "https://evil.example/?https://partner.example/callback",
    "https://evil.example#https://partner.example/callback",
    "https://evil.example\\@partner.example/callback",
    "https://partner.example\\callback",
    "https:\\\\partner.example\\callback",
    "https://pаrtner.example/callback",
    "https://xn--prtner-4ve.example/callback",
    "https://partner.example./callback",
    "https://partner.example/callback\t",
    "https://partner.example/callback\n",
    "https://partner.example/call\r\nback",
    " https://partner.example/callback",
    "https://partner.example/callback ",
    "https://partner.example/callback https://evil.example/",
    "https://partner.example/callback,https://evil.example/",
    "https://[::1]/callback",
    "https://127.0.0.1/callback",
    "https://partner.example/*",
    "*",
    "",
]


@pytest.mark.parametrize("redirect_uri", NOT_REGISTERED)
def test_another_redirect_uri_shows_a_page_and_redirects_nobody(flow, redirect_uri):
    """AS-05."""
    for browser in (flow.owner, Client()):
        answer = browser.get(AUTHORIZE, flow.query(redirect_uri=redirect_uri))
        assert (answer.status_code, "Location" in answer.headers) == (400, False)
    answer = flow.owner.post(f"{AUTHORIZE}?{urlencode(flow.query(redirect_uri=redirect_uri))}", {"decision": "allow"})
    assert (answer.status_code, "Location" in answer.headers) == (400, False)


def test_the_matrix_of_redirect_uris_is_as_long_as_it_has_to_be():
    assert len(set(NOT_REGISTERED) - {CALLBACK_URL}) >= 40


def test_the_registered_one_is_fine(flow):
    assert flow.ask().status_code == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"redirect_uri": None},
        {"redirect_uri": [CALLBACK_URL, CALLBACK_URL]},
        {"redirect_uri": [CALLBACK_URL, "https://evil.example/"]},
        {"redirect_uri": ["https://evil.example/", CALLBACK_URL]},
        {"client_id": None},
        {"client_id": "nobody"},
        {"client_id": ""},
        {"client_id": "x" * 500},
        {"client_id": ["nobody", "somebody"]},
        {"state": ["one", "two"]},
        {"scope": ["orders:read", "products:read"]},
        {"response_type": ["code", "token"]},
        {"state": "x" * 3_000},
    ],
)
def test_an_unknown_asker_is_answered_by_a_page(flow, changes):
    """Behaviour 10; AS-05."""
    answer = flow.ask(**changes)
    assert (answer.status_code, "Location" in answer.headers) == (400, False)
    assert "We do not know who asks" in answer.text


def test_the_callback_of_another_application_is_not_ones_own(flow):
    make_partner(callback_url="https://other.example/callback")
    assert flow.ask(redirect_uri="https://other.example/callback").status_code == 400


def test_a_deactivated_application_is_unknown(flow, application):
    partner = application.connector
    partner.deactivated_at = partner.created_at
    partner.save()
    assert flow.ask().status_code == 400


def test_an_address_that_is_no_query_is_answered_by_a_page(flow):
    for query in ("%zz", "a", "=&=&", "client_id=%ff%fe", "client_id[]=1"):
        assert flow.owner.get(f"{AUTHORIZE}?{query}").status_code == 400


# ---- What is told at the callback


def expect(flow, error: str, **changes) -> None:
    told = heard(flow.ask(**changes))
    assert (told["error"], told.get("state", ""), "code" in told) == (
        error,
        changes.get("state", flow.state) or "",
        False,
    )
    assert told["iss"]
    assert not (Grant.objects.exists() or Authorization.objects.exists())


@pytest.mark.parametrize(
    "changes",
    [
        {"code_challenge": None, "code_challenge_method": None},
        {"code_challenge": None},
        {"code_challenge": ""},
        {"code_challenge_method": None},
        {"code_challenge_method": "plain"},
        {"code_challenge_method": "s256"},
        {"code_challenge_method": "S512"},
        {"code_challenge_method": ["S256", "plain"]},
        {"code_challenge": "x" * 42},
        {"code_challenge": "x" * 44},
        {"code_challenge": "!" * 43},
        {"code_challenge": [challenge_of("a" * 43), challenge_of("b" * 43)]},
    ],
)
def test_a_challenge_that_is_not_s256_is_refused(flow, changes):
    """AS-06, the asking half."""
    expect(flow, "invalid_request", **changes)


@pytest.mark.parametrize(
    "response_type",
    ["token", "id_token", "id_token token", "code token", "code id_token", "code id_token token", "none", "xcode"],
)
def test_only_codes_are_given(flow, response_type):
    """AS-08, the asking half."""
    expect(flow, "unsupported_response_type", response_type=response_type)


@pytest.mark.parametrize("state", [None, ""])
def test_state_is_required(flow, state):
    expect(flow, "invalid_request", state=state)


@pytest.mark.parametrize("mode", ["fragment", "form_post", "query.jwt"])
def test_answers_come_in_the_query(flow, mode):
    expect(flow, "invalid_request", response_mode=mode)


@pytest.mark.parametrize(
    "scope",
    [None, "", " ", "unknown", "orders:delete", "orders:read unknown", "ORDERS:READ", "*", "openid", *ITSELF],
)
def test_a_scope_nobody_can_consent_to_is_refused(flow, scope):
    """AS-10, the asking half."""
    expect(flow, "invalid_scope", scope=scope)


def test_without_a_scope_it_is_what_the_application_registered_for(flow, application):
    """Pio's clients send none (contracts 1.3)."""
    application.connector.grants = ["products:read", "shops:read"]
    application.connector.save()
    answer = flow.redeem(heard(flow.answer(flow.ask(scope=None)))["code"])
    assert answer.json()["scope"] == "products:read shops:read"


def test_a_grant_type_in_the_question_opens_no_other_scopes(flow):
    """AS-10: what an application may do about itself is no business of an organization's consent."""
    expect(flow, "invalid_scope", scope="self:write", grant_type="client_credentials")


@pytest.mark.parametrize("scope", CONSENTED)
def test_every_scope_of_the_list_can_be_asked_for(flow, scope):
    assert flow.ask(scope=scope).status_code == 200


def test_who_asks_wrongly_hears_so_only_after_somebody_logged_in(flow):
    """RFC 9700, 4.11.2: else a link to us would lead anybody to an address of the asker's choice."""
    answer = Client().get(AUTHORIZE, flow.query(scope="unknown"))
    assert answer.headers["Location"].startswith("/accounts/login/?next=")


def test_answers_at_the_callback_are_as_they_have_to_be(flow, settings):
    """AS-13, the asking half: `iss` exact, `state` unchanged, no token in an address, 302 or 303, nothing cached."""
    page = flow.ask()
    answers = {
        "yes": flow.answer(page),
        "no": flow.answer(page, decision="deny"),
        "wrong": flow.ask(scope="unknown"),
    }
    for answer in answers.values():
        told = heard(answer)
        assert (told["iss"], told["state"]) == (settings.PUBLIC_URL, flow.state)
        assert not {"access_token", "refresh_token", "token"} & set(told)
        assert "no-store" in answer["Cache-Control"]
    assert [heard(answer).get("error") for answer in answers.values()] == [None, "access_denied", "invalid_scope"]


def test_a_callback_with_a_query_keeps_it(flow, application):
    application.redirect_uris = f"{CALLBACK_URL}?flag&a=%20b"
    application.save()
    answer = flow.answer(flow.ask(redirect_uri=application.redirect_uris))
    assert answer.headers["Location"].startswith(f"{CALLBACK_URL}?flag&a=%20b&state=")


def test_a_long_state_comes_back_whole(flow):
    flow.state = "s" * 1_200
    assert heard(flow.answer(flow.ask()))["state"] == flow.state
