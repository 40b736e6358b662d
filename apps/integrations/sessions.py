"""Sessions that carry an integration's permission: opened, refreshed, and closed for good when it is gone.

A token is refreshed under its row's lock and stored before it is used, so that of many workers that meet an expired
token one asks for a new one and the others read it.
"""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import requests
from authlib.common.errors import AuthlibBaseError
from django.db import OperationalError, connection, transaction
from django.utils import timezone
from psycopg.errors import LockNotAvailable

from apps.egress import OutboundOAuthSession, OutboundSession
from apps.encrypted import CannotOpen

from .connectors import Connector, environment
from .connectors.base import ConnectorError, Keys, OAuth2, Rejected, Unauthorized, Unreachable
from .connectors.http import retry_after
from .models import ApplicationToken, Credential, Integration

EARLY = timedelta(seconds=60)  # a token this close to its end may die on the way
REFUSALS = (  # RFC 6749 5.2
    "invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type",
    "invalid_scope",
)  # fmt: skip


def open_client(integration: Integration) -> Any:
    """The connector's client, ready to call. Raises Unauthorized when there is no permission to call with."""
    return _open(integration)[0]


def _open(integration: Integration) -> tuple[Any, list[str]]:
    """The client, and the tokens it carries: the owner's, then our application's."""
    kind = integration.kind
    if isinstance(kind.auth, Keys):
        return kind.client(_key_session(integration, kind.auth), address=integration.address), []
    assert isinstance(kind.auth, OAuth2)  # a partner's connector has no client of ours to open
    owner = _owner_token(integration)
    application, ours = _application(kind, kind.auth)
    client = kind.client(_bearer(kind, owner), address=integration.address, application=application)
    return client, [token["access_token"] for token in (owner, ours) if token]


def _application(connector: Connector, auth: OAuth2) -> tuple[requests.Session | None, dict[str, Any] | None]:
    """Our own session and its token. When there is none to be had, only the calls that need it fail."""
    if not auth.application_scopes:
        return None, None
    try:
        ours = _application_token(connector, auth)
    except Unreachable as error:
        return _Withheld(error), None
    return _bearer(connector, ours), ours


class _Withheld(requests.Session):
    """Stands in for a session we were refused; says so to whoever uses it."""

    def __init__(self, error: Unreachable) -> None:
        super().__init__()
        self.error = error

    def request(self, *args: Any, **kwargs: Any) -> requests.Response:
        raise self.error


def call[Result](integration: Integration, work: Callable[[Any], Result]) -> Result:
    """Do `work` with the integration's client. A 401 gets a second try with renewed permission."""
    tokens: list[str] = []
    try:
        client, tokens = _open(integration)
        return work(client)
    except Unauthorized as error:
        refused = tokens[1:] if error.code == "application_refused" else tokens[:1]
        return call_renewed(integration, work, refused=refused)


def call_renewed[Result](
    integration: Integration, work: Callable[[Any], Result], *, refused: Collection[str] | None = None
) -> Result:
    """Renew the permission and do `work`; a 401 now makes the integration `needs reconnect`, and is raised.

    A first 401 may be a token that has just died, or (at Otter, contracts 3.1) a passing fault. `refused` are the
    tokens it was answered to. A 401 to the 3PL's own token alone is Unreachable: no owner can do anything about it.
    """
    try:
        renew(integration, refused=refused)
        return work(open_client(integration))
    except Unauthorized as error:
        if error.code == "application_refused" and not _is_owner_refused(integration):
            raise Unreachable(str(error), code=error.code) from error
        integration.lose_permission(str(error))
        raise Unauthorized(str(error)) from error


def _is_owner_refused(integration: Integration) -> bool:
    """Whether the owner's permission is gone as well: then it is not the 3PL's own that has to be mended."""
    try:
        open_client(integration).organization()
    except Unauthorized:
        return True
    except ConnectorError:
        return False
    return False


def bearer_client(connector: Connector, token: dict[str, Any]) -> Any:
    """The connector's client with a token that is not stored yet: to see whose it is."""
    return connector.client(_bearer(connector, token), address=environment(connector)["URL"])


def renew(integration: Integration, *, refused: Collection[str] | None = None) -> None:
    """Replace what may have died: the owner's token if it can be refreshed, and our own application token.

    With `refused`, only those of them: another worker may have met the same 401 and have renewed already.
    """
    kind = integration.kind
    if isinstance(kind.auth, OAuth2):
        row = ApplicationToken.objects.filter(connector=kind.slug).first()
        if row and _is_among(refused, _shared_token(kind, kind.auth) or {}):
            ApplicationToken.objects.filter(pk=row.pk, sealed=row.sealed).delete()
        _refresh(integration, refused=refused)


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
    for answer in ("access_token_response", "refresh_token_response"):
        session.register_compliance_hook(answer, _not_refused)
    try:
        token = fetch(session, known["URL"] + connector.auth.token_path)
    except AuthlibBaseError as error:
        raise Rejected(str(error), code=error.error if error.error in REFUSALS else "token_refused") from error
    except requests.RequestException as error:
        raise Unreachable(f"{connector.name}'s token endpoint: {error}") from error
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
        raise Unreachable(f"{connector.name}'s token endpoint answered nonsense.", code="garbled") from error
    if not isinstance(token, dict) or not _is_token(token.get("access_token")):
        raise Unreachable(f"{connector.name}'s token endpoint sent no token.", code="garbled")
    return token


def _not_refused(response: requests.Response) -> requests.Response:
    """The answer as it came, unless it refuses in another form than RFC 6749's (Otter's is contracts 3.3)."""
    if response.status_code == 429:
        raise Unreachable("The token endpoint is busy.", code="rate_limited", retry_after=retry_after(response))
    if 400 <= response.status_code < 500:
        said = response.json()
        if isinstance(said, dict) and "error" not in said:
            detail = f"The token endpoint answered {response.status_code}: {response.text[:300]}"
            raise Rejected(detail, code="token_refused", status=response.status_code)
    return response


def _is_token(value: Any) -> bool:
    """RFC 6749 A.12: printable ASCII; anything else no header could carry."""
    return isinstance(value, str) and value != "" and value.isascii() and value.isprintable()


def _expiry(token: dict[str, Any]) -> datetime | None:
    try:
        return timezone.now() + timedelta(seconds=int(token["expires_in"]))
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


def _is_stale(row: Credential | ApplicationToken) -> bool:
    return row.expires_at is not None and row.expires_at <= timezone.now() + EARLY


def _opened(row: Credential | ApplicationToken) -> dict[str, Any]:
    try:
        return row.secrets
    except CannotOpen as error:  # a key the operator dropped too early, and may bring back
        raise Unreachable(str(error), code="bug") from error


def _is_among(refused: Collection[str] | None, token: dict[str, Any]) -> bool:
    return refused is None or token.get("access_token") in refused


def _key_session(integration: Integration, auth: Keys) -> OutboundSession:
    session = OutboundSession()
    session.headers.update(auth.headers(_opened(_credential(integration))))
    return session


def _credential(integration: Integration) -> Credential:
    credential = Credential.objects.filter(integration=integration).first()
    if credential is None:
        raise Unauthorized("We hold no permission for this account.")
    return credential


def _bearer(connector: Connector, token: dict[str, Any]) -> OutboundOAuthSession:
    # No `expires_in`: when to refresh is decided here, under the row's lock, and not by the library.
    carried = {"access_token": token["access_token"], "token_type": "Bearer"}
    return OutboundOAuthSession(environment(connector)["CLIENT_ID"], token=carried)


def _owner_token(integration: Integration) -> dict[str, Any]:
    credential = _credential(integration)
    token = _opened(credential)
    if _is_stale(credential) and token.get("refresh_token"):
        _refresh(integration, refused={token["access_token"]})
        token = _opened(_credential(integration))
    return token


@contextmanager
def _alone() -> Iterator[None]:
    """A transaction that takes a lock and then makes one call, on purpose: what the call returns must be stored
    before anybody else may try. Raises Unreachable when somebody else's call takes too long to wait for.
    """
    try:
        with transaction.atomic(durable=True):
            yield
    except OperationalError as error:
        if isinstance(error.__cause__, LockNotAvailable):
            raise Unreachable("Somebody else has been renewing this permission for a while.", code="timeout") from error
        raise


def _refresh(integration: Integration, *, refused: Collection[str] | None) -> None:
    """Refresh the owner's token, unless it can not be or is none of those refused: then somebody else has done so."""
    with _alone():
        credential = Credential.objects.select_for_update().filter(integration=integration).first()
        old = _opened(credential) if credential else {}
        if not credential or not old.get("refresh_token") or not _is_among(refused, old):
            return
        token = _refreshed(integration.kind, old["refresh_token"])
        credential.secrets = {"refresh_token": old["refresh_token"]} | token
        credential.expires_at = _expiry(token)
        credential.save()


def _refreshed(connector: Connector, refresh_token: str) -> dict[str, Any]:
    try:
        return token_request(connector, lambda session, url: session.refresh_token(url, refresh_token=refresh_token))
    except Rejected as refused:
        if refused.code != "invalid_grant":  # RFC 6749 5.2: every other refusal is not about this permission
            raise Unreachable(f"Renewing the permission: {refused}") from refused
        raise Unauthorized(f"The permission could not be renewed: {refused}") from refused


def _application_token(connector: Connector, auth: OAuth2) -> dict[str, Any]:
    """The 3PL's own token, fetched once and shared until it nears its end."""
    if token := _shared_token(connector, auth):
        return token
    with _alone():
        with connection.cursor() as cursor:  # there may be no row yet that could be locked
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [f"application token at {connector.slug}"])
        return _shared_token(connector, auth) or _fetch_application_token(connector, auth)


def _shared_token(connector: Connector, auth: OAuth2) -> dict[str, Any] | None:
    """None also when it was asked for before the connector came to need what it needs now."""
    row = ApplicationToken.objects.filter(connector=connector.slug).first()
    try:
        token = None if row is None or _is_stale(row) else row.secrets
    except CannotOpen:
        return None
    return token if token and token.get("asked") == _asked(auth) else None


def _asked(auth: OAuth2) -> str:
    return " ".join(auth.application_scopes)


def _fetch_application_token(connector: Connector, auth: OAuth2) -> dict[str, Any]:
    try:
        token = token_request(
            connector,
            lambda session, url: session.fetch_token(url, grant_type="client_credentials", scope=_asked(auth)),
        )
    except Rejected as refused:
        raise Unreachable(f"Our own client credentials: {refused}", code="application_refused") from refused
    row = ApplicationToken(connector=connector.slug, expires_at=_expiry(token))
    row.secrets = token | {"asked": _asked(auth)}
    ApplicationToken.objects.bulk_create(
        [row],
        update_conflicts=True,
        unique_fields=["connector"],
        update_fields=["sealed", "expires_at", "updated_at"],
    )
    return token
