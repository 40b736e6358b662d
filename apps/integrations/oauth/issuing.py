"""Codes and tokens: made, kept as digests, and found again."""

import hashlib
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone
from oauth2_provider.models import set_token_value

from apps.api import tokens

from ..models import AccessToken, Application, Authorization, Grant, RefreshToken

CODE_LIFE = timedelta(seconds=60)
ACCESS_LIFE = timedelta(hours=1)
REFRESH_LIFE = timedelta(days=30)
NEVER = datetime(9999, 12, 31, tzinfo=UTC)  # when a shop's token expires


def access_token(request: Any = None) -> str:
    return tokens.new_token(tokens.ACCESS)


def refresh_token(request: Any = None) -> str:
    return tokens.new_token(tokens.REFRESH)


def digest(text: str) -> str:
    """What we keep of a code or a token."""
    return hashlib.sha256(text.encode()).hexdigest()


def give_code(grant: Grant) -> str:
    """A new code for it, good for a minute; one it had before is none any more. The code itself is not kept."""
    code = secrets.token_urlsafe(32)
    grant.code, grant.expires = digest(code), timezone.now() + CODE_LIFE
    grant.save()
    return code


def keep_access_token(
    token: str, *, application: Application | None, scope: str, of: Authorization | None
) -> AccessToken:
    """Store it: of a consent, or (None) of the application itself.

    That of a shop never expires (design 2.2), and does not go when the person who consented is deleted.
    """
    made = AccessToken(
        application=application,
        authorization=of,
        user=of.user if of and not of.is_lasting else None,
        scope=scope,
        expires=NEVER if of and of.is_lasting else timezone.now() + ACCESS_LIFE,
    )
    set_token_value(made, token)
    made.save()
    return made


def keep_refresh_token(token: str, *, access: AccessToken) -> RefreshToken:
    """Store it beside the access token it came with. The whole family is its authorization's."""
    authorization = access.authorization
    assert authorization
    made = RefreshToken(
        application=access.application,
        authorization=authorization,
        user=authorization.user,
        access_token=access,
        token_family=authorization.pk,
    )
    set_token_value(made, token)
    made.save()
    return made


def retire(token: RefreshToken) -> None:
    """It was exchanged for a new pair: neither it nor its access token is any good from now on."""
    former = token.access_token_id
    RefreshToken.objects.filter(pk=token.pk).update(revoked=timezone.now(), access_token=None)
    AccessToken.objects.filter(pk=former).delete()


def is_fresh(token: RefreshToken) -> bool:
    return token.authorization.is_lasting or token.created + REFRESH_LIFE > timezone.now()


def stale_codes(*, before: datetime) -> QuerySet[Grant]:
    return Grant.objects.filter(expires__lt=before)


def stale_access_tokens(*, before: datetime) -> QuerySet[AccessToken]:
    """Those of a shop are never stale, whatever their row says."""
    of_nobody_or_passing = Q(authorization=None) | Q(authorization__is_lasting=False)
    return AccessToken.objects.filter(of_nobody_or_passing, expires__lt=before)


def stale_refresh_tokens(*, before: datetime) -> QuerySet[RefreshToken]:
    """Exchanged ones are kept as long as they might have been used: a replay has to be recognised."""
    return RefreshToken.objects.filter(authorization__is_lasting=False, created__lt=before - REFRESH_LIFE)
