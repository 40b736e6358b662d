"""The authorization endpoint: who asks, may this person decide, and what they decided."""

from functools import partial
from typing import Any

from django.conf import settings
from django.core.signing import BadSignature
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render, resolve_url
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.csp import csp_override
from django.views.decorators.http import require_http_methods

from apps.accounts.deciding import SignedIn, actor_of
from apps.accounts.models import Membership, Organization, Role, Store
from apps.api.grants import CONSENTED

from ... import consenting
from ...models import Integration
from ..asking import Asked, NobodyAsks, Refused, open_ticket, read, seal
from ..forms import ALL, CHOSEN, ConsentForm

away = partial(HttpResponseRedirect, max_length=16_384)  # a callback and a state may be long; we have looked at both


@never_cache
@require_http_methods(["GET", "POST"])
def authorize(request: SignedIn, **defaults: str) -> HttpResponse:
    """RFC 6749 4.1.1: the page that asks (GET), and its answer (POST), which goes to the application.

    Whoever asks wrongly hears so at their callback, but only after somebody has logged in here: else anybody could
    use us to lead people to an address of theirs (RFC 9700 4.11.2). An unknown client or redirect URI is never
    redirected to (behaviour 10). `defaults` stand in for parameters that an alias of this address does not ask for.
    """
    try:
        asked: Asked | Refused = read(request, **defaults)
    except NobodyAsks:
        return render(request, "integrations/oauth/unknown.html", status=400)
    except Refused as refused:
        asked = refused
    if not request.user.is_authenticated:
        return away(f"{resolve_url(settings.LOGIN_URL)}?{urlencode({'next': request.get_full_path()})}")
    if isinstance(asked, Refused):
        return away(asked.location)
    organization = request.user.organization
    if organization is None or not organization.is_active or not request.user.may_manage:
        return _may_not(request, asked, organization)
    request.organization = organization
    if request.method == "POST":
        return _decide(request, asked)
    if consenting.has_code(asked):
        return away(consenting.refuse_reuse(asked, actor=actor_of(request)))
    return _ask(request, asked, form=None)


def _may_not(request: HttpRequest, asked: Asked, organization: Organization | None) -> HttpResponse:
    """Say who can (behaviour 7)."""
    deciders = Membership.objects.filter(organization=organization, role__in=[Role.OWNER, Role.ADMIN])
    context = {
        "asked": asked,
        "organization": organization,
        "deciders": deciders.select_related("user"),
        "back": asked.answer(error="access_denied"),
    }
    return render(request, "integrations/oauth/may_not.html", context, status=403)


def _decide(request: SignedIn, asked: Asked) -> HttpResponse:
    form = ConsentForm(request.POST, stores=Store.objects.for_principal(request))
    try:
        if form.is_foreign:
            return _stale(request, asked)
        ticket = open_ticket(form.data["ticket"], asked=asked, user=request.user)
    except BadSignature:
        return _stale(request, asked)
    if form.is_refusal:
        return away(consenting.decline(asked, actor=actor_of(request)))
    if not form.is_valid():
        return _ask(request, asked, form=form)
    return _agree(request, asked, form=form, ticket=ticket)


def _agree(request: SignedIn, asked: Asked, *, form: ConsentForm, ticket: str) -> HttpResponse:
    actor = actor_of(request)
    try:
        code = consenting.agree(asked, by=request.user, stores=form.chosen, ticket=ticket, actor=actor)
    except consenting.ChallengeReused:
        return away(consenting.refuse_reuse(asked, actor=actor))
    except consenting.SwitchedOff:
        return render(request, "integrations/oauth/switched_off.html", {"asked": asked}, status=403)
    return away(asked.answer(code=code))


def _stale(request: HttpRequest, asked: Asked) -> HttpResponse:
    """The answer was to something else than what it says. Nothing is granted (AS-11)."""
    context = {"asked": asked, "again": request.get_full_path()}
    return render(request, "integrations/oauth/stale.html", context, status=400)


def _ask(request: SignedIn, asked: Asked, *, form: ConsentForm | None) -> HttpResponse:
    """The page. Chromium checks where a form's answer redirects to as well, and where that leads on to.

    So the callback's origin is allowed, and any https address, since a partner's callback may send people further.
    """
    partner = asked.application.connector
    known = Integration.objects.for_principal(request).filter(partner=partner).first()
    held = consenting.scopes_of(known) if known else set()
    context = {
        "asked": asked,
        "partner": partner,
        "scopes": [(CONSENTED[scope], bool(held) and scope not in held) for scope in asked.scopes],
        "again": bool(held),
        "form": form,
        "ticket": seal(asked, user=request.user),
        "here": request.get_full_path(),
        **_stores(request, known, form=form),
    }
    onward = [*settings.SECURE_CSP["form-action"], "https:", asked.origin]
    page = csp_override(settings.SECURE_CSP | {"form-action": onward})
    return page(render)(request, "integrations/oauth/consent.html", context)


def _stores(request: SignedIn, known: Integration | None, *, form: ConsentForm | None) -> dict[str, Any]:
    """What there is to choose from, and what was chosen: just now, or at the last consent."""
    stores = Store.objects.for_principal(request).select_related("brand").order_by("brand__name", "brand", "name", "id")
    if form:
        return {"stores": stores, "reach": form.data.get("reach"), "chosen": set(form.data.getlist("stores"))}  # type: ignore[attr-defined]
    limited = known is not None and not known.reaches_all_stores
    chosen = {str(pk) for pk in known.reachable_stores.values_list("store", flat=True)} if known else set()
    return {"stores": stores, "reach": CHOSEN if limited else ALL, "chosen": chosen}
