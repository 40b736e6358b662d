"""What each warehouse does about orders, what it is still to be told, and what platforms heard of parcels."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter, DropdownFilter
from unfold.decorators import action, display

from apps.accounts.admin import BY_ORGANIZATION
from apps.accounts.asking import ask
from apps.accounts.deciding import SignedIn, actor_of
from apps.integrations.deeds import done, row_of, rows_of
from apps.operations import CountlessAdmin, ReadOnlyInline, address_of, ago, labelled, linked

from . import repeating
from .history import tracking
from .models import Fulfillment, FulfillmentLine, Parcel

ORGANIZATION = linked("organization", gettext_lazy("organization"))
ORDER = linked("order", gettext_lazy("order"))
STATES = {
    Fulfillment.State.READY: "info",
    Fulfillment.State.SENT: "info",
    Fulfillment.State.PICKING: "info",
    Fulfillment.State.SHIPPED: "success",
    Fulfillment.State.PARTLY_SHIPPED: "warning",
    Fulfillment.State.REJECTED: "danger",
    Fulfillment.State.CANCELLED: "default",
}


class Owed(DropdownFilter):
    """What another system was to be told, and was not."""

    title = gettext_lazy("what is owed")
    parameter_name = "owed"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("owed", _("Still to be told")), ("failed", _("Tried, and not taken"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        chosen = {"owed": repeating.untold, "failed": repeating.failing}.get(self.value() or "")
        return chosen(queryset) if chosen else queryset


class LineInline(ReadOnlyInline):
    model = FulfillmentLine
    fields = ["order_line", "product", "quantity", "shipped"]
    show_change_link = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[FulfillmentLine]:
        return super().get_queryset(request).select_related("order_line", "product")


class TellsAgain(CountlessAdmin):
    """A row that another system is owed, with a button to tell it now."""

    actions_detail = ["again"]
    tell: Callable[..., bool]

    def has_again_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        may = request.user.has_perm(f"orders.change_{self.opts.model_name}")
        return may and bool(repeating.untold(rows_of(self.model, object_id)).exists())

    @action(description=gettext_lazy("Tell it again now"), permissions=["again"], icon="replay")
    def again(self, request: SignedIn, object_id: str) -> HttpResponse:
        row = row_of(self, request, object_id)

        def do(given: dict[str, Any]) -> HttpResponse:
            if type(self).tell(row, by=actor_of(request)):
                return done(request, row, _("It is told now."))
            messages.info(request, _("There is nothing to tell any more."))
            return redirect(address_of(row))

        words: dict[str, Any] = {"title": _("Tell it again now?"), "button": _("Tell it again now")}
        words["points"] = [_("The other system is told at once what it is still owed.")]
        return ask(self, request, do=do, back=address_of(row), **words)


@admin.register(Fulfillment)
class FulfillmentAdmin(TellsAgain):
    list_display = [ORDER, labelled("state", gettext_lazy("state"), STATES), ORGANIZATION, "owes", "error", "tries"]
    list_display += [linked("location", gettext_lazy("location")), linked("integration", gettext_lazy("integration"))]
    list_display += [ago("due_at", gettext_lazy("next try"))]
    list_display += [ago("created_at", gettext_lazy("made"))]
    list_filter = [Owed, ("state", ChoicesDropdownFilter), ("integration", AutocompleteSelectFilter)]
    list_filter += [("location", AutocompleteSelectFilter), "is_fallback", BY_ORGANIZATION]
    list_select_related = ["organization", "order", "location", "integration__partner"]
    search_fields = ["remote_id"]
    search_help_text = gettext_lazy("Our id, the warehouse's id, or the order's number, or how they begin")
    fieldsets = [
        (None, {"fields": ["order", "state", "reason", "organization", "location", "integration", "priority"]}),
        (gettext_lazy("How it goes"), {"fields": ["service", "service_name", "is_fallback"]}),
        (gettext_lazy("At the warehouse"), {"fields": ["remote_id", "remote_url", "source_version"]}),
        (
            gettext_lazy("What it is to be told"),
            {"fields": ["owes", "due_at", "tries", "error", "detail", "lease_until", "fence"]},
        ),
        (gettext_lazy("When"), {"fields": ["created_at", "updated_at", "sent_at", "finished_at", "id", "version"]}),
    ]
    inlines = [LineInline]
    tell = staticmethod(repeating.send_again)


@admin.register(Parcel)
class ParcelAdmin(TellsAgain):
    list_display = ["tracking_number", "carrier", ORDER, ORGANIZATION, linked("shop", gettext_lazy("shop"))]
    list_display += [ago("shipped_at", gettext_lazy("left")), ago("told_at", gettext_lazy("told"))]
    list_display += ["error", "tries", ago("due_at", gettext_lazy("next try"))]
    list_filter = [Owed, ("shop", AutocompleteSelectFilter), BY_ORGANIZATION]
    list_filter += [("shop__integration", AutocompleteSelectFilter)]
    list_select_related = ["organization", "order", "shop"]
    search_fields = ["tracking_number"]
    search_help_text = gettext_lazy("Id, tracking number, or the order's number, or how they begin")
    fieldsets = [
        (None, {"fields": ["order", "fulfillment", "organization", "shop", "carrier", "tracking_number", "tracked"]}),
        (gettext_lazy("What it holds"), {"fields": ["lines", "shipped_at", "ext_parcel_id"]}),
        (
            gettext_lazy("What the platform is told"),
            {"fields": ["told_at", "remote_id", "due_at", "tries", "error", "detail", "lease_until", "fence"]},
        ),
        (gettext_lazy("Inside"), {"fields": ["id", "created_at"]}),
    ]
    readonly_fields = ["tracked"]
    tell = staticmethod(repeating.tell_again)

    @display(description=gettext_lazy("followed at"), empty_value="–")
    def tracked(self, parcel: Parcel) -> Any:
        link = tracking(parcel)
        return format_html('<a class="text-link" href="{0}" rel="noopener noreferrer">{0}</a>', link) if link else None
