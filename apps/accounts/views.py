"""The team page, and the page an invitation's link opens."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from apps.api.principals import address_of

from . import inviting, team
from .deciding import SignedIn, needs
from .forms import InviteForm, RoleForm
from .models import Invitation, Membership, Role
from .signing_in import INVITED


@login_required
@needs("see")
def team_page(request: SignedIn) -> HttpResponse:
    """Who belongs to the organization, who is invited; managers invite from here."""
    if request.method == "POST" and not request.user.may_manage:
        raise PermissionDenied
    form = InviteForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            sent = inviting.invite(request.organization, **_by(request), **form.cleaned_data)
        except inviting.CannotInvite as problem:
            form.add_error("email", str(problem))
        else:
            messages.success(request, _("We sent a link to %(email)s.") % {"email": sent.email})
            return redirect("team")
    context = {
        "form": form,
        "members": Membership.objects.for_principal(request).select_related("user", "organization"),
        "invitations": Invitation.objects.for_principal(request).open(),
        "roles": Role.choices,
    }
    return render(request, "accounts/team.html", context)


@login_required
@needs("manage")
@require_POST
def resend(request: SignedIn, pk: int) -> HttpResponse:
    invitation = get_object_or_404(Invitation.objects.for_principal(request).open(), pk=pk)
    try:
        inviting.send(invitation, **_by(request))
    except inviting.CannotInvite as problem:
        messages.error(request, str(problem))
    else:
        messages.success(request, _("We sent a new link to %(email)s.") % {"email": invitation.email})
    return redirect("team")


@login_required
@needs("manage")
@require_POST
def withdraw(request: SignedIn, pk: int) -> HttpResponse:
    invitation = get_object_or_404(Invitation.objects.for_principal(request).open(), pk=pk)
    if not inviting.withdraw(invitation, **_by(request)):
        raise Http404
    messages.success(request, _("The invitation is withdrawn. Its link no longer works."))
    return redirect("team")


@login_required
@needs("manage")
@require_POST
def change_role(request: SignedIn, pk: int) -> HttpResponse:
    membership = get_object_or_404(Membership.objects.for_principal(request), pk=pk)
    form = RoleForm(request.POST, instance=Membership(pk=membership.pk))
    if form.is_valid():
        _tell(request, team.change_role, membership, role=form.cleaned_data["role"])
    else:
        messages.error(request, _("There is no such role, so nothing was changed."))
    return redirect("team")


@login_required
@needs("manage")
@require_POST
def remove(request: SignedIn, pk: int) -> HttpResponse:
    membership = get_object_or_404(Membership.objects.for_principal(request), pk=pk)
    _tell(request, team.remove, membership)
    return redirect("team")


def _by(request: SignedIn) -> dict[str, Any]:
    """Who does it, and from where, for the audit trail."""
    return {"by": request.user, "address": address_of(request)}


def _tell(request: SignedIn, work: Callable[..., None], membership: Membership, **given: Any) -> None:
    try:
        work(membership, **_by(request), **given)
    except team.Refused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, _("Saved."))


def _send_again(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    try:
        inviting.send(invitation, address=address_of(request))
    except inviting.CannotInvite as problem:
        context = {"invitation": invitation, "problem": str(problem), "here": request.path}
        return render(request, "accounts/invitation.html", context, status=503)
    return render(request, "accounts/invitation_sent.html", {"invitation": invitation})


def accept(request: HttpRequest, token: str) -> HttpResponse:
    """What the link in an invitation opens, signed in or not, with an account or without, in time or late."""
    invitation = Invitation.objects.by_token(token).select_related("organization").first()
    if invitation is None:
        return render(request, "accounts/invitation_unknown.html", status=404)
    if request.method == "POST" and "again" in request.POST and invitation.is_expired and not invitation.accepted_at:
        return _send_again(request, invitation)
    if not request.user.is_authenticated and not invitation.is_expired and not invitation.accepted_at:
        request.session[INVITED] = token
    problem = ""
    if request.method == "POST" and request.user.is_authenticated:
        try:
            inviting.accept(invitation, user=request.user, address=address_of(request))
        except Invitation.DoesNotExist:
            return render(request, "accounts/invitation_unknown.html", status=404)
        except inviting.CannotAccept as refused:
            problem = str(refused)
        else:
            request.session.pop(INVITED, None)
            messages.success(request, _("Welcome to %(organization)s.") % {"organization": invitation.organization})
            return redirect("home")
    return render(
        request, "accounts/invitation.html", {"invitation": invitation, "problem": problem, "here": request.path}
    )
