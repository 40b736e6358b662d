"""`POST /v1/auth/token`: codes and client credentials become tokens. Errors are RFC 6749 part 5.2.

The vendor has no refresh tokens. With the switch `refresh_tokens` on, a code also gives one; each works once,
gives the next, and a second use ends every token of that consent (RFC 9700 part 4.14).
"""

import base64
import hashlib
from collections.abc import Callable
from datetime import timedelta
from secrets import compare_digest
from urllib.parse import unquote_plus

from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from apps.sandbox.faults import take
from apps.sandbox.models import Switches
from apps.sandbox.otter.bearer import digest, new_secret
from apps.sandbox.otter.models import Application, Grant, Token
from apps.sandbox.otter.scopes import MACHINE, within

REFRESH_LIFE = timedelta(days=90)


class TokenError(Exception):
    """An error of the token endpoint: its RFC 6749 code and a description."""

    def __init__(self, code: str, description: str, *, status: int = 400):
        super().__init__(description)
        self.code, self.description, self.status = code, description, status


@csrf_exempt
def token(request: HttpRequest) -> HttpResponse:
    """Answer a form-encoded token request with a token or with an error as JSON, never cached."""
    try:
        response = JsonResponse(answer_to(request))
    except TokenError as refused:
        body = {"error": refused.code, "error_description": refused.description}
        response = JsonResponse(body, status=refused.status)
        if refused.status == 401:
            response["WWW-Authenticate"] = 'Basic realm="token"'
    response["Cache-Control"] = "no-store"
    return response


def answer_to(request: HttpRequest) -> dict:
    """The token answer. Raises TokenError."""
    if request.method != "POST":
        raise TokenError("invalid_request", "Use POST", status=405)
    form = request.POST
    repeated = [name for name in form if len(form.getlist(name)) > 1]
    if repeated:
        raise TokenError("invalid_request", f"{repeated[0]} is given more than once")
    application = authenticated(request)
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


def authenticated(request: HttpRequest) -> Application:
    """The application, by HTTP Basic or by the body but not by both. Raises TokenError (401)."""
    kind, _, value = request.headers.get("Authorization", "").partition(" ")
    in_body = (request.POST.get("client_id", ""), request.POST.get("client_secret", ""))
    if kind.lower() != "basic":
        return application_with([in_body])
    if in_body[1]:
        raise TokenError("invalid_request", "Send the client's secret in one place only")
    return application_with(basic_pairs(value))


def basic_pairs(value: str) -> list[tuple[str, str]]:
    """Id and secret as sent, and form-decoded: RFC 6749 wants them encoded, many clients send them as they are."""
    try:
        text = base64.b64decode(value, validate=True).decode()
    except ValueError:
        return []
    client_id, _, secret = text.partition(":")
    return [(client_id, secret), (unquote_plus(client_id), unquote_plus(secret))]


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
