"""Who an application says it is, how often it may be wrong, and what it may do with its own credentials."""

import base64
import json
from io import RawIOBase
from statistics import median
from time import perf_counter

import pytest
from django.test import Client, RequestFactory

from apps.api.principals import Kind
from apps.integrations.models import AccessToken, Application, RefreshToken
from apps.integrations.oauth import clients
from apps.integrations.oauth.views.tokens import token
from tests.factories import CLIENT_SECRET, make_partner

from .flow import INTROSPECT, REVOKE, TOKEN, is_good, principal_of

OWN = {"grant_type": "client_credentials"}


class BrokenOff(RawIOBase):
    """A body whose sender went away."""

    def read(self, *args: object) -> bytes:
        raise OSError


def basic(client_id: str, secret: str) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(f'{client_id}:{secret}'.encode()).decode()}"}


def test_an_application_gets_a_token_for_itself(flow, application):
    """Behaviour 11, in the body. No refresh token (RFC 6749, 4.4.3)."""
    body = flow.call(TOKEN, **OWN).json()
    assert {**body, "access_token": ""} == {
        "access_token": "",
        "expires_in": 3600,
        "token_type": "Bearer",
        "scope": "ping self:read self:write",
    }
    assert not RefreshToken.objects.exists()
    made = AccessToken.objects.get()
    assert (made.application, made.authorization, made.user) == (application, None, None)
    who = principal_of(body["access_token"])
    assert (who.kind, who.organization, who.connector) == (Kind.APPLICATION, None, application.connector)


def test_credentials_may_come_as_http_basic(client, application):
    """Behaviour 11."""
    answer = client.post(TOKEN, OWN | {"scope": "ping"}, headers=basic(application.client_id, CLIENT_SECRET))
    assert (answer.status_code, answer.json()["scope"]) == (200, "ping")


@pytest.mark.parametrize("scope", ["orders:read", "ping orders:read", "organization.read", "unknown", "openid"])
def test_an_application_alone_reaches_no_organization(flow, scope):
    """AS-10."""
    answer = flow.call(TOKEN, **OWN, scope=scope)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_scope")


def test_a_new_secret_has_our_prefix_and_is_kept_as_a_digest(application):
    assert clients.ClientSecrets().hash().startswith("xds_")
    assert application.client_secret.startswith("sha256_of_random$")
    assert CLIENT_SECRET not in application.client_secret


# ---- AS-14


WRONG = [
    {"client_secret": "wrong"},
    {"client_secret": ""},
    {"client_secret": None},
    {"client_id": "nobody"},
    {"client_id": ""},
    {"client_id": None, "client_secret": None},
    {"client_id": "é", "client_secret": "é"},
]


@pytest.mark.parametrize("place", [TOKEN, REVOKE, INTROSPECT])
@pytest.mark.parametrize("changes", WRONG)
def test_a_wrong_secret_and_an_unknown_client_get_the_same_answer(client, application, place, changes):
    """AS-14."""
    known = {"client_id": application.client_id, "client_secret": CLIENT_SECRET, "token": "x"}
    body = {name: value for name, value in (OWN | known | changes).items() if value is not None}
    answer = client.post(place, body)
    assert (answer.status_code, answer.json()) == (401, {"error": "invalid_client"})
    assert answer["WWW-Authenticate"] == 'Basic realm="Crossdock"'
    assert answer["Cache-Control"] == "no-store"


@pytest.mark.parametrize("header", ["Basic", "Basic !", "Basic YQ==", "Basic YQo6AA==", "Bearer x", "x", "Basic /w=="])
def test_a_header_that_cannot_be_read_is_a_wrong_secret(client, application, header):
    answer = client.post(TOKEN, OWN, headers={"Authorization": header})
    assert (answer.status_code, answer.json()) == (401, {"error": "invalid_client"})


@pytest.mark.parametrize("claimed", [("%00", "x"), ("\x00", "x"), ("x", "%00"), ("x", "\x00")])
def test_a_nul_in_a_header_is_a_wrong_secret_however_it_is_written(client, application, claimed):
    for place in (TOKEN, REVOKE, INTROSPECT):
        answer = client.post(place, OWN | {"token": "x"}, headers=basic(*claimed))
        assert (answer.status_code, answer.json()) == (401, {"error": "invalid_client"})
    answer = client.get("/api/v1/ping", headers=basic(*claimed))
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")


def test_an_unknown_client_takes_as_long_as_a_wrong_secret(application):
    """AS-14: one band of time."""
    took: dict[str, list[float]] = {application.client_id: [], "nobody" * 6: []}
    for turn in range(18):
        for client_id, times in took.items():
            sender = Client(REMOTE_ADDR=f"10.0.0.{turn}")
            began = perf_counter()
            assert sender.post(TOKEN, OWN | {"client_id": client_id, "client_secret": "wrong"}).status_code == 401
            times.append(perf_counter() - began)
    known, unknown = (median(times) for times in took.values())
    assert 0.5 < known / unknown < 2


def test_the_secret_for_an_unknown_client_is_hashed_too(application, monkeypatch):
    """AS-14."""
    hashed = []
    monkeypatch.setattr(clients, "check_password", lambda secret, kept: hashed.append(kept.partition("$")[0]))
    for client_id in (application.client_id, "nobody"):
        assert clients.authenticate(clients.Claim(client_id, "wrong")) is None
    assert hashed == ["sha256_of_random"] * 2


def wrong_until_refused(sender: Client, client_id: str) -> int:
    for count in range(30):
        answer = sender.post(TOKEN, OWN | {"client_id": client_id, "client_secret": "wrong"})
        if answer.status_code == 429:
            assert int(answer["Retry-After"]) > 0
            return count
    return 30


def test_after_twenty_wrong_secrets_that_address_is_locked_out_of_that_client_only(application):
    """AS-14."""
    other, here, elsewhere = make_partner().application, Client(), Client(REMOTE_ADDR="10.0.0.7")
    assert 20 <= wrong_until_refused(here, application.client_id) <= 23
    right = OWN | {"client_id": application.client_id, "client_secret": CLIENT_SECRET}
    assert here.post(TOKEN, right).status_code == 429
    assert here.post(TOKEN, OWN, headers=basic(application.client_id, CLIENT_SECRET)).status_code == 429
    assert elsewhere.post(TOKEN, right).status_code == 200
    assert here.post(TOKEN, right | {"client_id": other.client_id}).status_code == 200


# ---- AS-18


@pytest.mark.parametrize("place", [TOKEN, REVOKE, INTROSPECT])
def test_two_credentials_at_once_are_refused(client, application, place):
    """AS-18."""
    both = OWN | {"client_id": application.client_id, "client_secret": CLIENT_SECRET, "token": "x"}
    answer = client.post(place, both, headers=basic(application.client_id, CLIENT_SECRET))
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    answer = client.post(place, {"client_id": "other"} | OWN, headers=basic(application.client_id, CLIENT_SECRET))
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize("place", [TOKEN, REVOKE, INTROSPECT])
def test_nothing_is_taken_from_the_address(client, application, place):
    """AS-18."""
    query = f"?client_id={application.client_id}&client_secret={CLIENT_SECRET}"
    answer = client.post(place + query, OWN | {"token": "x"})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert not AccessToken.objects.exists()


@pytest.mark.parametrize("place", [TOKEN, REVOKE, INTROSPECT])
def test_only_a_form_that_is_posted_is_read(client, application, place):
    """AS-18."""
    known = OWN | {"client_id": application.client_id, "client_secret": CLIENT_SECRET, "token": "x"}
    assert client.get(place, known).status_code == 405
    assert client.put(place, known).status_code == 405
    assert client.post(place, known, content_type="application/json").status_code in {400, 401}
    assert not AccessToken.objects.exists()


def test_a_token_counts_in_its_header_only(client, flow):
    """AS-18: not in the address, not in the body, and not beside another credential."""
    token = flow.call(TOKEN, **OWN).json()["access_token"]
    bearer = {"Authorization": f"Bearer {token}"}
    assert is_good(token)
    assert client.get("/api/v1/ping", {"access_token": token}).status_code in {400, 401}
    assert client.get("/api/v1/ping", headers=bearer | {"X-Api-Key": token}).status_code == 400
    both = f"Bearer {token}, Bearer {token}"
    assert client.get("/api/v1/ping", headers={"Authorization": both}).status_code in {400, 401}


@pytest.mark.parametrize("name", ["grant_type", "client_id", "code", "scope", "anything"])
def test_a_parameter_that_is_there_twice_is_refused(client, application, name):
    """RFC 6749, 3.2."""
    known = OWN | {"client_id": application.client_id, "client_secret": CLIENT_SECRET}
    answer = client.post(TOKEN, known | {name: ["one", "two"]})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_a_nul_is_refused(client, application):
    body = f"grant_type=refresh_token&client_id={application.client_id}&client_secret={CLIENT_SECRET}&refresh_token=%00"
    answer = client.post(TOKEN, body, content_type="application/x-www-form-urlencoded")
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize("name", ["authorization", "user", "client", "exchanged", "scopes", "challenge", "expires_in"])
def test_a_parameter_with_the_name_of_something_of_ours_changes_nothing(flow, name):
    body = flow.call(TOKEN, **OWN, **{name: "injected"})
    assert (body.status_code, body.json()["scope"]) == (200, "ping self:read self:write")


def test_a_deactivated_application_is_refused_everywhere(flow, application):
    tokens = flow.tokens()
    partner = application.connector
    partner.deactivated_at = partner.created_at
    partner.save()
    answers = [
        flow.call(TOKEN, **OWN),
        flow.refresh(tokens["refresh_token"]),
        flow.call(REVOKE, token=tokens["access_token"]),
        flow.call(INTROSPECT, token=tokens["access_token"]),
    ]
    assert [(answer.status_code, answer.json()) for answer in answers] == [(401, {"error": "invalid_client"})] * 4
    assert not is_good(tokens["access_token"])


@pytest.mark.parametrize("place", [TOKEN, REVOKE, INTROSPECT])
def test_a_form_has_to_say_how_long_it_is(client, application, place):
    answer = client.post(place, CONTENT_LENGTH="", headers={"Transfer-Encoding": "chunked"})
    assert (answer.status_code, answer.json()) == (
        411,
        {"error": "invalid_request", "error_description": "Send the length of the body."},
    )


FORM = "application/x-www-form-urlencoded"
UNREADABLE = [
    ("multipart/form-data", b"grant_type=client_credentials", 400),
    ("multipart/form-data; boundary=\xe9", b"--x", 400),
    (f"{FORM}; charset=utf-16", b"grant_type=client_credentials", 400),
    (FORM, b"&".join(b"p%d=1" % number for number in range(2_000)), 400),
    (FORM, b"grant_type=" + b"x" * 1024 * 1024, 413),
]


@pytest.mark.parametrize("place", [TOKEN, REVOKE, INTROSPECT])
@pytest.mark.parametrize(("content_type", "body", "status"), UNREADABLE, ids=range(len(UNREADABLE)))
def test_a_form_that_cannot_be_read_is_told_so_in_json(client, application, place, content_type, body, status):
    """RFC 6749, 5.2."""
    answer = client.generic("POST", place, body, content_type=content_type)
    told = {400: "The request could not be read.", 413: "The body is too large."}[status]
    assert (answer.status_code, answer.json()) == (status, {"error": "invalid_request", "error_description": told})
    assert answer["Cache-Control"] == "no-store"


def test_a_form_that_breaks_off_is_told_so_in_json(application):
    asked = RequestFactory().post(TOKEN, b"grant_type=x", content_type=FORM)
    asked._stream = BrokenOff()
    answer = token(asked)
    assert (answer.status_code, json.loads(answer.content)["error"]) == (400, "invalid_request")


def test_there_is_no_way_to_register_or_to_ask_for_a_device_code(client, db):
    for place in (
        "/oauth/register",
        "/oauth/register/",
        "/oauth/device-authorization",
        "/o/token/",
        "/oauth/applications/",
    ):
        assert client.post(place).status_code == 404
    assert not Application.objects.exists()
