"""A partner registers its application, and ends it again (Pio: contracts 1.2)."""

import re
import secrets
from collections.abc import Sequence
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from apps.api import tokens
from apps.api.grants import RECOMMENDED
from apps.audit.trail import Actor, record

from .connectors.base import Category
from .models import ApiKey, Application, Authorization, Integration, PartnerConnector
from .switching import disable

LONGEST_CALLBACK = 1000  # characters, so that a whole authorization request fits into an address
HOST = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)(\.(?!-)[A-Za-z0-9-]{1,63}(?<!-))*\.?")
ENDED = "Its developer has ended the application."  # why its integrations are disabled


def check_callback_url(url: str) -> None:
    """Where the owner's browser comes back to: an absolute https address, the same to every parser that reads it.

    Plain http is for loopback (RFC 8252, 7.3) and for a demo. Raises ValidationError (behaviour 17).
    """
    if not url.isascii() or not url.isprintable() or set(url) & set(' "<>\\^`{|}'):
        raise ValidationError(_("Use only the characters of an address (RFC 3986); encode all others."))
    if len(url) > LONGEST_CALLBACK:
        raise ValidationError(_("Use at most %(most)s characters.") % {"most": LONGEST_CALLBACK})
    parts = _split(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and _may_be_plain(parts.hostname or "")):
        raise ValidationError(_("Must begin with https:// (http:// only for this very machine)."))
    if "#" in url or "@" in parts.netloc:
        raise ValidationError(_("Must hold neither a fragment (#) nor a user name (@)."))


def _split(url: str) -> SplitResult:
    """Raises ValidationError for an address without a proper host and port."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port = "", None
    if port == 0 or not (_is_address(host) or HOST.fullmatch(host)):
        raise ValidationError(_("Must be a whole address, like https://partner.example/callback."))
    return parts


def _is_address(host: str) -> bool:
    try:
        return bool(ip_address(host))
    except ValueError:
        return False


def _may_be_plain(host: str) -> bool:
    is_loopback = ip_address(host).is_loopback if _is_address(host) else host == "localhost"
    return is_loopback or settings.DEMO


@transaction.atomic
def register(
    name: str,
    *,
    email: str,
    callback_url: str,
    actor: Actor,
    category: str = Category.SHOP,
    grants: Sequence[str] | None = None,
) -> tuple[PartnerConnector, str]:
    """A new connector with its OAuth client, and the client's secret, which is shown this once.

    It reaches nothing until an organization consents. `grants`: what it usually asks for, by default what its category
    recommends. Raises ValidationError for a bad `callback_url`.
    """
    check_callback_url(callback_url)
    secret = tokens.new_token(tokens.CLIENT_SECRET)
    connector = PartnerConnector(kind=PartnerConnector.Kind.REGISTERED, name=name, email=email, category=category)
    connector.grants = list(RECOMMENDED[category] if grants is None else grants)
    connector.secrets = {"client_secret": secret}
    connector.save()
    Application.objects.create(
        connector=connector,
        name=name,
        client_id=secrets.token_hex(10),
        client_secret=secret,  # the toolkit keeps only its hash
        client_type=Application.CLIENT_CONFIDENTIAL,
        authorization_grant_type=Application.GRANT_AUTHORIZATION_CODE,
        redirect_uris=callback_url,
    )
    record(actor, "registration.create", on=connector, after={"email": email, "callback_url": callback_url})
    return connector, secret


@transaction.atomic
def deactivate(connector: PartnerConnector, *, actor: Actor, reason: str = ENDED) -> bool:
    """End a partner's connector: from now on everything that was issued to it is void (behaviour 19).

    Its integrations are disabled in every organization; their rows stay. False when it had ended already.
    """
    if not PartnerConnector.objects.active().filter(pk=connector.pk).update(deactivated_at=Now()):
        return False
    Authorization.objects.filter(integration__partner=connector).revoke("deactivated")
    of_it = Q(connector=connector) | Q(integration__partner=connector)
    ApiKey.objects.filter(of_it, revoked_at=None).update(revoked_at=Now())
    record(actor, "registration.delete", on=connector, reason=reason)
    for integration in Integration.objects.filter(partner=connector).exclude(state=Integration.State.DISABLED):
        disable(integration, actor=actor, reason=reason)
    return True
