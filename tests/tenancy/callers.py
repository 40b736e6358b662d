"""Whoever may call the API: which credential they have, and what the policy table thinks of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.test import Client
from django.utils import timezone

from apps.accounts.models import Membership, Organization, Role
from apps.api.grants import CONSENTED, ITSELF
from apps.api.policy import Rule
from apps.api.principals import Kind
from apps.integrations.models import Integration
from tests import factories
from tests.api.calling import basic, bearer
from tests.conftest import signed_in

from .world import World

EVERYTHING = frozenset(CONSENTED)
OF_CONNECTOR_KEYS = frozenset({"connectors:read", "connectors:write"})


@dataclass(frozen=True)
class Caller:
    """`credential` makes the headers of a call in this world. `side` is the integration in it that it calls for.

    `kind` is None for whoever is nobody to the API; `is_disabled` when its integration is switched off.
    """

    credential: Callable[[World], dict[str, str]]
    kind: Kind | None = None
    grants: frozenset[str] = frozenset()
    side: str = "custom"
    is_disabled: bool = False
    browser: Callable[[World], Client] = lambda world: Client()

    @property
    def is_void(self) -> bool:
        """It shows a credential that is good no more."""
        return self.kind is None and self.credential is not _nothing

    def refused(self, rule: Rule) -> tuple[int, str] | None:
        """What the table says it hears, whatever it asks for; None when it may ask."""
        if rule.is_open and not self.is_void:
            return None
        if self.kind is None:
            return 401, "unauthorized"
        if self.is_disabled:
            return 403, "integration_disabled"
        if self.kind not in rule.kinds:
            return 403, "forbidden"
        if rule.grant and rule.grant not in self.grants:
            return 403, "insufficient_scope"
        return None


def _application(world: World) -> dict[str, str]:
    return basic(world.registered.partner.application.client_id)


def _foreign_application(world: World) -> dict[str, str]:
    return basic(factories.make_partner().application.client_id)


def _with_scope(world: World, *grants: str) -> dict[str, str]:
    user = world.owner
    consent = factories.make_authorization(integration=world.registered, user=user, scope=" ".join(grants))
    return bearer(factories.make_access_token(authorization=consent))


def _of_somebody(change: Callable[[Membership], Any]) -> Callable[[World], dict[str, str]]:
    """The token that came of the consent of an admin to whom something happened since."""

    def credential(world: World) -> dict[str, str]:
        admin = factories.make_member(organization=world.organization, role=Role.ADMIN)
        consent = factories.make_authorization(integration=world.registered, user=admin)
        token = factories.make_access_token(authorization=consent)
        change(admin.membership)
        return bearer(token)

    return credential


def _downgraded(membership: Membership) -> None:
    Membership.objects.filter(pk=membership.pk).update(role=Role.MEMBER)


def _key_of_downgraded(world: World) -> dict[str, str]:
    admin = factories.make_member(organization=world.organization, role=Role.ADMIN)
    key = factories.make_key(user=admin)
    _downgraded(admin.membership)
    return {"X-Api-Key": key}


def _of_closed(name: str) -> Callable[[World], dict[str, str]]:
    def credential(world: World) -> dict[str, str]:
        Organization.objects.filter(pk=world.organization.pk).update(is_active=False)
        return bearer(world.rows[name])

    return credential


def _of_disabled(name: str, side: str) -> Callable[[World], dict[str, str]]:
    def credential(world: World) -> dict[str, str]:
        Integration.objects.filter(pk=world.rows[side].pk).update(state=Integration.State.DISABLED)
        return bearer(world.rows[name])

    return credential


def _member(role: str) -> Callable[[World], Client]:
    return lambda world: signed_in(factories.make_member(organization=world.organization, role=role))


def _removed(world: World) -> Client:
    member = factories.make_member(organization=world.organization)
    browser = signed_in(member)
    member.membership.delete()
    return browser


def _credential(name: str) -> Callable[[World], dict[str, str]]:
    return lambda world: bearer(world.rows[name])


def _nothing(world: World) -> dict[str, str]:
    return {}


# Those with rights of their own; each of them must find nothing of another organization.
TRUSTED = {
    "token": Caller(_credential("token"), Kind.TOKEN, EVERYTHING, side="registered"),
    "shop token": Caller(_credential("shop_token"), Kind.TOKEN, EVERYTHING, side="registered"),
    "integration key": Caller(_credential("key"), Kind.KEY, EVERYTHING),
    "connector key": Caller(_credential("connector_key"), Kind.CONNECTOR_KEY, OF_CONNECTOR_KEYS),
    "user key": Caller(_credential("user_key"), Kind.USER_KEY, EVERYTHING),
}
CALLERS = TRUSTED | {
    "nobody": Caller(_nothing),
    "owner in a browser": Caller(_nothing, browser=lambda world: signed_in(world.owner)),
    "viewer in a browser": Caller(_nothing, browser=_member(Role.VIEWER)),
    "removed member in a browser": Caller(_nothing, browser=_removed),
    "staff in a browser": Caller(
        _nothing, browser=lambda world: signed_in(factories.make_user(is_staff=True, is_superuser=True))
    ),
    "application": Caller(_application, Kind.APPLICATION, frozenset(ITSELF)),
    "application nobody consented to": Caller(_foreign_application, Kind.APPLICATION, frozenset(ITSELF)),
    "token without a scope": Caller(_with_scope, Kind.TOKEN, side="registered"),
    "key without grants": Caller(
        lambda world: bearer(factories.make_key(integration=world.custom, grants=[])), Kind.KEY
    ),
    "disabled integration's key": Caller(_of_disabled("key", "custom"), Kind.KEY, EVERYTHING, is_disabled=True),
    "disabled integration's token": Caller(
        _of_disabled("token", "registered"), Kind.TOKEN, EVERYTHING, is_disabled=True
    ),
    "disabled integration's connector key": Caller(
        _of_disabled("connector_key", "custom"), Kind.CONNECTOR_KEY, OF_CONNECTOR_KEYS, is_disabled=True
    ),
    "closed organization's token": Caller(_of_closed("token")),
    "closed organization's shop token": Caller(_of_closed("shop_token")),
    "closed organization's key": Caller(_of_closed("key")),
    "closed organization's connector key": Caller(_of_closed("connector_key")),
    "closed organization's user key": Caller(_of_closed("user_key")),
    "removed admin's token": Caller(_of_somebody(lambda membership: membership.delete())),
    "downgraded admin's token": Caller(_of_somebody(_downgraded)),
    "downgraded admin's key": Caller(_key_of_downgraded),
    "expired key": Caller(
        lambda world: bearer(factories.make_key(integration=world.custom, expires_at=timezone.now()))
    ),
    "revoked key": Caller(
        lambda world: bearer(factories.make_key(integration=world.custom, revoked_at=timezone.now()))
    ),
}


def with_scope(scope: str) -> Caller:
    """A token that holds one scope."""
    return Caller(lambda world: _with_scope(world, scope), Kind.TOKEN, frozenset({scope}), side="registered")
