"""Integrations and the permissions they hold. What is sealed is on none of these pages."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter, DropdownFilter
from unfold.datasets import BaseDataset
from unfold.decorators import display
from unfold.paginator import InfinitePaginator

from apps.accounts.admin import BY_ORGANIZATION
from apps.accounts.trailed import Trailed
from apps.audit.admin import shown_outcome
from apps.audit.models import Entry
from apps.operations import ReadOnlyAdmin, ago, label, labelled, linked

from . import custom_admin  # noqa: F401 - its pages
from .connectors import all_connectors
from .integration_deeds import IntegrationDeeds
from .keys_admin import KeysOfIntegration
from .models import ApplicationToken, AuthorizationAttempt, Credential, Integration
from .oauth import admin as consents  # noqa: F401 - its pages
from .revisions_admin import RevisionsOfIntegration
from .settings_deeds import ChangesSettings
from .standing import Standing, standing, with_standing
from .standing import of as standing_of

KINDS = {
    Integration.State.NOT_CONFIGURED: "info",
    Integration.State.CONNECTED: "success",
    Integration.State.NEEDS_RECONNECT: "danger",
    Integration.State.DISABLED: "warning",
}
BY_INTEGRATION = ("integration", AutocompleteSelectFilter)
shown_state = labelled("state", gettext_lazy("permission"), KINDS)
STANDINGS = {
    Standing.NOT_CONFIGURED: "info",
    Standing.CONNECTING: "warning",
    Standing.CONNECTED: "success",
    Standing.ERROR: "danger",
    Standing.DISABLED: "warning",
}


@display(description=gettext_lazy("state"), ordering="state")
def stands(integration: Integration) -> str:
    """One of the five words (behaviour 43), or that it was deleted."""
    if integration.deleted_at:
        return label(_("Deleted"), kind="default")
    found = standing_of(integration).standing
    return label(found.label, kind=STANDINGS[found])


@display(description=gettext_lazy("platform"), ordering="connector")
def platform(row: Any) -> str:
    """The platform's or the partner's name; its short name, when the operator has removed its connector."""
    partner = getattr(row, "partner", None) or getattr(getattr(row, "integration", None), "partner", None)
    known = all_connectors().get(row.connector) or partner
    return known.name if known else row.connector


class PlatformFilter(DropdownFilter):
    title = gettext_lazy("platform")
    parameter_name = "platform"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(connector.slug, connector.name) for connector in all_connectors().values()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(connector=self.value()) if self.value() else queryset


class StandingFilter(DropdownFilter):
    """By the five words; what was deleted has none."""

    title = gettext_lazy("state")
    parameter_name = "standing"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(Standing.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if (word := self.value()) not in Standing.values:
            return queryset
        return queryset.filter(pk__in=standing(Integration.objects.kept(), Standing(word)).order_by().values("pk"))


class TrailOfIntegrationAdmin(ReadOnlyAdmin):
    """The latest entries inside an integration's page. `extra_context["object"]` is that integration's id."""

    list_display = [ago("at", gettext_lazy("when")), "actor", "action", "target", shown_outcome, "reason"]
    list_display_links = ["action"]
    list_per_page = 20
    paginator = InfinitePaginator

    def get_queryset(self, request: HttpRequest) -> QuerySet[Entry]:
        return super().get_queryset(request).of_integration(self.extra_context["object"])


class TrailOfIntegration(BaseDataset):
    model = Entry
    model_admin = TrailOfIntegrationAdmin
    tab = True


@admin.register(Integration)
class IntegrationAdmin(ChangesSettings, IntegrationDeeds, ReadOnlyAdmin):
    list_display = ["name", linked("organization", gettext_lazy("organization")), platform, stands]
    list_display += ["state_reason", ago("updated_at", gettext_lazy("changed"))]
    list_filter = [StandingFilter, ("state", ChoicesDropdownFilter), PlatformFilter, BY_ORGANIZATION]
    list_select_related = ["organization", "partner"]
    search_fields = ["name", "account_name", "=account_ref", "=id", "organization__name"]
    search_fields += ["organization__memberships__user__email"]
    readonly_fields = [stands, shown_state, platform, "key_name", "expires_at", "hooks_there"]
    fieldsets = [
        (None, {"fields": [stands, "state_reason", "name", platform, "organization", "id"]}),
        (
            gettext_lazy("Account"),
            {
                "fields": [
                    *("account_name", "account_ref", "settings", "stock_buffer", "order_hold_seconds", "created_by")
                ]
            },
        ),
        (gettext_lazy("When"), {"fields": ["created_at", "updated_at", "deleted_at"]}),
        (gettext_lazy("Permission"), {"fields": [shown_state, "key_name", "expires_at", "hooks_there"]}),
        (gettext_lazy("Rights"), {"fields": ["grants", "org_wide_access", "reaches_all_stores", "applied_version"]}),
    ]
    change_form_datasets = [KeysOfIntegration, RevisionsOfIntegration, TrailOfIntegration]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Integration]:
        return with_standing(super().get_queryset(request))

    @display(description=gettext_lazy("sealed with key"), empty_value="–")
    def key_name(self, integration: Integration) -> str | None:
        held = Credential.objects.filter(integration=integration).first()
        return held.key_name if held else None

    @display(description=gettext_lazy("webhooks there"), empty_value="–")
    def hooks_there(self, integration: Integration) -> str | None:
        """Whether the other side still tells us of what happens there."""
        inbox = getattr(integration, "inbox", None)
        return inbox.hooks_there if inbox else None

    @display(description=gettext_lazy("expires"), empty_value="–")
    def expires_at(self, integration: Integration) -> Any:
        return Credential.objects.filter(integration=integration).values_list("expires_at", flat=True).first()


class SealedAdmin(ReadOnlyAdmin):
    """Shows which key seals a row, for whoever rotates keys, and never what is inside."""

    @display(description=gettext_lazy("sealed with key"))
    def key_name(self, row: Any) -> str:
        return row.key_name


@admin.register(Credential)
class CredentialAdmin(SealedAdmin):
    fields = ["integration", "organization", "key_name", "expires_at", "updated_at"]
    list_display = ["__str__", linked("integration", gettext_lazy("integration"))]
    list_display += [linked("organization", gettext_lazy("organization")), "key_name"]
    list_display += [ago("expires_at", gettext_lazy("expires")), ago("updated_at", gettext_lazy("updated"))]
    list_filter = [BY_INTEGRATION, BY_ORGANIZATION]
    list_select_related = ["integration", "organization"]
    search_fields = ["integration__name", "=integration__id", "organization__name"]


@admin.register(ApplicationToken)
class ApplicationTokenAdmin(Trailed, SealedAdmin):
    """Deleting one is safe: the next call to its platform fetches another."""

    fields = [platform, "key_name", "expires_at", "updated_at"]
    readonly_fields = [platform]
    list_display = [platform, "key_name", ago("expires_at", gettext_lazy("expires"))]
    list_display += [ago("updated_at", gettext_lazy("updated"))]

    def has_delete_permission(self, request: HttpRequest, obj: ApplicationToken | None = None) -> bool:
        return request.user.has_perm("integrations.delete_applicationtoken")


@admin.register(AuthorizationAttempt)
class AuthorizationAttemptAdmin(ReadOnlyAdmin):
    """Trips to a platform's login page: where owners got stuck, and why."""

    fields = ["user", "organization", platform, "integration", "outcome", "detail", "is_restart"]
    fields += ["created_at", "expires_at", "used_at"]
    readonly_fields = [platform]
    list_display = ["__str__", linked("organization", gettext_lazy("organization")), "shown_outcome"]
    list_display += ["detail", ago("created_at", gettext_lazy("begun"))]
    list_filter = [PlatformFilter, BY_INTEGRATION, BY_ORGANIZATION]
    list_select_related = ["user", "organization"]
    search_fields = ["user__email", "organization__name", "outcome"]
    date_hierarchy = "created_at"
    ordering = ["-created_at"]

    @display(description=gettext_lazy("outcome"), ordering="outcome")
    def shown_outcome(self, attempt: AuthorizationAttempt) -> str:
        kind = {"": "info", "connected": "success"}.get(attempt.outcome, "warning")
        return label(attempt.outcome or _("not back yet"), kind=kind)
