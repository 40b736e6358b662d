"""The reference partner's own care, which partners copy: whose answer it believes, and what it keeps to itself."""

import subprocess
import sys
from collections.abc import Iterator

import crossdock
import pytest
import requests
import responses

from config.local.programs import CHECKOUT

PORTAL = "https://portal.example"
REGISTERED = {"client_id": "c1", "client_secret": "xds_0000000000", "callback_url": "https://partner.example/callback"}
METADATA = {
    "issuer": PORTAL,
    "authorization_endpoint": f"{PORTAL}/oauth/authorize",
    "token_endpoint": f"{PORTAL}/oauth/token",
}
METADATA_URL = f"{PORTAL}/.well-known/oauth-authorization-server"


@pytest.fixture
def web() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as web:
        web.get(METADATA_URL, json=METADATA)
        yield web


@pytest.fixture
def consent(web) -> crossdock.Consent:
    return crossdock.Crossdock(PORTAL).consent(REGISTERED, ["orders:read"])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"state": "another"}, "somebody else began this"),
        ({"state": None}, "somebody else began this"),
        ({"iss": "https://evil.example"}, "of another server"),
        ({"iss": None}, "of another server"),
        ({"error": "access_denied"}, "the answer is no: access_denied"),
    ],
)
def test_a_code_is_exchanged_only_when_it_answers_this_very_question(consent, web, changes, said):
    came_back = {"code": "good", "state": consent.state, "iss": PORTAL} | changes
    with pytest.raises(PermissionError, match=said):
        consent.tokens({name: value for name, value in came_back.items() if value})
    assert [call.request.url for call in web.calls] == [METADATA_URL]


def test_each_question_has_a_state_and_a_verifier_of_its_own(web):
    portal = crossdock.Crossdock(PORTAL)
    one, other = (portal.consent(REGISTERED, ["orders:read"]) for _ in range(2))
    assert len({one.state, other.state, one.verifier, other.verifier}) == 4
    assert "code_challenge_method=S256" in one.address and one.verifier not in one.address


def test_the_callback_of_an_honest_portal_is_exchanged(consent, web):
    token = {"access_token": "xda_1234567890", "token_type": "Bearer", "expires_in": 3600}
    exchange = web.post(METADATA["token_endpoint"], json=token)
    session = consent.tokens({"code": "good", "state": consent.state, "iss": PORTAL})
    assert session.token["access_token"] == "xda_1234567890"
    assert f"code_verifier={consent.verifier}" in exchange.calls[0].request.body


def test_no_secret_is_printed_whole(web, capsys):
    web.post(f"{PORTAL}/api/v1/things", json={"key": "xdi_abcdefghijkl"})
    session = crossdock.talkative(requests.Session())
    session.auth = ("c1", "xds_abcdefghijkl")
    body = "code=zzzzzzzz&code_verifier=yyyyyyyy&refresh_token=xdr_abcdefghijkl"
    crossdock.Crossdock(PORTAL).call("POST", "/v1/things", to=session, data=body)
    printed = capsys.readouterr().out
    assert "abcdefghijkl" not in printed and "zzzz" not in printed and "yyyy" not in printed
    assert "code=…&code_verifier=…&refresh_token=xdr_abcd…" in printed and "Basic …" in printed


def test_what_is_refused_is_told_in_a_sentence(web):
    problem = {"title": "Too many calls.", "detail": "Try again in 7 s.", "code": "rate_limited"}
    web.get(f"{PORTAL}/api/v1/ping", status=429, json=problem)
    with pytest.raises(crossdock.Refused) as refused:
        crossdock.Crossdock(PORTAL).call("GET", "/v1/ping")
    assert str(refused.value) == "Too many calls. Try again in 7 s. (429 rate_limited)"
    assert (refused.value.status, refused.value.code) == (429, "rate_limited")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--demo", "nowhere.json"], "No demo is running here (nowhere.json is not there). Start one"),
        (["--portal", "http://127.0.0.1:1"], "Stopped: http://127.0.0.1:1 cannot be reached (ConnectionError)."),
    ],
)
def test_without_a_portal_it_says_so(options, said):
    done = subprocess.run(
        [sys.executable, "docs/partner", *options], cwd=CHECKOUT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1 and said in done.stderr
