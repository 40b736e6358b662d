"""The flows we speak, and none else: no implicit, no hybrid, no password, no device (RFC 9700 2.1.2, 2.4)."""

import re
from typing import Any

from oauthlib.oauth2.rfc6749 import errors
from oauthlib.oauth2.rfc6749.endpoints import AuthorizationEndpoint, RevocationEndpoint, TokenEndpoint
from oauthlib.oauth2.rfc6749.grant_types import AuthorizationCodeGrant, ClientCredentialsGrant, RefreshTokenGrant
from oauthlib.oauth2.rfc6749.tokens import BearerToken

CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")  # SHA-256 in base64url without padding (RFC 7636, 4.2)


class Server(AuthorizationEndpoint, TokenEndpoint, RevocationEndpoint):
    """oauthlib's endpoints with the grant types of the metadata document."""

    def __init__(
        self,
        request_validator: Any,
        token_expires_in: int,
        token_generator: Any,
        refresh_token_generator: Any,
        **kwargs: Any,
    ) -> None:
        self.request_validator = request_validator
        bearer = BearerToken(request_validator, token_generator, token_expires_in, refresh_token_generator)
        code = AuthorizationCodeGrant(request_validator, pre_auth=[check_request], pre_token=[check_grant_type])
        grant_types = {
            "authorization_code": code,
            "client_credentials": ClientCredentialsGrant(request_validator),
            "refresh_token": RefreshTokenGrant(request_validator),
        }
        AuthorizationEndpoint.__init__(self, "code", bearer, {"code": code})
        TokenEndpoint.__init__(self, "authorization_code", bearer, grant_types)
        RevocationEndpoint.__init__(self, request_validator)


def check_request(request: Any) -> dict[str, Any]:
    """What we ask of an authorization request beyond oauthlib: state, a scope, S256, and each parameter once.

    Pio's clients name no scopes (contracts 1.3): then it is what the application registered for.

    By now the client and its redirect URI are known to be right. Raises errors that are told at the redirect URI.
    """
    request.grant_type = "authorization_code"  # whatever the query says: the scopes there are depend on it
    if request.duplicate_params:
        raise errors.InvalidRequestError("A parameter is there twice.", request=request)
    if request.response_type not in (None, "code"):
        raise errors.UnsupportedResponseTypeError(request=request)
    if request.response_mode not in (None, "query"):
        raise errors.InvalidRequestError("Unsupported response_mode.", request=request)
    if not request.state:
        raise errors.InvalidRequestError("Missing state parameter.", request=request)
    _check_pkce(request)
    request.scopes = request.scopes or list(request.client.connector.grants)
    if not request.scopes:
        raise errors.InvalidScopeError(request=request)
    return {}


def _check_pkce(request: Any) -> None:
    if not request.code_challenge:
        raise errors.MissingCodeChallengeError(request=request)
    if request.code_challenge_method != "S256":
        raise errors.UnsupportedCodeChallengeMethodError(request=request)
    if not CHALLENGE.fullmatch(request.code_challenge):
        raise errors.InvalidRequestError("The code_challenge is not one of S256.", request=request)


def check_grant_type(request: Any) -> None:
    """oauthlib hands every grant type it does not know to this flow, and takes OpenID's for its own."""
    if request.grant_type != "authorization_code":
        raise errors.UnsupportedGrantTypeError(request=request)
