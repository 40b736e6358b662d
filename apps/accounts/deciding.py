"""Who may open which page: decided by the role in the one organization a person belongs to."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django_htmx.middleware import HtmxDetails

from apps.api.principals import address_of
from apps.audit.trail import Actor

from .models import Organization, User


class SignedIn(HttpRequest):
    """A request behind `login_required`: its user is one of ours."""

    user: User
    organization: Organization  # set by `needs`, which lets nobody without one through
    htmx: HtmxDetails


def actor_of(request: Any) -> Actor:
    """How the audit trail names the person behind a page. Behind `needs` they act for their organization; in the
    admin for none, and what they do is entered under the organization of the row."""
    team = getattr(request, "organization", None)
    return Actor(
        request.user.email,
        organization_id=team and team.pk,
        user_id=request.user.pk,
        address=address_of(request),
    )


def show_closed(request: HttpRequest) -> HttpResponse:
    """What people of an organization that is not active see of everything: whom to ask."""
    return render(request, "accounts/closed.html", status=403)


def of_organization[View: Callable[..., HttpResponseBase]](view: View) -> View:
    """Mark a page as one of an organization's own: the 3PL's people may look at it, and only look (`looking`)."""
    view.is_of_organization = True  # type: ignore[attr-defined]
    return view


def needs(permission: str) -> Callable[[Callable[..., HttpResponseBase]], Callable[..., HttpResponseBase]]:
    """403 without this permission, or an active organization; people without any go home, which says what to do."""

    def decorate(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
        @of_organization
        @wraps(view)
        def guarded(request: SignedIn, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if (organization := request.user.organization) is None:
                return redirect("home")
            if not organization.is_active:
                return show_closed(request)
            request.organization = organization
            if not request.user.may(permission):
                raise PermissionDenied(permission)
            return view(request, *args, **kwargs)

        return guarded

    return decorate
