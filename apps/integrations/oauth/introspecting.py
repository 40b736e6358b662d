"""What we tell an application about a token of its own (RFC 7662)."""

from typing import Any

from django.conf import settings
from django.utils import timezone

from ..models import AccessToken, Application, RefreshToken
from .issuing import REFRESH_LIFE, digest, is_fresh

WITH_CONSENT = [f"authorization__{name}" for name in ("organization", "shop", "user__membership__organization")]


def facts_of(token: str, *, of: Application) -> dict[str, Any] | None:
    """The members of the answer; None for what is no live token of this application."""
    mine = {"token_checksum": digest(token), "application": of}
    if access := AccessToken.objects.select_related(*WITH_CONSENT).filter(**mine).first():
        return _of_access_token(access)
    refresh = RefreshToken.objects.select_related(*WITH_CONSENT).filter(**mine, revoked=None).first()
    return _of_refresh_token(refresh) if refresh else None


def _of_access_token(token: AccessToken) -> dict[str, Any] | None:
    consent = token.authorization
    if token.expires <= timezone.now() or (consent and not consent.is_in_force):
        return None
    end = {} if consent and consent.is_lasting else {"exp": int(token.expires.timestamp())}
    return _facts(token, scope=token.scope) | {"token_type": "Bearer"} | end


def _of_refresh_token(token: RefreshToken) -> dict[str, Any] | None:
    if not (is_fresh(token) and token.authorization.is_in_force):
        return None
    end = {} if token.authorization.is_lasting else {"exp": int((token.created + REFRESH_LIFE).timestamp())}
    return _facts(token, scope=token.authorization.scope) | end


def _facts(token: AccessToken | RefreshToken, *, scope: str) -> dict[str, Any]:
    assert token.application
    return {
        "active": True,
        "scope": scope,
        "client_id": token.application.client_id,
        "iat": int(token.created.timestamp()),
        "iss": settings.PUBLIC_URL,
    }
