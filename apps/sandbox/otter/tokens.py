"""`POST /v1/auth/token`: codes and client credentials become tokens. Errors are RFC 6749 part 5.2.

The vendor has no refresh tokens. With the switch `refresh_tokens` on, a code also gives one; each works once,
gives the next, and a second use ends every token of that consent (RFC 9700 part 4.14).
"""

import base64
import hashlib
from collections.abc import Callable
from datetime import timedelta
from secrets import compare_digest

from django.db import transaction
from django.http import HttpRequest, QueryDict
from django.utils import timezone

from apps.sandbox.credentials import digest, new_secret
from apps.sandbox.faults import take
from apps.sandbox.models import Switches
from apps.sandbox.otter.models import Application, Grant, Token
from apps.sandbox.otter.scopes import MACHINE, within
from apps.sandbox.token_endpoint import TokenError, presented_pairs, token_endpoint

REFRESH_LIFE = timedelta(days=90)


@token_endpoint
def token(request: HttpRequest) -> dict:
    """The token answer. Raises TokenError."""
    form = request.POST
    application = application_with(presented_pairs(request))
    redeem = redemption_for(form.get("grant_type"))
    # Vendor's specification: scope is required, whatever the grant. RFC 6749 asks for none on a refresh.
    if not form.get("scope") and redeem is not refreshed:
        raise TokenError("invalid_scope", "scope is required")
    return redeem(request, application)


def redemption_for(grant_type: str | None) -> Callable[[HttpRequest, Application], dict]:
    """The function that serves a grant type. Raises TokenError."""
    kinds = {"authorization_code": exchanged, "client_credentials": issued}
    if Switches.current().refresh_tokens:
        kinds["refresh_token"] = refreshed
    if not grant_type:
        raise TokenError("invalid_request", "grant_type is required")
    if grant_type not in kinds:
        raise TokenError("unsupported_grant_type", f"Supported: {', '.join(kinds)}")
    return kinds[grant_type]


def application_with(pairs: list[tuple[str, str]]) -> Application:
    """The application that one of the pairs names and proves. Raises TokenError (401)."""
    for client_id, secret in pairs:
        application = Application.objects.filter(pk=client_id).first()
        if application and compare_digest(application.client_secret.encode(), secret.encode(errors="replace")):
            return application
    raise TokenError("invalid_client", "The client could not be authenticated", status=401)


def issued(request: HttpRequest, application: Application) -> dict:
    """Client credentials: a token of the application itself."""
    if not within(request.POST["scope"], MACHINE):
        raise TokenError("invalid_scope", "Not a scope of client credentials")
    return token_answer(application=application, scope=request.POST["scope"])


def exchanged(request: HttpRequest, application: Application) -> dict:
    """An authorization code for tokens: once, within its life, by its client, with its address and verifier.

    A code that was used before ends the tokens of its first use (RFC 6749 part 4.1.2).
    """
    refuse_on_order(request)
    code = digest(request.POST.get("code", ""))
    with transaction.atomic():
        grant = Grant.objects.filter(code=code, application=application).first()
        if grant and grant.used_at:
            end(grant)
        elif grant and grant.expires_at > timezone.now():
            check(grant, request.POST)
            Grant.objects.filter(pk=grant.pk).update(used_at=timezone.now())
            return token_answer(application=application, scope=request.POST["scope"], grant=grant, request=request)
    raise TokenError("invalid_grant", "The code is unknown, used or expired")


def check(grant: Grant, form: QueryDict) -> None:
    """Raises TokenError unless the exchange fits the authorization request; the code then stays usable."""
    if form.get("redirect_uri") != grant.redirect_uri:
        raise TokenError("invalid_grant", "redirect_uri differs from the authorization request")
    if not within(form["scope"], set(grant.scope.split())):
        raise TokenError("invalid_scope", "More than the user allowed")
    if challenge_for(form.get("code_verifier")) != grant.challenge:
        raise TokenError("invalid_grant", "code_verifier does not fit")


def challenge_for(verifier: str | None) -> str:
    """The S256 challenge of a verifier (RFC 7636 part 4.2); empty without one."""
    if not verifier:
        return ""
    hashed = hashlib.sha256(verifier.encode(errors="replace")).digest()
    return base64.urlsafe_b64encode(hashed).decode().rstrip("=")


def refreshed(request: HttpRequest, application: Application) -> dict:
    """A refresh token for the next pair. A second use ends the whole family."""
    refuse_on_order(request)
    presented = {"digest": digest(request.POST.get("refresh_token", "")), "application": application}
    with transaction.atomic():
        old = Token.objects.filter(is_refresh=True, **presented).select_related("grant").first()
        if old and old.revoked_at:
            end(old.grant)
        elif old and old.expires_at > timezone.now():
            scope = request.POST.get("scope") or old.scope
            if not within(scope, set(old.scope.split())):
                raise TokenError("invalid_scope", "More than the user allowed")
            Token.objects.filter(pk=old.pk).update(revoked_at=timezone.now())
            return token_answer(application=application, scope=scope, grant=old.grant, request=request)
    raise TokenError("invalid_grant", "The refresh token is unknown, used or expired")


def refuse_on_order(request: HttpRequest) -> None:
    if take(request, "invalid_grant", anywhere=True):
        raise TokenError("invalid_grant", "Refused on order")


def end(grant: Grant) -> None:
    """Revoke every token that came from a consent."""
    grant.tokens.filter(revoked_at=None).update(revoked_at=timezone.now())


def token_answer(
    *, application: Application, scope: str, grant: Grant | None = None, request: HttpRequest | None = None
) -> dict:
    """Make the access token, and the refresh token where there is to be one, and the answer that carries them."""
    switches = Switches.current()
    life = timedelta(seconds=switches.token_seconds)
    answer = {
        "access_token": new_token(application=application, grant=grant, scope=scope, life=life),
        "expires_in": switches.token_seconds,
        "scope": scope,
        "token_type": "bearer",
    }
    if grant and switches.refresh_tokens and not take(request, "missing_refresh", anywhere=True):
        answer["refresh_token"] = new_token(
            application=application, grant=grant, scope=scope, life=REFRESH_LIFE, is_refresh=True
        )
    return answer


def new_token(*, life: timedelta, **columns: object) -> str:
    """A new token in clear; its hash is stored."""
    secret = new_secret()
    Token.objects.create(digest=digest(secret), expires_at=timezone.now() + life, **columns)
    return secret
