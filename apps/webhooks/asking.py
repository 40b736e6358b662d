"""What a webhook's address, its headers and its format may be. Everything else is refused where it is typed."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from django.utils.translation import gettext as _

from apps import egress
from apps.accounts.models import Organization
from apps.api.errors import Problem, invalid
from apps.api.principals import Kind, Principal
from apps.integrations.models import Integration
from apps.shops.models import Shop

from .catalogue import EVENTS, Published
from .models import Endpoint, Hook

Format = Endpoint.Format

MOST_HEADERS = 10
TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
VALUE = re.compile(r"[!-~]([ -~]{0,998}[!-~])?")
# Ours to say, or about the connection.
OWN_HEADERS = {
    "host", "connection", "keep-alive", "upgrade", "te", "trailer", "expect", "via", "date", "user-agent",
    "accept-encoding", "forwarded", "http2-settings", "idempotency-key",
}  # fmt: skip
OWN_PREFIXES = (
    "content-", "transfer-", "proxy-", "sec-", "x-forwarded-", "x-http-method", "webhook-", "x-pio-", "x-crossdock-",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Owner:
    """Who wants to hear: an integration, or without one an organization's people; of one shop, or of all they may see.

    `grants` is what whoever asks has; None when nothing but their integration's bounds them.
    """

    organization: Organization
    integration: Integration | None = None
    shop: Shop | None = None
    grants: frozenset[str] | None = None

    @classmethod
    def of_principal(cls, principal: Principal, *, shop: Shop | None = None) -> Self:
        """A shop's own token asks for that shop; a key for one of its shops, or for all it may see.

        Raises Problem shop_required for a token that has opened no shop yet.
        """
        if principal.kind == Kind.TOKEN and principal.shop is None:
            raise Problem("shop_required")
        return cls(principal.organization, principal.integration, principal.shop or shop, principal.grants)

    @classmethod
    def of_people(cls, organization: Organization, *, shop: Shop | None = None) -> Self:
        return cls(organization, None, shop)

    @classmethod
    def of(cls, row: Endpoint | Hook) -> Self:
        return cls(row.organization, row.integration, row.shop)

    @property
    def fields(self) -> dict[str, Any]:
        """Of its endpoints and hooks."""
        return {"organization": self.organization, "integration": self.integration, "shop": self.shop}

    @property
    def hears_all(self) -> bool:
        """Whether it hears of everything in its organization that its grants are about."""
        return self.shop is None and (self.integration is None or self.integration.org_wide_access)

    @property
    def has_application(self) -> bool:
        """Whether it is a shop of a registered application, whose client secret signs in Pio's format."""
        partner = self.integration and self.integration.partner
        return bool(self.shop and partner and not partner.is_custom)

    def check_may_hear(self, published: Published) -> None:
        """Raises Problem insufficient_scope."""
        grant = published.grant
        of_integration = self.integration is None or grant in self.integration.grants
        if not of_integration or (self.grants is not None and grant not in self.grants):
            raise Problem("insufficient_scope", _("This needs the grant %(grant)s.") % {"grant": grant})


def published_as(event: str) -> Published:
    """Raises Problem validation_error, with the names that exist (behaviour 82)."""
    if event not in EVENTS:
        raise invalid("event", _("There is no such event. There are: %(names)s.") % {"names": ", ".join(EVENTS)})
    return EVENTS[event]


def format_for(owner: Owner, published: Published, *, asked: str | None) -> str:
    """Pio's for an event by Pio's name, where it can be signed, unless another is asked for.

    Raises Problem validation_error.
    """
    if asked is None:
        return Format.PIO if published.is_pios and owner.has_application else Format.STANDARD
    if asked not in Format.values:
        raise invalid("format", _("Choose one of %(names)s.") % {"names": ", ".join(Format.values)})
    if asked == Format.PIO and not owner.has_application:
        raise invalid("format", _("Only the shop of a registered application has what Pio's format is signed with."))
    return asked


def check_url(url: str) -> None:
    """Raises Problem validation_error. A name is looked up."""
    try:
        egress.check_receiver(url)
    except egress.AddressRefused as refused:
        raise invalid("target_url", str(refused)) from None


def check_headers(headers: Mapping[str, Any]) -> dict[str, str]:
    """Raises Problem validation_error for one that would say what only we can say, or break what is sent."""
    if len(headers) > MOST_HEADERS:
        raise invalid("headers", _("Give at most %(most)d headers.") % {"most": MOST_HEADERS})
    if len({name.lower() for name in headers}) < len(headers):
        raise invalid("headers", _("Give each header once."))
    for name, value in headers.items():
        _check_header(name, value)
    return dict(headers)


def _check_header(name: str, value: Any) -> None:
    if not TOKEN.fullmatch(name):
        raise invalid("headers", _("A header's name has letters, digits and hyphens only."))
    if name.lower() in OWN_HEADERS or name.lower().startswith(OWN_PREFIXES):
        raise invalid(f"headers.{name}", _("This header is not yours to set."))
    if not isinstance(value, str) or not VALUE.fullmatch(value):
        raise invalid(f"headers.{name}", _("Use 1 to 1,000 letters, digits or signs of a plain keyboard."))
