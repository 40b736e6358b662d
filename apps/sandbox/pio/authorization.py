"""`GET /raw/openapi_auth/authorize_form`: an admin lets an integration into their organization (contracts 1.3).

A wrong client or callback is a page and never a redirect.
"""

import re
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from urllib.parse import urlencode

from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils import timezone

from apps.sandbox.credentials import digest, new_secret
from apps.sandbox.faults import take
from apps.sandbox.pio.calling import proven
from apps.sandbox.pio.models import Grant, Integration, Token, User
from apps.sandbox.token_endpoint import TokenError, presented_pairs, token_endpoint

LOGIN = "/raw/openapi_auth/login"
OWN_PAGES = re.compile(r"/raw/openapi_auth/authorize_form\?|/port/")
CODE_LIFE = timedelta(minutes=10)
# The vendor shows scopes and publishes no list of them.
SCOPES = {
    "products": "See and change the products of its shop",
    "inventory": "See the stock of its shop's products",
    "orders": "Send and see the orders of its shop",
    "hooks": "Be told what happens in the warehouse",
}


def for_users(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A page for who is logged in at Pio, called with `request.person`; anybody else is led to the login."""

    @wraps(view)
    def answer(request: HttpRequest, **ids: object) -> HttpResponse:
        email = request.session.get("pio_user")
        request.person = User.objects.filter(email=email).select_related("organization").first()
        if request.person is None:
            return redirect(f"{LOGIN}?" + urlencode({"next": request.get_full_path()}))
        return view(request, **ids)

    return answer


def authorize(request: HttpRequest) -> HttpResponse:
    """GET shows the form, POST with `decision` takes the admin back to the integration."""
    integration = asking_integration(request)
    if integration is None:
        return render(request, "pio/refused.html", status=400)
    return decided(request, integration=integration)


def asking_integration(request: HttpRequest) -> Integration | None:
    """The active integration that asks, if it sent exactly one callback, a registered one."""
    if any(len(request.GET.getlist(name)) != 1 for name in ("client_id", "redirect_uri")):
        return None
    found = Integration.objects.filter(pk=request.GET["client_id"], deactivated_at=None).first()
    return found if found and request.GET["redirect_uri"] in found.callback_urls else None


@for_users
def decided(request: HttpRequest, *, integration: Integration) -> HttpResponse:
    """The form, or the way back with the decision. Only an admin of the organization may decide."""
    is_admin = request.person.role == User.Role.ADMIN
    if request.method != "POST" or not is_admin:
        context = {"integration": integration, "person": request.person, "is_admin": is_admin, "scopes": SCOPES}
        return render(request, "pio/authorize.html", context, status=200 if is_admin else 403)
    if take(request, "deny_consent", anywhere=True) or request.POST.get("decision") != "approve":
        return back(request, {"error": "access_denied"})
    code = new_secret()
    Grant.objects.create(
        code=digest(code),
        integration=integration,
        organization=request.person.organization,
        redirect_uri=request.GET["redirect_uri"],
        expires_at=timezone.now() + CODE_LIFE,
    )
    return back(request, {"code": code})


def back(request: HttpRequest, answer: dict[str, str]) -> HttpResponse:
    """Redirect to the integration with the answer and its own state."""
    state = {"state": request.GET["state"]} if "state" in request.GET else {}
    if take(request, "wrong_state", anywhere=True):
        state = {"state": new_secret()}
    address = request.GET["redirect_uri"]
    response = HttpResponse(status=302)
    response["Location"] = address + ("&" if "?" in address else "?") + urlencode(answer | state)
    return response


@token_endpoint
def token(request: HttpRequest) -> dict:
    """A code for an access token that never expires: once, by its integration, with its callback. Raises TokenError."""
    integration = proven(presented_pairs(request))
    if integration is None:
        raise TokenError("invalid_client", "The client could not be authenticated", status=401)
    grant_type = request.POST.get("grant_type")
    if grant_type != "authorization_code":
        raise TokenError("unsupported_grant_type" if grant_type else "invalid_request", "Use authorization_code")
    if take(request, "invalid_grant", anywhere=True):
        raise TokenError("invalid_grant", "Refused on order")
    grant = used_up(integration, code=request.POST.get("code", ""), redirect_uri=request.POST.get("redirect_uri"))
    secret = new_secret()
    Token.objects.create(digest=digest(secret), integration=integration, organization=grant.organization)
    return {"access_token": secret, "token_type": "bearer", "scope": " ".join(SCOPES)}


def used_up(integration: Integration, *, code: str, redirect_uri: str | None) -> Grant:
    """The grant of a code that was good until now. Raises TokenError; a wrong callback leaves the code good."""
    with transaction.atomic():
        grants = Grant.objects.filter(integration=integration, used_at=None, expires_at__gt=timezone.now())
        grant = grants.select_related("organization").filter(code=digest(code)).first()
        if grant is None:
            raise TokenError("invalid_grant", "The code is unknown, used or expired")
        if redirect_uri != grant.redirect_uri:
            raise TokenError("invalid_grant", "redirect_uri differs from the authorization request")
        Grant.objects.filter(pk=grant.pk).update(used_at=timezone.now())
        return grant


def login(request: HttpRequest) -> HttpResponse:
    """E-mail and password of a simulated account; `next` is where it leads, the port unless it is a page of Pio."""
    following = request.GET.get("next", "")
    following = following if OWN_PAGES.match(following) else "/port/"
    email = request.POST.get("email", "").strip()
    if request.method == "POST":
        user = User.objects.filter(email__iexact=email, password=request.POST.get("password", "")).first()
        if user:
            request.session.cycle_key()
            request.session["pio_user"] = user.email
            return HttpResponseRedirect(following)
    failed = request.method == "POST"
    return render(request, "pio/login.html", {"email": email, "failed": failed}, status=401 if failed else 200)


def logout(request: HttpRequest) -> HttpResponse:
    """Forget who is logged in at Pio (POST) and show the login again, with the same `next`."""
    if request.method == "POST":
        request.session.pop("pio_user", None)
    return redirect(f"{LOGIN}?" + request.GET.urlencode())
