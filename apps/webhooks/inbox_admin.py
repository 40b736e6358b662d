"""Inboxes in the admin: where other systems send to, how a custom integration's sender signs, and what is wrong."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter, DropdownFilter
from unfold.decorators import action, display

from apps.accounts.admin import BY_ORGANIZATION
from apps.accounts.asking import ask
from apps.accounts.deciding import SignedIn, actor_of
from apps.accounts.proving import shows_secret, tell_owners
from apps.api.bodies import checked
from apps.integrations.custom_forms import RotateForm
from apps.integrations.deeds import done, row_of
from apps.integrations.models import Integration
from apps.operations import CountlessAdmin, ago, linked
from apps.operations import address_of as page_of

from . import inboxes, receiving
from .inbox_bodies import InboxSetUp
from .inbox_forms import NewInboxForm, SetUpForm, as_filled_in
from .models import Inbox


class InboxNeedsFilter(DropdownFilter):
    title = gettext_lazy("what needs somebody")
    parameter_name = "needs"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("clock", _("Refused messages for their time")), ("hooks", _("Was forgotten by the other side"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        asked = {"clock": Inbox.objects.out_of_time, "hooks": Inbox.objects.mended_lately}.get(self.value() or "")
        return queryset.filter(pk__in=asked().values("pk")) if asked else queryset


@admin.register(Inbox)
class InboxAdmin(CountlessAdmin):
    """Above the list: the addresses that staff enter at a platform. Who sends for a custom integration is told the
    address on its page; every other is a secret between us and the other side.
    """

    list_before_template = "admin/webhooks/senders.html"
    list_display = ["__str__", "scheme", linked("integration", gettext_lazy("integration"))]
    list_display += [linked("organization", gettext_lazy("organization")), "webhooks_there"]
    list_display += [ago("created_at", gettext_lazy("made"))]
    list_filter = [InboxNeedsFilter, ("scheme", ChoicesDropdownFilter), ("integration", AutocompleteSelectFilter)]
    list_filter += [BY_ORGANIZATION]
    list_select_related = ["organization", "integration"]
    search_fields = ["integration__name", "=integration__id", "organization__name"]
    readonly_fields = ["address", "live_secrets", "webhooks_there"]
    fieldsets = [
        (None, {"fields": ["integration", "organization", "created_at"]}),
        (gettext_lazy("Who sends here"), {"fields": ["address", "scheme", "terms", "live_secrets"]}),
        (gettext_lazy("What the other side is to tell us"), {"fields": ["webhooks_there", "mended", "mended_at"]}),
    ]
    actions_detail = ["set_up", "new_secret"]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, (extra_context or {}) | {"senders": receiving.senders()})

    @display(description=gettext_lazy("address"), empty_value="–")
    def address(self, inbox: Inbox) -> str | None:
        return inboxes.address_of(inbox) if inbox.scheme else None

    @display(description=gettext_lazy("secrets in use"))
    def live_secrets(self, inbox: Inbox) -> int:
        return inbox.own_secrets.live().count()

    @display(description=gettext_lazy("webhooks there"), empty_value="–")
    def webhooks_there(self, inbox: Inbox) -> str:
        return inbox.hooks_there

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("webhooks.add_inbox")

    def has_set_up_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        mine = Inbox.objects.of_custom().filter(pk=object_id) if str(object_id).isdecimal() else Inbox.objects.none()
        return request.user.has_perm("webhooks.change_inbox") and mine.exists()

    @shows_secret
    def add_view(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        """An inbox for a custom integration. All others are made by themselves."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = NewInboxForm(request.POST if request.method == "POST" else None)

        def do(given: dict[str, Any]) -> HttpResponse:
            return self._set_up(request, given["integration"], form)

        points = [_("Its sender then tells us of orders and stock, in the words of our API.")]
        title, back = _("An inbox for a custom integration"), reverse("admin:webhooks_inbox_changelist")
        return ask(self, request, title=title, points=points, button=_("Add it"), do=do, back=back, form=form)

    @action(description=gettext_lazy("Change how it signs"), permissions=["set_up"], icon="edit")
    @shows_secret
    def set_up(self, request: SignedIn, object_id: str) -> HttpResponse:
        inbox = row_of(self, request, object_id)
        form = SetUpForm(request.POST if request.method == "POST" else None, initial=as_filled_in(inbox))

        def do(given: dict[str, Any]) -> HttpResponse:
            return self._set_up(request, inbox.integration, form)

        points = [_("Its secret stays. From now on only what is signed so is taken in.")]
        title, back = _("How the sender of %(name)s signs") % {"name": inbox.integration}, page_of(inbox)
        return ask(self, request, title=title, points=points, button=_("Save"), do=do, back=back, form=form)

    def _set_up(self, request: SignedIn, integration: Integration, form: SetUpForm) -> HttpResponse:
        asked = checked(InboxSetUp, form.asked)
        inbox, secret = inboxes.set_up(integration, **asked, actor=actor_of(request))
        return self._show(request, inbox, secret) if secret else done(request, inbox, _("Saved."))

    @action(description=gettext_lazy("New secret"), permissions=["set_up"], icon="key")
    @shows_secret
    def new_secret(self, request: SignedIn, object_id: str) -> HttpResponse:
        inbox = row_of(self, request, object_id)
        form = RotateForm(request.POST if request.method == "POST" else None)

        def do(given: dict[str, Any]) -> HttpResponse:
            return self._show(request, inbox, inboxes.rotate(inbox, overlap=given["overlap"], actor=actor_of(request)))

        points = [_("Until then, what is signed with the old one is taken in as well.")]
        title, back = _("A new secret for %(name)s") % {"name": inbox.integration}, page_of(inbox)
        return ask(self, request, title=title, points=points, button=_("Make it"), do=do, back=back, form=form)

    def _show(self, request: SignedIn, inbox: Inbox, secret: str) -> HttpResponse:
        """The one time that a secret is shown. Its owners are told."""
        tell_owners(inbox.organization, of=str(inbox.integration), by=request.user.email)
        context = {"title": _("What its sender needs"), "address": inboxes.address_of(inbox), "secret": secret}
        context |= self.admin_site.each_context(request) | {"back": page_of(inbox), "opts": self.opts}
        return render(request, "admin/webhooks/inbox_secret.html", context)
