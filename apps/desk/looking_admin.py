"""Organizations, whose portal the 3PL's people may look at as their own people see it."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action
from unfold.widgets import UnfoldAdminTextInputWidget

from apps.accounts import looking
from apps.accounts.asking import ask
from apps.accounts.deciding import SignedIn
from apps.accounts.models import Organization
from apps.integrations.deeds import done, row_of
from apps.operations import address_of
from apps.shops.admin import OrganizationWithConnectionsAdmin

admin.site.unregister(Organization)


class WhyForm(forms.Form):
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=300,
        widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("For colleagues, and for the organization if it asks."),
    )


@admin.register(Organization)
class OrganizationToLookAtAdmin(OrganizationWithConnectionsAdmin):
    actions_detail = [*OrganizationWithConnectionsAdmin.actions_detail, "look", "leave"]

    def has_look_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm(looking.PERMISSION)

    def has_leave_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return looking.is_looking(request)

    @action(description=gettext_lazy("See it as its owner"), permissions=["look"], icon="visibility")
    def look(self, request: SignedIn, object_id: str) -> HttpResponse:
        organization = row_of(self, request, object_id)
        form = WhyForm(request.POST if request.method == "POST" else None)

        def do(given: dict[str, Any]) -> HttpResponse:
            looking.begin(request, organization, reason=given["reason"])
            return redirect("home")

        points = [
            _("You see its pages for half an hour, and cannot change anything there."),
            _("That you looked, when and why, is written down."),
        ]
        title, back = _("Look at the portal as %(name)s sees it?") % {"name": organization}, address_of(organization)
        return ask(self, request, title=title, points=points, button=_("Look"), do=do, back=back, form=form)

    @action(description=gettext_lazy("Look no longer"), permissions=["leave"], icon="visibility_off")
    def leave(self, request: SignedIn, object_id: str) -> HttpResponse:
        organization = row_of(self, request, object_id)

        def do(given: dict[str, Any]) -> HttpResponse:
            looking.end(request)
            return done(request, organization, _("You are back at your own pages."))

        title, back = _("Look no longer as %(name)s?") % {"name": organization}, address_of(organization)
        return ask(self, request, title=title, points=[], button=_("Leave"), do=do, back=back)
