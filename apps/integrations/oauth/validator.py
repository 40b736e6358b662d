"""What the toolkit asks whenever it has to decide, answered by our rules."""

import re
from typing import Any

from oauth2_provider.oauth2_validators import OAuth2Validator
from oauthlib.oauth2.rfc6749 import errors

from apps.audit.trail import Actor, record

from ..models import AccessToken, Authorization, RefreshToken
from . import clients, issuing, redeeming

GRANT_TYPES = ["authorization_code", "client_credentials", "refresh_token"]
VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")  # RFC 7636, 4.1


class Validator(OAuth2Validator):
    """Only confidential clients, three grant types, exact redirect URIs, and tokens that hang on an Authorization.

    Methods that change anything expect to be called in one transaction per request.
    """

    # ---- Who calls

    def client_authentication_required(self, request: Any, *args: Any, **kwargs: Any) -> bool:
        return True

    def authenticate_client_id(self, client_id: str, request: Any, *args: Any, **kwargs: Any) -> bool:
        return False

    def authenticate_client(self, request: Any, *args: Any, **kwargs: Any) -> bool:
        request.authorization = None  # set here, since any attribute not set is read from what the client sent
        try:
            claim = clients.claim_of(
                authorization=request.headers.get("Authorization", ""),
                client_id=request.client_id or "",
                client_secret=request.client_secret or "",
            )
        except clients.TwoCredentials:
            raise errors.InvalidRequestError("Authenticate in one way only.", request=request) from None
        request.client, request.client_id = clients.authenticate(claim), claim.client_id
        return request.client is not None

    # ---- What is asked for

    def validate_grant_type(self, client_id: str, grant_type: str, *args: Any, **kwargs: Any) -> bool:
        return grant_type in GRANT_TYPES

    def validate_response_type(self, client_id: str, response_type: str, *args: Any, **kwargs: Any) -> bool:
        return response_type == "code"

    def validate_redirect_uri(self, client_id: str, redirect_uri: str, request: Any, *args: Any, **kwargs: Any) -> bool:
        return redirect_uri == request.client.redirect_uris

    def get_default_redirect_uri(self, client_id: str, request: Any, *args: Any, **kwargs: Any) -> str:
        raise errors.MissingRedirectURIError(request=request)

    # ---- A code

    def validate_code(self, client_id: str, code: str, client: Any, request: Any, *args: Any, **kwargs: Any) -> bool:
        grant = redeeming.spend_code(code, by=client)
        if grant is None or grant.redirect_uri != request.redirect_uri:
            return False
        if request.code_verifier is not None and not VERIFIER.fullmatch(request.code_verifier):
            return False
        consented = grant.scope.split()
        if not set(request.scopes or []) <= set(consented):
            raise errors.InvalidScopeError(request=request)
        request.scopes = request.scopes or consented
        request.user, request.authorization, request.challenge = grant.user, grant.authorization, grant.code_challenge
        return True

    def get_code_challenge(self, code: str, request: Any) -> str:
        return request.challenge

    def get_code_challenge_method(self, code: str, request: Any) -> str:
        return "S256"

    def confirm_redirect_uri(self, *args: Any, **kwargs: Any) -> bool:
        return True  # `validate_code` has compared it, and answers as RFC 6749 5.2 says: invalid_grant

    def invalidate_authorization_code(self, client_id: str, code: str, request: Any, *args: Any, **kwargs: Any) -> None:
        pass  # it was spent before anything else

    # ---- A refresh token

    def validate_refresh_token(self, refresh_token: str, client: Any, request: Any, *args: Any, **kwargs: Any) -> bool:
        request.exchanged = redeeming.claim_refresh_token(refresh_token, by=client)
        if request.exchanged is None:
            return False
        request.authorization = request.exchanged.authorization
        request.user = request.authorization.user
        return True

    def get_original_scopes(self, refresh_token: str, request: Any, *args: Any, **kwargs: Any) -> str:
        return request.authorization.scope

    def is_within_original_scope(self, *args: Any, **kwargs: Any) -> bool:
        return False

    def rotate_refresh_token(self, request: Any) -> bool:
        return True

    # ---- Tokens

    def save_bearer_token(self, token: Any, request: Any, *args: Any, **kwargs: Any) -> None:
        """Keep what is about to be answered. A shop's token does not expire, so its answer has no `expires_in`."""
        authorization: Authorization | None = request.authorization
        if request.grant_type == "refresh_token":
            issuing.retire(request.exchanged)
        access = issuing.keep_access_token(
            token["access_token"], application=request.client, scope=token["scope"], of=authorization
        )
        if authorization is None:
            return
        issuing.keep_refresh_token(token["refresh_token"], access=access)
        if authorization.is_lasting:
            del token["expires_in"]

    def revoke_token(self, token: str, token_type_hint: Any, request: Any, *args: Any, **kwargs: Any) -> None:
        """RFC 7009. Either token of a consent ends it: one consent, one access token, one refresh token."""
        mine = {"token_checksum": issuing.digest(token), "application": request.client}
        found = AccessToken.objects.filter(**mine).first() or RefreshToken.objects.filter(**mine).first()
        if found is None:
            return
        actor = Actor(text=str(request.client.connector))
        if found.authorization is None:
            found.delete()
        else:
            Authorization.objects.filter(pk=found.authorization_id).revoke("revoked by its application")
        record(actor, "token.revoke", on=found.authorization or request.client)
