"""Connectors that are rows, in the admin: registered ones to look at, custom ones to make, change and delete."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import action, display

from apps.accounts.admin import BY_ORGANIZATION
from apps.accounts.asking import ask
from apps.accounts.deciding import SignedIn, actor_of
from apps.accounts.proving import shows_secret
from apps.operations import ReadOnlyAdmin, ReadOnlyInline, address_of, ago, label, labelled, linked

from . import customizing
from .connectors.base import Category
from .custom_forms import WORDS, ChangeForm, DefinitionForm, TypeForm, as_filled_in
from .deeds import done, row_of, rows_of, show_keys
from .definitions import suggested_flows, suggested_grants
from .models import Integration, PartnerConnector

KINDS = {PartnerConnector.Kind.REGISTERED: "info", PartnerConnector.Kind.CUSTOM: "success"}
shown_kind = labelled("kind", gettext_lazy("kind"), KINDS)
APPLICATION = ["client_id", "callback_url", "email"]
DEFINITION_PAGE = "admin/integrations/definition.html"
DEFINITION = ["description", "readme", "flows", "grants", "org_wide_access", "settings_fields", "version"]


class IntegrationInline(ReadOnlyInline):
    """Who uses it."""

    model = Integration
    fields = ["name", "organization", "state", "created_at"]
    readonly_fields = ["created_at"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Integration]:
        return super().get_queryset(request).select_related("organization")


@admin.register(PartnerConnector)
class PartnerConnectorAdmin(ReadOnlyAdmin):
    list_display = ["name", shown_kind, "category", linked("organization", gettext_lazy("organization")), "used_by"]
    list_display += ["alive", ago("created_at", gettext_lazy("made"))]
    list_filter = [("kind", ChoicesDropdownFilter), ("category", ChoicesDropdownFilter), BY_ORGANIZATION]
    list_select_related = ["organization"]
    search_help_text = gettext_lazy("Name, e-mail address, client id, id or organization")
    search_fields = ["name", "email", "=application__client_id", "=id", "organization__name"]
    readonly_fields = [shown_kind, "alive", "client_id", "callback_url", "flows"]
    inlines = [IntegrationInline]
    actions_detail = ["change_definition", "discard"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[PartnerConnector]:
        return super().get_queryset(request).annotate(uses=Count("integrations"))

    def get_fieldsets(self, request: HttpRequest, obj: PartnerConnector | None = None) -> list[Any]:
        is_custom = bool(obj and obj.is_custom)
        own = (_("Definition"), {"fields": DEFINITION}) if is_custom else (_("Application"), {"fields": APPLICATION})
        who = ["organization"] if is_custom else []
        when = {"fields": ["created_by", "created_at", "updated_at", "deactivated_at", "id"]}
        return [(None, {"fields": ["name", shown_kind, "category", *who, "alive"]}), own, (_("When"), when)]

    @display(description=gettext_lazy("used by"), ordering="uses")
    def used_by(self, connector: Any) -> int:
        return connector.uses

    @display(description=gettext_lazy("state"), ordering="deactivated_at")
    def alive(self, connector: PartnerConnector) -> str:
        return label(_("In use"), kind="success") if connector.is_active else label(_("Ended"), kind="default")

    @display(description=gettext_lazy("client id"), empty_value="–")
    def client_id(self, connector: Any) -> str | None:
        application = getattr(connector, "application", None)
        return application and application.client_id

    @display(description=gettext_lazy("sends people back to"), empty_value="–")
    def callback_url(self, connector: Any) -> str | None:
        application = getattr(connector, "application", None)
        return application and application.redirect_uris

    @display(description=gettext_lazy("what flows"), empty_value="–")
    def flows(self, connector: PartnerConnector) -> str:
        words = {"in": _("in"), "out": _("out")}
        lines = {WORDS[name]: ", ".join(words[way] for way in ways) for name, ways in connector.directions.items()}
        return "; ".join(f"{name}: {ways}" for name, ways in lines.items())

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("integrations.add_partnerconnector")

    def has_define_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        mine = rows_of(PartnerConnector, object_id).custom().active()
        return request.user.has_perm("integrations.change_partnerconnector") and mine.exists()

    @shows_secret
    def add_view(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        """Add custom integration, in two steps: whose and of what type, then the rest, with suggestions."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        back = reverse("admin:integrations_partnerconnector_changelist")
        chosen = TypeForm(request.GET if "organization" in request.GET else None)
        if chosen.is_valid():
            return self._define(request, chosen.cleaned_data, back=back)
        context = self.admin_site.each_context(request) | {"title": _("Add custom integration"), "opts": self.opts}
        return render(request, "admin/integrations/choose_type.html", context | {"form": chosen, "back": back})

    def _define(self, request: SignedIn, chosen: dict[str, Any], *, back: str) -> HttpResponse:
        usual = chosen["category"]
        suggested = {"grants": suggested_grants(usual), "directions": suggested_flows(usual)}
        form = DefinitionForm(request.POST if request.method == "POST" else None, initial=suggested)

        def do(given: dict[str, Any]) -> HttpResponse:
            category = {"category": chosen["category"]} if chosen["category"] else {}
            made = customizing.customize(
                chosen["organization"], definition=form.definition | category, by=request.user, actor=actor_of(request)
            )
            issued = (made.integration_key, made.connector_key)
            title = _("%(name)s is ready: here are its keys") % {"name": made.connector}
            return show_keys(self, request, *issued, title=title, back=address_of(made.integration))

        title = _("A custom integration for %(organization)s") % chosen
        kind = Category(chosen["category"]).label if chosen["category"] else _("Another one")
        points = [
            _("Type: %(type)s.") % {"type": kind},
            format_html('<a class="text-link" href="{}">{}</a>', request.path, _("Choose another type")),
            _("In and out say what flows into Crossdock and out of it. Read and write say what its keys may do."),
            _("We have ticked what a system of this type usually needs. Its keys are shown on the next page, once."),
        ]
        words: dict[str, Any] = {"title": title, "points": points, "button": _("Add it"), "template": DEFINITION_PAGE}
        return ask(self, request, do=do, back=back, form=form, **words)

    @action(description=gettext_lazy("Change the definition"), permissions=["define"], icon="edit")
    def change_definition(self, request: SignedIn, object_id: str) -> HttpResponse:
        connector = row_of(self, request, object_id)
        form = ChangeForm(request.POST if request.method == "POST" else None, initial=as_filled_in(connector))

        def do(given: dict[str, Any]) -> HttpResponse:
            changes = form.definition
            version = changes.pop("version")
            customizing.redefine(connector, version=version, changes=changes, actor=actor_of(request))
            return done(
                request, connector, _("Saved. New rights wait until you apply them, on the integration's page.")
            )

        points = [_("The integration keeps the rights it has until you apply the definition on its page.")]
        title, back = _("The definition of %(name)s") % {"name": connector}, address_of(connector)
        words: dict[str, Any] = {"title": title, "points": points, "button": _("Save"), "template": DEFINITION_PAGE}
        return ask(self, request, do=do, back=back, form=form, **words)

    @action(description=gettext_lazy("Delete"), permissions=["define"], icon="delete")
    def discard(self, request: SignedIn, object_id: str) -> HttpResponse:
        connector = row_of(self, request, object_id)

        def do(given: dict[str, Any]) -> HttpResponse:
            customizing.discard(connector, actor=actor_of(request))
            return done(request, connector, _("It is deleted."))

        points = [
            _("Its keys end at once, and its integration is disabled."),
            _("What has arrived stays, and so does the record of what was done. This cannot be undone."),
        ]
        title, back, button = _("Delete %(name)s?") % {"name": connector}, address_of(connector), _("Delete")
        return ask(self, request, title=title, points=points, button=button, do=do, back=back, is_grave=True)
