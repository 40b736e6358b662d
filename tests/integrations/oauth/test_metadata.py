"""The document a client configures itself from (RFC 8414), and that the toolkit's gates are shut."""

from django.core.checks import run_checks
from django.urls import Resolver404, resolve

from apps.api.grants import SCOPES


def test_the_document_names_what_there_is_and_nothing_else(client, settings):
    """AS-08."""
    settings.PUBLIC_URL = "https://portal.example"
    answer = client.get("/.well-known/oauth-authorization-server")
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
    methods = ["client_secret_basic", "client_secret_post"]
    assert answer.json() == {
        "issuer": "https://portal.example",
        "authorization_endpoint": "https://portal.example/oauth/authorize",
        "token_endpoint": "https://portal.example/oauth/token",
        "revocation_endpoint": "https://portal.example/oauth/revoke",
        "introspection_endpoint": "https://portal.example/oauth/introspect",
        "scopes_supported": list(SCOPES),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "client_credentials", "refresh_token"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": methods,
        "revocation_endpoint_auth_methods_supported": methods,
        "introspection_endpoint_auth_methods_supported": methods,
        "authorization_response_iss_parameter_supported": True,
        "service_documentation": "https://portal.example/api/docs",
    }


def test_every_address_of_the_document_is_there(client, settings):
    found = client.get("/.well-known/oauth-authorization-server").json()
    for name, address in found.items():
        if name.endswith("_endpoint"):
            assert resolve(address.removeprefix(settings.PUBLIC_URL)).url_name.startswith("oauth-")


def test_the_toolkits_own_addresses_are_not_mounted():
    for place in ("/o/authorize/", "/oauth/register/", "/.well-known/openid-configuration", "/oauth/userinfo/"):
        try:
            resolve(place)
        except Resolver404:
            continue
        raise AssertionError(place)


def test_the_toolkit_finds_nothing_to_complain_of():
    """Its checks of RFC 9700, as `manage.py check --deploy` runs them."""
    found = run_checks(include_deployment_checks=True)
    assert [problem for problem in found if (problem.id or "").startswith("oauth2_provider")] == []
