"""From a credential to the Principal who makes the call. One SELECT for each kind of credential."""

import hashlib
from typing import Any

from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from apps.accounts.models import Store, User
from apps.api import limits, tokens
from apps.api.errors import Problem, unauthorized
from apps.api.grants import ITSELF
from apps.api.principals import Kind, Principal, address_of
from apps.integrations.models import (
    AccessToken,
    ApiKey,
    Application,
    Authorization,
    Integration,
    PartnerConnector,
    ReachableStore,
)
from apps.integrations.oauth import clients

KEY_HEADERS = ("X-Api-Key", "X-Pipe17-Key")
KINDS = {
    ApiKey.Kind.INTEGRATION: Kind.KEY,
    ApiKey.Kind.CONNECTOR: Kind.CONNECTOR_KEY,
    ApiKey.Kind.USER: Kind.USER_KEY,
}
OF_CONNECTOR_KEYS = frozenset({"connectors:read", "connectors:write"})
# What is read with a key: each join costs Django as much time as all the rest of a call, also when it brings nothing.
RELATED = {
    tokens.INTEGRATION_KEY: ["integration__partner"],
    tokens.CONNECTOR_KEY: ["connector"],
    tokens.USER_KEY: ["user__membership__organization"],
}


class MachineAuthentication(BaseAuthentication):
    """A token or a key as bearer, a key in a header of its own, or an application's id and secret (HTTP Basic).

    None when there is no credential at all. Raises Problem: unauthorized (which does not say why), two_credentials,
    rate_limited (too many wrong ones from one address).
    """

    def authenticate(self, request: Request) -> tuple[Principal, str] | None:
        found = _credential(request)
        if found is None:
            return None
        scheme, value = found
        principal = _of_client(request) if scheme == "basic" else _of_token(request, value)
        request._request.principal = principal  # type: ignore[attr-defined]
        return principal, scheme

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="Crossdock"'


def _credential(request: Request) -> tuple[str, str] | None:
    """Its scheme and value. One call has one credential (RFC 6750, 2)."""
    found = [("bearer", request.headers[name].strip()) for name in KEY_HEADERS if name in request.headers]
    if header := request.headers.get("Authorization", ""):
        scheme, _, value = header.partition(" ")
        found.append((scheme.lower(), value.strip()))
    if found and found[0][0] not in ("bearer", "basic"):
        raise unauthorized()
    if len(found) > 1 or any("," in value for _, value in found):  # a header that came twice arrives as one
        raise Problem("two_credentials")
    return found[0] if found else None


def _of_token(request: Request, token: str) -> Principal:
    principal = None
    if tokens.is_wellformed(token):
        is_key = tokens.kind_of(token) in tokens.KEY_PREFIXES
        principal = _of_key(request, token) if is_key else _of_access_token(request, token)
    if principal is None:
        raise _wrong(request)
    return principal


def _wrong(request: Request) -> Problem:
    """What any wrong token is told. They are counted by address alone: right ones from there are still good.

    Raises Problem rate_limited.
    """
    limits.spend(f"ip:{address_of(request)}", rate=limits.FAILURES)
    return unauthorized()


def _of_key(request: Request, token: str) -> Principal | None:
    kind = tokens.kind_of(token)
    rows = ApiKey.objects.live().by_token(token).select_related("organization", *RELATED[kind])
    if kind == tokens.CONNECTOR_KEY:
        rows = rows.with_defined()
    key = rows.first()
    if key is None or not _is_alive(key):
        return None
    integration = key.integration
    states = (getattr(key, "defined_state", None), integration and integration.state)
    return Principal(
        kind=KINDS[ApiKey.Kind(key.kind)],
        usage_key=key.usage_key,
        text=f"{key.user}, by the key {key}" if key.user else f"{key.get_kind_display()} {key}",
        grants=OF_CONNECTOR_KEYS if key.connector else frozenset(key.may),
        organization=key.organization,
        integration=integration,
        connector=key.connector or (integration.partner if integration else None),
        user=key.user,
        stores=_reachable(integration) if integration else None,
        sees_all=bool(key.user) or bool(integration and integration.org_wide_access),
        is_disabled=Integration.State.DISABLED in states,
        trail_id=getattr(key, "defined_id", None),
        address=address_of(request),
    )


def _is_alive(key: ApiKey) -> bool:
    if not key.organization.is_active:
        return False
    connector = key.connector or (key.integration.partner if key.integration else None)
    if connector and not connector.is_active:
        return False
    return key.user is None or _still_manages(key.user, key.organization_id)


def _still_manages(user: User | None, organization_id: Any) -> bool:
    """Whether a person is still there, and still an owner or admin: what they allowed dies with that."""
    if user is None or not user.is_active or user.organization is None:
        return False
    return user.organization.pk == organization_id and user.may_manage


def _of_access_token(request: Request, token: str) -> Principal | None:
    related = ["integration__partner", "organization", "user__membership__organization", "shop"]
    rows = AccessToken.objects.filter(token_checksum=hashlib.sha256(token.encode()).hexdigest())
    rows = rows.select_related("application__connector", *(f"authorization__{name}" for name in related))
    found = rows.first()
    if found is None or found.expires <= timezone.now():
        return None
    if found.authorization:
        return _consented(request, found, found.authorization)
    if found.application is None or not found.application.is_usable(request):
        return None
    return _application(request, found.application, grants=frozenset(found.scope.split()))


def _consented(request: Request, token: AccessToken, consent: Authorization) -> Principal | None:
    partner = consent.integration.partner
    if not consent.is_in_force or (partner and not partner.is_active):
        return None
    shop = getattr(consent, "shop", None)
    integration = consent.integration
    return Principal(
        kind=Kind.TOKEN,
        usage_key=f"integration:{integration.pk}",
        text=f"{integration.name}, for {shop}" if shop else integration.name,
        grants=frozenset(token.scope.split()) & frozenset(integration.grants),
        organization=consent.organization,
        integration=integration,
        connector=integration.partner,
        authorization=consent,
        shop=shop,
        stores=_reachable(integration),
        is_disabled=integration.is_disabled,
        address=address_of(request),
    )


def _reachable(integration: Integration) -> Any:
    """The stores its consent covers; None when it covers all."""
    if integration.reaches_all_stores:
        return None
    covered = ReachableStore.objects.filter(integration=integration)
    return Store.objects.filter(pk__in=covered.values("store"))


def _of_client(request: Request) -> Principal:
    claim = clients.claim_of(authorization=request.headers["Authorization"])
    application = clients.authenticate(claim)
    if application is None:
        limits.spend(claim.guesses_from(address_of(request)), rate=limits.GUESSES)
        raise unauthorized()
    return _application(request, application, grants=frozenset(ITSELF))


def _application(request: Request, application: Application, *, grants: frozenset[str]) -> Principal:
    connector: PartnerConnector = application.connector
    return Principal(
        kind=Kind.APPLICATION,
        usage_key=f"client:{application.client_id}",
        text=f"{connector.name}, with its client credentials",
        grants=grants,
        connector=connector,
        address=address_of(request),
    )
