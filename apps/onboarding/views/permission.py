"""Getting permission at a platform: for a draft, or again for a store that lost it."""

import secrets
from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from apps.accounts.deciding import SignedIn, needs
from apps.integrations import consent
from apps.integrations.connectors.base import Keys
from apps.integrations.models import AuthorizationAttempt, Integration
from apps.shops.models import Connection

from .. import drafts, sentences
from ..forms import KeysForm
from ..steps import rail

BROWSER = "crossdock_browser"
RESTARTED = "consent_restarted"  # in the session: one automatic restart, then a page that explains
RESTARTABLE = {"unknown", "expired", "other_browser", "other_user"}


def redirect_uri() -> str:
    """The one address platforms send people back to; they know it as a string, to the letter."""
    return settings.PUBLIC_URL + reverse("connect-callback")


def with_draft(view: Callable[[SignedIn, Connection], HttpResponse]) -> Callable[[SignedIn, UUID], HttpResponse]:
    """Give the view the draft of the address. What is a draft no longer is shown where it stands by now."""

    @wraps(view)
    def found(request: SignedIn, pk: UUID) -> HttpResponse:
        connection = get_object_or_404(Connection.objects.for_principal(request).with_everything(), pk=pk)
        return view(request, connection) if connection.is_draft else redirect("connect-resume", pk)

    return found


@login_required
@needs("connect")
@with_draft
def authorize(request: SignedIn, draft: Connection) -> HttpResponse:
    """For a draft: log in at the platform, or go on with an account logged in before."""
    known = Integration.objects.for_principal(request).of(draft.kind).connected()
    if request.method == "POST" and request.POST.get("integration"):
        chosen = next((one for one in known if str(one.pk) == request.POST["integration"]), None)
        if chosen:
            drafts.attach(draft, chosen)
            return redirect(f"connect-{draft.next_step}", draft.pk)
        messages.error(request, _("Please choose one of these accounts."))
    elif request.method == "POST" and not isinstance(draft.kind.auth, Keys):
        return leave(request, draft)
    return _show(request, draft, known=known, integration=None)


@login_required
@needs("connect")
def reconnect(request: SignedIn, pk: UUID) -> HttpResponse:
    """For a connected store: the same store, the same data, a fresh permission."""
    shown = Connection.objects.for_principal(request).shown().exclude(integration=None).with_everything()
    connection = get_object_or_404(shown, pk=pk, integration__partner=None)  # at a partner's nobody logs in
    if request.method == "POST" and not isinstance(connection.kind.auth, Keys):
        return leave(request, connection, integration=connection.integration)
    return _show(request, connection, known=Integration.objects.none(), integration=connection.integration)


def _show(request: SignedIn, connection: Connection, *, known: Any, integration: Integration | None) -> HttpResponse:
    context: dict[str, Any] = {"connection": connection, "known": known, "reconnecting": integration}
    if connection.is_draft:
        context |= rail("authorize", connection)
    if isinstance(connection.kind.auth, Keys):
        form = KeysForm(request.POST if request.method == "POST" else None, connector=connection.kind)
        if form.is_valid():
            try:
                kept = consent.sign_in_with_keys(
                    connection.kind,
                    form.cleaned_data,
                    organization=connection.organization,
                    user=request.user,
                    integration=integration,
                )
            except consent.ConsentProblem as problem:
                form.add_error(None, sentences.of_keys(problem.code, platform=connection.kind.name))
            else:
                return arrive(request, connection, kept)
        context["form"] = form
    else:
        context |= _last_problem(connection)
    return render(request, "onboarding/authorize.html", context)


def _last_problem(connection: Connection) -> dict[str, str]:
    """What went wrong on the last trip to the platform, until the next one."""
    last = AuthorizationAttempt.objects.filter(subject=connection.pk).order_by("-created_at").first()
    if last is None or last.outcome in {"", "connected"}:
        return {}
    return {
        "problem": sentences.of_consent(last.outcome, platform=connection.kind.name),
        "reason": last.detail if last.outcome in {"denied", "refused"} else "",
        "other_account": last.detail if last.outcome == "other_account" else "",
    }


def leave(
    request: SignedIn, connection: Connection, *, integration: Integration | None = None, is_restart: bool = False
) -> HttpResponse:
    """Off to the platform, with a cookie by which we know this browser when it comes back."""
    browser = request.COOKIES.get(BROWSER) or secrets.token_urlsafe(32)
    address = consent.begin(
        connection.kind,
        user=request.user,
        organization=connection.organization,
        subject=connection.pk,
        browser=browser,
        redirect_uri=redirect_uri(),
        integration=integration,
        is_restart=is_restart,
    )
    response = HttpResponseRedirect(address)
    response.set_cookie(
        BROWSER, browser, max_age=86_400, httponly=True, samesite="Lax", secure=settings.SESSION_COOKIE_SECURE
    )
    return response


@login_required
@needs("connect")
@require_GET
def callback(request: SignedIn) -> HttpResponse:
    """Back from the platform."""
    try:
        attempt, integration = consent.finish(
            request.GET.dict(),
            user=request.user,
            browser=request.COOKIES.get(BROWSER, ""),
            redirect_uri=redirect_uri(),
        )
    except consent.ConsentProblem as problem:
        return _come_back_without(request, problem)
    request.session.pop(RESTARTED, None)
    connection = Connection.objects.for_principal(request).shown().filter(pk=attempt.subject).first()
    return arrive(request, connection, integration) if connection else redirect("home")


def arrive(request: SignedIn, connection: Connection, integration: Integration) -> HttpResponse:
    """With permission in hand: on with the draft, or back to the store."""
    if connection.is_draft:
        drafts.attach(connection, integration)
        return redirect(f"connect-{connection.next_step}", connection.pk)
    if connection.is_warehouse:
        drafts.connect_anew(connection)
    messages.success(request, _("You are connected again. Whatever waited goes on now."))
    return redirect("store", connection.pk)


def _come_back_without(request: SignedIn, problem: consent.ConsentProblem) -> HttpResponse:
    """A known trip ends on its own page. One we cannot use is begun anew once, by itself; then we explain."""
    connection = _meant(request, problem.attempt)
    is_first = not request.session.pop(RESTARTED, False)
    if connection is None:
        return _lost(request, problem.code)
    if problem.code in RESTARTABLE:
        if not is_first:
            return _lost(request, problem.code, connection=connection)
        request.session[RESTARTED] = True
        again = None if connection.is_draft else connection.integration
        return leave(request, connection, integration=again, is_restart=True)
    if problem.code == "used":
        return redirect("connect-resume", connection.pk)  # the page was loaded again: what came of it stands there
    return redirect("connect-authorize" if connection.is_draft else "reconnect", connection.pk)


def _lost(request: SignedIn, code: str, *, connection: Connection | None = None) -> HttpResponse:
    problem = sentences.of_consent(code, platform=connection.kind.name) if connection else ""
    context = {"connection": connection, "problem": problem}
    return render(request, "onboarding/lost.html", context, status=400)


def _meant(request: SignedIn, attempt: AuthorizationAttempt | None) -> Connection | None:
    """What the trip was for; when the answer does not say, the newest of this person's that still lacks permission."""
    mine = Connection.objects.for_principal(request).shown().with_everything()
    if attempt:
        return mine.filter(pk=attempt.subject).first()
    begun = AuthorizationAttempt.objects.for_principal(request).filter(user=request.user).order_by("-created_at")
    connection = mine.filter(pk__in=begun.values("subject")[:1]).first()
    if connection is None or (connection.integration and connection.integration.is_connected):
        return None
    return connection
