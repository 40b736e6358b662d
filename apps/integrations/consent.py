"""How an owner gives us permission at their platform, and how we come to know whose account it is.

The authorization code flow of RFC 6749 with PKCE S256 (RFC 7636) and the issuer check of RFC 9207; RFC 9700 says why.
"""

import hashlib
import secrets
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from authlib.oauth2.rfc7636 import create_s256_code_challenge
from django.db import IntegrityError, transaction
from django.db.models import Subquery
from django.utils import timezone

from apps.accounts.models import Organization, User
from apps.egress import AddressRefused, OutboundSession, check_url
from apps.encrypted import CannotOpen

from .connectors import Connector, environment, get_connector
from .connectors.base import ConnectorError, Keys, OAuth2, RemoteOrganization, Unauthorized
from .models import AuthorizationAttempt, Integration
from .sessions import bearer_client, store_token, token_request


class ConsentProblem(Exception):
    """We got no permission. `code` says why; `attempt` is the trip it ended, when we know which.

    Codes: unknown, used, expired, other_browser, other_user, denied, wrong_issuer, fewer_scopes, other_account,
    disabled, address_refused, or the code of the ConnectorError that the platform's answer became.
    """

    def __init__(
        self, code: str, *, attempt: AuthorizationAttempt | None = None, detail: str = "", account: str = ""
    ) -> None:
        super().__init__(detail or code)
        self.code, self.attempt, self.detail, self.account = code, attempt, detail, account


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def begin(
    connector: Connector,
    *,
    user: User,
    organization: Organization,
    subject: Any,
    browser: str,
    redirect_uri: str,
    integration: Integration | None = None,
    is_restart: bool = False,
) -> str:
    """Note the attempt, and return the address of the platform's login page to send the person to.

    `browser` is a random value that only this person's browser holds. With `integration`, that one is reconnected.
    """
    assert isinstance(connector.auth, OAuth2)
    state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(64)
    attempt = AuthorizationAttempt(
        organization=organization,
        connector=connector.slug,
        integration=integration,
        subject=subject,
        user=user,
        state_digest=_digest(state),
        browser_digest=_digest(browser),
        is_restart=is_restart,
        expires_at=timezone.now() + AuthorizationAttempt.LIFETIME,
    )
    attempt.secrets = {"verifier": verifier}
    attempt.save()
    return connector.auth.authorization_address(
        environment(connector)["URL"],
        client_id=environment(connector)["CLIENT_ID"],
        redirect_uri=redirect_uri,
        state=state,
        code_challenge=create_s256_code_challenge(verifier),
    )


def finish(
    answer: Mapping[str, str], *, user: User, browser: str, redirect_uri: str
) -> tuple[AuthorizationAttempt, Integration]:
    """Take the platform's answer (the query of the redirect) and return the integration that is now connected.

    Raises ConsentProblem; then no permission was stored.
    """
    attempt = _claim(answer.get("state", ""), user=user, browser=browser)
    connector = get_connector(attempt.connector)
    try:
        token = _exchange(connector, answer, attempt=attempt, redirect_uri=redirect_uri)
        account = _account(connector, token)
        integration = _keep(attempt, connector=connector, account=account, secrets_given=token)
    except ConsentProblem as problem:
        problem.attempt = attempt
        attempt.end(problem.code, problem.account or problem.detail)
        raise
    except ConnectorError as error:
        attempt.end(error.code, str(error))
        raise ConsentProblem(error.code, attempt=attempt, detail=str(error)) from error
    except CannotOpen as error:  # the key that sealed the verifier is gone: a new attempt has a new one
        attempt.end("expired", str(error))
        raise ConsentProblem("expired", attempt=attempt) from error
    attempt.end("connected")
    return attempt, integration


def _claim(state: str, *, user: User, browser: str) -> AuthorizationAttempt:
    """Find the attempt a `state` belongs to and use it up."""
    attempt = AuthorizationAttempt.objects.by_state(state).first()
    if attempt is None:
        raise ConsentProblem("unknown")
    if not secrets.compare_digest(bytes(attempt.browser_digest), _digest(browser)):
        raise ConsentProblem("other_browser")
    if attempt.user_id != user.pk or attempt.organization != user.organization:
        raise ConsentProblem("other_user")
    if not attempt.spend():
        attempt.refresh_from_db(fields=["used_at"])
        raise ConsentProblem("used" if attempt.used_at else "expired", attempt=attempt)
    return attempt


def _exchange(
    connector: Connector, answer: Mapping[str, str], *, attempt: AuthorizationAttempt, redirect_uri: str
) -> dict[str, Any]:
    """Turn the code into a token, after everything about the answer has been checked."""
    issuer = answer.get("iss")
    if issuer is not None and issuer.rstrip("/") != environment(connector)["URL"]:
        raise ConsentProblem("wrong_issuer", attempt=attempt, detail=f"The answer came from {issuer}.")
    if answer.get("error"):
        code = "denied" if answer["error"] == "access_denied" else "refused"
        raise ConsentProblem(code, attempt=attempt, detail=answer.get("error_description") or answer["error"])
    if not answer.get("code"):
        raise ConsentProblem("refused", attempt=attempt, detail="The answer has no code.")
    assert isinstance(connector.auth, OAuth2)
    scope = " ".join(connector.auth.scopes)
    token = token_request(
        connector,
        lambda session, url: session.fetch_token(
            url,
            grant_type="authorization_code",
            code=answer["code"],
            redirect_uri=redirect_uri,
            code_verifier=attempt.secrets["verifier"],
            scope=scope,
        ),
    )
    granted = set(str(token.get("scope") or scope).split())
    if missing := set(connector.auth.scopes) - granted:
        raise ConsentProblem("fewer_scopes", attempt=attempt, detail=", ".join(sorted(missing)))
    return token


def _account(connector: Connector, token: dict[str, Any]) -> RemoteOrganization:
    """Whose account it is. A first 401 may be a passing fault (at Otter, contracts 3.1); the code is spent already."""
    client = bearer_client(connector, token)
    try:
        return client.organization()
    except Unauthorized:
        return client.organization()


def _keep(
    attempt: AuthorizationAttempt,
    *,
    connector: Connector,
    account: RemoteOrganization,
    secrets_given: dict[str, Any],
) -> Integration:
    wanted = attempt.integration
    if wanted and wanted.account_ref != account.id:
        raise ConsentProblem("other_account", attempt=attempt, account=account.name)
    return keep_permission(
        connector,
        organization=attempt.organization,
        account=account,
        secrets_given=secrets_given,
        by=attempt.user,
    )


@transaction.atomic
def keep_permission(
    connector: Connector,
    *,
    organization: Organization,
    account: RemoteOrganization,
    secrets_given: dict[str, Any],
    by: User,
    address: str = "",
) -> Integration:
    """The organization's one integration for this account, connected, holding the permission just given.

    Raises ConsentProblem, code disabled, when the 3PL has switched it off.
    """
    integration = _integration_for(account, connector=connector, organization=organization, by=by)
    if integration.state == Integration.State.DISABLED:
        raise ConsentProblem("disabled")
    if address:
        integration.settings["address"] = address
    integration.connect(account.id, account.name)  # locks the row, so two at once do not both make a credential
    store_token(integration, secrets_given)
    return integration


def _integration_for(
    account: RemoteOrganization, *, connector: Connector, organization: Organization, by: User
) -> Integration:
    """The one there is, locked; else one that was added and waits for an account; else a new one."""
    place: dict[str, Any] = {"organization": organization, "connector": connector.slug}
    waiting = Integration.objects.kept().filter(**place, account_ref="", state=Integration.State.NOT_CONFIGURED)
    first = waiting.order_by("created_at", "pk").values("pk")[:1]
    with suppress(IntegrityError), transaction.atomic():  # the account has its own, perhaps since a moment ago
        waiting.filter(pk=Subquery(first)).update(account_ref=account.id)
    new = {"name": f"{connector.name}: {account.name}"[:200], "created_by": by}
    found, _ = Integration.objects.get_or_create(**place, account_ref=account.id, defaults=new)
    return Integration.objects.select_for_update(no_key=True).get(pk=found.pk)


def sign_in_with_keys(
    connector: Connector,
    answers: Mapping[str, str],
    *,
    organization: Organization,
    user: User,
    integration: Integration | None = None,
) -> Integration:
    """Try the address and keys an owner typed; return the integration that is now connected.

    Raises ConsentProblem; then nothing was stored.
    """
    assert isinstance(connector.auth, Keys)
    address = answers["address"].rstrip("/")
    try:
        check_url(address)
        given = connector.auth.sign_in(OutboundSession(), address, answers)
        session = OutboundSession()
        session.headers.update(connector.auth.headers(given))
        account = connector.client(session, address=address).organization()
    except AddressRefused as refused:
        raise ConsentProblem("address_refused", detail=str(refused)) from refused
    except ConnectorError as error:
        raise ConsentProblem(error.code, detail=str(error)) from error
    if integration and integration.account_ref != account.id:
        raise ConsentProblem("other_account", account=account.name)
    return keep_permission(
        connector, organization=organization, account=account, secrets_given=given, by=user, address=address
    )
