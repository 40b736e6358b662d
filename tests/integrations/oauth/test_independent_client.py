"""Authlib, who knows nothing of us but the address of our metadata document, gets in on its own."""

from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata

from tests.conftest import signed_in
from tests.factories import CALLBACK_URL, CLIENT_SECRET, make_member, make_partner

from .flow import Flow, is_good, principal_of

METHODS = ["client_secret_basic", "client_secret_post"]


@pytest.fixture
def issuer(live_server, settings) -> str:
    settings.PUBLIC_URL = live_server.url
    return live_server.url


@pytest.fixture
def known(issuer) -> AuthorizationServerMetadata:
    """What the document says. `validate` is Authlib's own, but for its wish for https on loopback."""
    found = requests.get(f"{issuer}/.well-known/oauth-authorization-server", timeout=10).json()
    document = AuthorizationServerMetadata(found)
    assert document["issuer"] == issuer
    for name in ("response_types_supported", "token_endpoint_auth_methods_supported", "scopes_supported"):
        getattr(document, f"validate_{name}")()
    return document


@pytest.mark.parametrize("method", METHODS)
def test_code_and_pkce(known, issuer, method):
    """Issue 3, "what it must show"."""
    application, owner = make_partner().application, make_member()
    client = OAuth2Session(
        application.client_id,
        CLIENT_SECRET,
        scope="organization.read orders:read",
        redirect_uri=CALLBACK_URL,
        code_challenge_method=known["code_challenge_methods_supported"][0],
        token_endpoint_auth_method=method,
    )
    verifier = "a-verifier-of-the-client-" * 3
    address, state = client.create_authorization_url(known["authorization_endpoint"], code_verifier=verifier)
    answer = in_the_owners_browser(owner, address)
    assert parse_qs(urlsplit(answer).query)["iss"] == [issuer]
    token = client.fetch_token(
        known["token_endpoint"], authorization_response=answer, state=state, code_verifier=verifier
    )
    assert principal_of(token["access_token"]).organization == owner.organization
    new = client.refresh_token(known["token_endpoint"], token["refresh_token"])
    assert (is_good(token["access_token"]), is_good(new["access_token"])) == (False, True)
    told = client.introspect_token(known["introspection_endpoint"], token=new["access_token"]).json()
    assert (told["active"], told["client_id"]) == (True, application.client_id)
    assert client.revoke_token(known["revocation_endpoint"], token=new["refresh_token"]).status_code == 200
    assert not is_good(new["access_token"])


@pytest.mark.parametrize("method", METHODS)
def test_client_credentials(known, method):
    """Issue 3, "what it must show"."""
    application = make_partner().application
    client = OAuth2Session(application.client_id, CLIENT_SECRET, token_endpoint_auth_method=method)
    token = client.fetch_token(known["token_endpoint"], grant_type="client_credentials", scope="self:read")
    assert (token["scope"], principal_of(token["access_token"]).connector) == ("self:read", application.connector)


def in_the_owners_browser(owner, address: str) -> str:
    """Follows the address, agrees, and returns where that leads."""
    browser = signed_in(owner)
    page = browser.get(address.partition("/oauth")[1] + address.partition("/oauth")[2])
    return Flow.answer(Flow(make_partner().application, browser), page).headers["Location"]
