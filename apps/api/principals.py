"""Who makes a call: `request.user` of every API view."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from allauth.account.adapter import get_adapter
from django.utils.functional import cached_property
from rest_framework.request import Request

from apps.audit.trail import Actor


class Kind(StrEnum):
    """`APPLICATION`: a registered application with its client credentials. `TOKEN`: an OAuth access token."""

    APPLICATION = "application"
    TOKEN = "token"  # noqa: S105 - a word
    KEY = "key"
    CONNECTOR_KEY = "connector_key"
    USER_KEY = "user_key"


@dataclass(frozen=True)
class Principal:
    """An organization's integration, application or person behind a machine credential.

    `connector` is the row of a registered or custom connector, `shop` the one shop of a shop's own token. `stores`,
    when not None, are the only stores its consent covers. `sees_all`: its whole organization's rows, not only its own.
    `is_disabled`: its credential is right, and its integration is switched off. `trail_id`: the integration under which
    its calls are entered in the audit trail, when it is not its own (the key of a definition has none).
    Types are loose, since the rows belong to rooms above this one.
    """

    kind: Kind
    usage_key: str
    text: str
    grants: frozenset[str] = field(default_factory=frozenset)
    organization: Any = None
    integration: Any = None
    connector: Any = None
    authorization: Any = None
    shop: Any = None
    user: Any = None
    stores: Any = None
    sees_all: bool = False
    is_disabled: bool = False
    trail_id: Any = None
    address: str | None = None

    is_authenticated = True
    is_anonymous = False
    is_active = True

    @property
    def pk(self) -> str:
        return self.usage_key

    @property
    def own(self) -> Any:
        """The integration whose rows it may see; None when it may see all of its organization's."""
        return None if self.sees_all else self.integration

    @cached_property
    def actor(self) -> Actor:
        """How the audit trail names it."""
        return Actor(
            text=self.text,
            organization_id=self.organization and self.organization.pk,
            integration_id=self.integration.pk if self.integration else self.trail_id,
            user_id=self.user and self.user.pk,
            address=self.address,
        )


class Call(Request):
    """A request behind a rule of the policy: its caller is known."""

    user: Principal  # type: ignore[assignment]


def address_of(request: Any) -> str:
    """The caller's IP address, as the trusted proxies tell it."""
    return get_adapter().get_client_ip(request)
