"""Before a secret is shown: whoever asks proves once more that it is them, and the secret's owner is told of it.

Secrets are shown once, when they are made; nothing in the portal shows one again. So there is no looking at an old one
that would need a reason: who does not have it any more rotates it.
"""

import time
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any

import structlog
from allauth.account.authentication import get_authentication_records
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib import messages
from django.core.mail import send_mail
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from apps.api import limits
from apps.api.errors import Problem
from apps.htmx import go

from .models import Organization, Role, User

log = structlog.get_logger(__name__)

FRESH = timedelta(minutes=5)
SECRETS = limits.Rate(20 / 3600, 20)  # shown to one person


def is_proven(request: Any) -> bool:
    """Whether they gave a code of their phone within the last minutes; in the demo, their password will do."""
    since = time.time() - FRESH.total_seconds()
    records = get_authentication_records(request, request.user)
    return any(one["at"] > since and (settings.DEMO or one["method"] == "mfa") for one in records)


def shows_secret(page: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A page of the admin that ends in showing a secret: asks for a fresh proof first, and is not done too often."""

    @wraps(page)
    def guarded(pages: Any, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not is_proven(request):
            messages.info(request, _("This shows a secret. Please prove once more that it is you."))
            return go(request, _where_to_prove(request))
        if request.method == "POST":
            try:
                limits.spend(f"secrets:{request.user.pk}", rate=SECRETS)
            except Problem:
                return render(request, "429.html", status=429)
        return page(pages, request, *args, **kwargs)

    return guarded


def _where_to_prove(request: HttpRequest) -> str:
    has_codes = is_mfa_enabled(request.user, [Authenticator.Type.TOTP])
    page = "mfa_reauthenticate" if has_codes else "account_reauthenticate"
    return f"{reverse(page)}?{urlencode({'next': request.get_full_path()})}"


def tell_owners(organization: Organization | None, *, of: str, by: str) -> None:
    """Mail its owners that one of the 3PL's people made a secret of theirs. `of` says of what, `by` who it was."""
    owners = User.objects.filter(
        is_active=True, membership__organization=organization, membership__role=Role.OWNER
    ).order_by("email")
    addresses = list(owners.values_list("email", flat=True)) if organization else []
    if not addresses:
        return
    text = _(
        "%(by)s of %(portal)s has made a new secret for %(of)s, and has seen it.\n\n"
        "Did you ask for it? Then all is well. If nobody of you did, ask %(portal)s who needed it."
    ) % {"by": by, "portal": settings.PORTAL_NAME, "of": of}
    subject = _("A new secret for %(of)s") % {"of": of}
    for address in addresses:
        try:
            send_mail(" ".join(subject.split()), text, None, [address])
        except OSError:  # smtplib's errors are OSErrors
            log.exception("an owner could not be told of a new secret")
