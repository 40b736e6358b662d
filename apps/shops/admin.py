"""Shops and connections, and the pages of the rooms before this one with their connections on them."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter, DropdownFilter
from unfold.decorators import display

from apps.accounts.admin import BY_ORGANIZATION, OrganizationAdmin, StoreAdmin
from apps.accounts.models import Organization, Store
from apps.integrations.admin import BY_INTEGRATION, IntegrationAdmin, PlatformFilter, platform
from apps.integrations.models import Integration
from apps.operations import ReadOnlyAdmin, ReadOnlyInline, ago, labelled, linked

from .models import Connection, ConnectionQuerySet, Shop

KINDS = {
    Connection.State.DRAFT: "info",
    Connection.State.CONNECTING: "warning",
    Connection.State.ACTIVE: "success",
    Connection.State.PAUSED: "warning",
    Connection.State.DISCONNECTING: "warning",
    Connection.State.DISCONNECTED: "default",
}
shown_state = labelled("state", gettext_lazy("state"), KINDS)


class HangingFilter(DropdownFilter):
    title = gettext_lazy("what needs somebody")
    parameter_name = "needs"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("hanging", _("Began to connect, did not end"))]

    def queryset(self, request: HttpRequest, queryset: ConnectionQuerySet) -> ConnectionQuerySet:
        return queryset.hanging() if self.value() == "hanging" else queryset


@admin.register(Connection)
class ConnectionAdmin(ReadOnlyAdmin):
    list_display = ["called", linked("organization", gettext_lazy("organization")), platform, shown_state, "why"]
    list_display += ["ext_shop_id", linked("connected_by", gettext_lazy("connected by"))]
    list_display += [ago("connected_at", gettext_lazy("connected")), ago("heard_at", gettext_lazy("last heard"))]
    list_filter = [HangingFilter, ("state", ChoicesDropdownFilter), PlatformFilter, BY_INTEGRATION, BY_ORGANIZATION]
    list_select_related = ["organization", "integration__partner", "store", "connected_by"]
    search_help_text = gettext_lazy("Store, address, id, organization, or e-mail of who connected it or of a member")
    search_fields = ["name", "store__name", "store__address", "=id", "=ext_shop_id", "=store__ext_id"]
    search_fields += ["organization__name", "connected_by__email", "organization__memberships__user__email"]
    readonly_fields = [shown_state, "why", platform]
    fieldsets = [
        (None, {"fields": [shown_state, "why", "organization", platform, "integration", "id"]}),
        (gettext_lazy("Store"), {"fields": ["name", "brand", "store", "shop", "ext_shop_id", "replaces"]}),
        (
            gettext_lazy("Who and when"),
            {
                "fields": ["created_by", "created_at", "connected_by", "connected_at", "heard_at", "disconnect_at"],
            },
        ),
        (gettext_lazy("Lease"), {"fields": ["lease_until", "fence", "updated_at"]}),
    ]

    @display(description=gettext_lazy("store"), ordering="name")
    def called(self, connection: Connection) -> str:
        """Its own name, else its store's; a draft may have neither yet."""
        return connection.name or (connection.store.name if connection.store else _("Not chosen yet"))

    @display(description=gettext_lazy("reason"), ordering="problem", empty_value="–")
    def why(self, connection: Connection) -> str | None:
        """The wizard's problem, or the permission that is gone; for a draft, the step its owner has not done."""
        held = connection.integration
        if connection.problem:
            return connection.problem
        if held and held.needs_reconnect:
            return _("Permission lost: %(reason)s") % {"reason": held.state_reason}
        if connection.is_draft:
            return _("Next step: %(step)s") % {"step": connection.next_step}
        return None


class ConnectionInline(ReadOnlyInline):
    model = Connection
    fields = ["name", platform, "state", "ext_shop_id", "connected_by", "connected_at"]
    readonly_fields = [platform]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Connection]:
        return super().get_queryset(request).select_related("connected_by", "store", "integration__partner")


@admin.register(Shop)
class ShopAdmin(ReadOnlyAdmin):
    list_display = ["name", linked("organization", gettext_lazy("organization"))]
    list_display += [linked("integration", gettext_lazy("integration")), "ext_shop_id", "is_active"]
    list_filter = ["is_active", BY_INTEGRATION, BY_ORGANIZATION]
    list_select_related = ["organization", "integration"]
    search_fields = ["name", "=ext_shop_id", "=id", "store__name", "organization__name"]
    fields = ["name", "organization", "integration", "store", "ext_shop_id", "is_active", "creates_products"]
    fields += ["drift_limit", "id", "created_at"]
    inlines = [ConnectionInline]


# The rooms before this one may not know of connections; their pages, extended here, show them.
for model in (Organization, Store, Integration):
    admin.site.unregister(model)


@admin.register(Organization)
class OrganizationWithConnectionsAdmin(OrganizationAdmin):
    inlines = [ConnectionInline, *OrganizationAdmin.inlines]


@admin.register(Store)
class StoreWithConnectionsAdmin(StoreAdmin):
    list_filter = [*StoreAdmin.list_filter, ("connections__integration", AutocompleteSelectFilter)]
    inlines = [ConnectionInline]


@admin.register(Integration)
class IntegrationWithConnectionsAdmin(IntegrationAdmin):
    inlines = [ConnectionInline]
