"""Sessions that carry an integration's permission: opened, refreshed, and closed for good when it is gone.

A token is refreshed under its row's lock and stored before it is used, so that of many workers that meet an expired
token one asks for a new one and the others read it.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import requests
from authlib.common.errors import AuthlibBaseError
from django.db import transaction
from django.utils import timezone

from apps.egress import OutboundOAuthSession, OutboundSession

from .connectors import Connector, environment
from .connectors.base import Keys, OAuth2, Rejected, Unauthorized, Unreachable
from .models import ApplicationToken, Credential, Integration

EARLY = timedelta(seconds=60)  # a token this close to its end may die on the way


def open_client(integration: Integration) -> Any:
    """The connector's client, ready to call. Raises Unauthorized when there is no permission to call with."""
    kind = integration.kind
    if isinstance(kind.auth, Keys):
        return kind.client(_key_session(integration, kind.auth), address=integration.address)
    application = _application_session(kind, kind.auth) if kind.auth.application_scopes else None
    return kind.client(_owner_session(integration), address=integration.address, application=application)


def call[Result](integration: Integration, work: Callable[[Any], Result]) -> Result:
    """Do `work` with the integration's client. A 401 gets a second try with renewed permission."""
    try:
        return work(open_client(integration))
    except Unauthorized:
        return call_renewed(integration, work)


def call_renewed[Result](integration: Integration, work: Callable[[Any], Result]) -> Result:
    """Renew the permission and do `work`; a 401 now makes the integration `needs reconnect`, and is raised.

    A first 401 may be a token that has just died, or (at Otter, contracts 3.1) a passing fault.
    """
    try:
        renew(integration)
        return work(open_client(integration))
    except Unauthorized as refused:
        integration.lose_permission(str(refused))
        raise


def bearer_client(connector: Connector, token: dict[str, Any]) -> Any:
    """The connector's client with a token that is not stored yet: to see whose it is."""
    return connector.client(_bearer(connector, token), address=environment(connector)["URL"])


def renew(integration: Integration) -> None:
    """Replace what may have died: the owner's token if it can be refreshed, and our own application token."""
    kind = integration.kind
    if isinstance(kind.auth, OAuth2):
        ApplicationToken.objects.filter(connector=kind.slug).delete()
        used = Credential.objects.filter(integration=integration).values_list("updated_at", flat=True).first()
        _fresh_token(integration, older_than=used)


def store_token(integration: Integration, token: dict[str, Any]) -> None:
    """Keep what a token endpoint answered (RFC 6749 5.1), or what a key sign-in returned."""
    credential = Credential.objects.filter(integration=integration).first() or Credential(
        integration=integration, organization=integration.organization
    )
    credential.secrets = token
    credential.expires_at = _expiry(token)
    credential.save()


def token_request(connector: Connector, fetch: Callable[[OutboundOAuthSession, str], Any]) -> dict[str, Any]:
    """Ask the connector's token endpoint; `fetch` gets a session with our client credentials, and the address.

    Raises Rejected (RFC 6749 5.2, with its error code), or Unreachable. The answer has an access_token.
    """
    known = environment(connector)
    assert isinstance(connector.auth, OAuth2)
    session = OutboundOAuthSession(
        known["CLIENT_ID"],
        known["CLIENT_SECRET"],
        scope=" ".join(connector.auth.scopes),
        code_challenge_method="S256",
        token_endpoint_auth_method="client_secret_post",  # noqa: S106 - the name of a method
    )
    try:
        token = fetch(session, known["URL"] + connector.auth.token_path)
    except AuthlibBaseError as error:
        raise Rejected(str(error), code=error.error or "token_refused") from error
    except requests.RequestException as error:
        raise Unreachable(f"{connector.name}'s token endpoint: {error}") from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise Unreachable(f"{connector.name}'s token endpoint answered nonsense.", code="garbled") from error
    if not isinstance(token, dict) or not isinstance(token.get("access_token"), str):
        raise Unreachable(f"{connector.name}'s token endpoint sent no token.", code="garbled")
    return token


def _expiry(token: dict[str, Any]) -> datetime | None:
    try:
        return timezone.now() + timedelta(seconds=int(token["expires_in"]))
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


def _is_stale(row: Credential | ApplicationToken) -> bool:
    return row.expires_at is not None and row.expires_at <= timezone.now() + EARLY


def _key_session(integration: Integration, auth: Keys) -> OutboundSession:
    session = OutboundSession()
    session.headers.update(auth.headers(_secrets(integration)))
    return session


def _secrets(integration: Integration) -> dict[str, Any]:
    credential = Credential.objects.filter(integration=integration).first()
    if credential is None:
        raise Unauthorized("We hold no permission for this account.")
    return credential.secrets


def _bearer(connector: Connector, token: dict[str, Any]) -> OutboundOAuthSession:
    # No `expires_in`: when to refresh is decided here, under the row's lock, and not by the library.
    carried = {"access_token": token["access_token"], "token_type": "Bearer"}
    return OutboundOAuthSession(environment(connector)["CLIENT_ID"], token=carried)


def _owner_session(integration: Integration) -> OutboundOAuthSession:
    credential = Credential.objects.filter(integration=integration).first()
    if credential and _is_stale(credential) and credential.secrets.get("refresh_token"):
        _fresh_token(integration, older_than=credential.updated_at)
    return _bearer(integration.kind, _secrets(integration))


def _fresh_token(integration: Integration, *, older_than: datetime | None) -> None:
    """Refresh the owner's token, unless somebody else has done so since `older_than`.

    The transaction is open during this one call on purpose: the refresh token is used up by it, so nobody else may
    try, and the new one must be stored before anything else can happen.
    """
    with transaction.atomic():
        credential = Credential.objects.select_for_update().filter(integration=integration).first()
        if credential is None or credential.updated_at != older_than:
            return
        refresh_token = credential.secrets.get("refresh_token")
        if not refresh_token:
            return
        try:
            token = token_request(
                integration.kind,
                lambda session, url: session.refresh_token(url, refresh_token=refresh_token),
            )
        except Rejected as refused:
            if refused.code != "invalid_grant":  # RFC 6749 5.2: every other refusal is not about this permission
                raise Unreachable(f"Renewing the permission: {refused}") from refused
            raise Unauthorized(f"The permission could not be renewed: {refused}") from refused
        credential.secrets = {"refresh_token": refresh_token} | token
        credential.expires_at = _expiry(token)
        credential.save()


def _application_session(connector: Connector, auth: OAuth2) -> OutboundOAuthSession:
    """A session with the 3PL's own token, fetched once and shared until it nears its end."""
    row = ApplicationToken.objects.filter(connector=connector.slug).first()
    if row is None or _is_stale(row):
        row = _fetch_application_token(connector, auth)
    return _bearer(connector, row.secrets)


def _fetch_application_token(connector: Connector, auth: OAuth2) -> ApplicationToken:
    scope = " ".join(auth.application_scopes)
    try:
        token = token_request(
            connector,
            lambda session, url: session.fetch_token(url, grant_type="client_credentials", scope=scope),
        )
    except Rejected as refused:
        raise Unreachable(f"Our own client credentials: {refused}", code="application_refused") from refused
    row = ApplicationToken(connector=connector.slug, expires_at=_expiry(token))
    row.secrets = token
    ApplicationToken.objects.bulk_create(
        [row],
        update_conflicts=True,
        unique_fields=["connector"],
        update_fields=["sealed", "expires_at", "updated_at"],
    )
    return row
