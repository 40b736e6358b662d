"""Orders for people of the 3PL: what each waits for, who must act, all that happened to it, and what can be done."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.utils.html import format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter, DropdownFilter
from unfold.decorators import action, display

from apps.accounts.admin import BY_ORGANIZATION
from apps.accounts.asking import ask
from apps.accounts.deciding import SignedIn, actor_of
from apps.accounts.models import Organization
from apps.integrations.deeds import done, row_of, rows_of
from apps.listed import note_cut
from apps.operations import CountlessAdmin, ReadOnlyInline, address_of, ago, labelled, linked

from . import cancelling, finding, history, releasing, sentences, sorting, waiting
from .models import Fulfillment, Hindrance, Order, OrderLine, Parcel

ORGANIZATION = linked("organization", gettext_lazy("organization"))
STATES = {
    Order.State.NEW: "info",
    Order.State.HELD: "default",
    Order.State.WAITING: "danger",
    Order.State.BLOCKED: "warning",
    Order.State.PENDING_STOCK: "warning",
    Order.State.READY: "info",
    Order.State.SENT: "info",
    Order.State.PICKING: "info",
    Order.State.PARTLY_FULFILLED: "warning",
    Order.State.FULFILLED: "success",
    Order.State.CANCELLING: "warning",
    Order.State.CANCELLED: "default",
    Order.State.NOT_OURS: "default",
}


class HindranceFilter(DropdownFilter):
    title = gettext_lazy("what it waits for")
    parameter_name = "hindrance"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("late", _("Changed or cancelled too late")), *Hindrance.Code.choices]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Order]) -> QuerySet[Order]:
        codes = waiting.LATE if self.value() == "late" else [self.value()]
        return queryset.filter(pk__in=waiting.held(codes)) if self.value() else queryset


class LineInline(ReadOnlyInline):
    model = OrderLine
    fields = ["position", "sku", "name", "quantity", "shipped", "cancelled", "product", "is_excluded", "price"]
    show_change_link = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[OrderLine]:
        return super().get_queryset(request).select_related("product")


class FulfillmentInline(ReadOnlyInline):
    model = Fulfillment
    fields = ["location", "integration", "state", "owes", "error", "tries", "service", "remote_id", "created_at"]
    readonly_fields = ["created_at"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Fulfillment]:
        rows = super().get_queryset(request)
        return rows.select_related("location", "integration__partner", "order")


class ParcelInline(ReadOnlyInline):
    model = Parcel
    fields = ["carrier", "tracking_number", "shipped_at", "told_at", "due_at", "error", "tries"]


@display(description=gettext_lazy("why it waits"), empty_value="–")
def reasons(order: Order) -> Any:
    """With who must act, as the list and the page show it."""
    return format_html_join("", "<div>{}</div>", ((_reason(one, order),) for one in order.hindrances.all()))


def _reason(hindrance: Hindrance, order: Order) -> str:
    trouble = sentences.trouble(hindrance, order)
    return trouble.what if hindrance.who == Hindrance.Who.NOBODY else f"{trouble.what} ({trouble.who})"


@admin.register(Order)
class OrderAdmin(CountlessAdmin):
    """Read only; what can be done asks first, and does what the owner's page and the API do."""

    list_display = ["number", labelled("state", gettext_lazy("state"), STATES), reasons, ORGANIZATION]
    list_display += [linked("shop", gettext_lazy("shop")), ago("created_at", gettext_lazy("came"))]
    list_filter = [("state", ChoicesDropdownFilter), HindranceFilter, ("source", ChoicesDropdownFilter)]
    list_filter += [("integration", AutocompleteSelectFilter), ("shop", AutocompleteSelectFilter), BY_ORGANIZATION]
    list_select_related = ["organization", "shop", "integration"]
    search_fields = ["number"]
    search_help_text = gettext_lazy("Number, id, email or SKU, in full")
    fieldsets = [
        (None, {"fields": ["number", "state", "reasons", "organization", "shop", "integration", "source"]}),
        (gettext_lazy("What happened"), {"fields": ["history"]}),
        (gettext_lazy("As it came"), {"fields": ["tags", "notes", "shipping_method", "shown_address", "email"]}),
        (gettext_lazy("Amounts"), {"fields": ["currency", "total", "shipping_price", "tax", "discount"]}),
        (
            gettext_lazy("When"),
            {"fields": ["placed_at", "created_at", "updated_at", "release_at", "due_at", "changed_there_at"]},
        ),
        (gettext_lazy("Cancelled"), {"fields": ["cancel_requested_at", "cancelled_at", "cancel_reason"]}),
        (
            gettext_lazy("Inside"),
            {"fields": ["id", "ext_order_id", "ext_fulfillment_order_id", "priority", "tries", "version"]},
        ),
    ]
    readonly_fields = ["reasons", "history", "shown_address"]
    inlines = [LineInline, FulfillmentInline, ParcelInline]
    actions_detail = ["release", "route_again", "cancel"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Order]:
        return super().get_queryset(request).prefetch_related("hindrances")

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """By whole names first: a SKU is one as well. Then by how a number or id begins."""
        if not (text := search_term.strip()):
            return queryset, False
        found = finding.find(queryset, text, among=Organization.objects.order_by())
        if found.exists():
            return found, False
        named, is_cut = self.admin_site.found_by[Order].listed(queryset, text)
        note_cut(request, is_cut)
        return named, False

    @display(description=gettext_lazy("why it waits"), empty_value="–")
    def reasons(self, order: Order) -> Any:
        return reasons(order)

    @display(description=gettext_lazy("history"))
    def history(self, order: Order) -> str:
        return render_to_string("admin/orders/history.html", {"moments": history.timeline(order, internal=True)})

    @display(description=gettext_lazy("destination"), empty_value="–")
    def shown_address(self, order: Order) -> str:
        return order.destination and render_to_string("orders/_address.html", {"to": order.destination})

    def has_act_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        may = request.user.has_perm("orders.change_order")
        return may and bool(rows_of(Order, object_id).open().exists())

    def has_release_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        held = rows_of(Order, object_id).filter(state=Order.State.HELD)
        return request.user.has_perm("orders.change_order") and held.exists()

    @action(description=gettext_lazy("Release now"), permissions=["release"], icon="play_arrow")
    def release(self, request: SignedIn, object_id: str) -> HttpResponse:
        words = {"title": _("Release %(order)s now?"), "button": _("Release it")}
        points = [_("Its hold window ends. It can be changed only as far as its warehouse allows from then on.")]
        return self._ask(request, object_id, releasing.release, points=points, **words)

    @action(description=gettext_lazy("Route again"), permissions=["act"], icon="alt_route")
    def route_again(self, request: SignedIn, object_id: str) -> HttpResponse:
        words = {"title": _("Route %(order)s again?"), "button": _("Route it")}
        points = [_("What is still to be shipped, and no warehouse is at work on, is routed by the rules as they are.")]
        return self._ask(request, object_id, sorting.route_again, points=points, **words)

    @action(description=gettext_lazy("Cancel"), permissions=["act"], icon="cancel")
    def cancel(self, request: SignedIn, object_id: str) -> HttpResponse:
        words = {"title": _("Cancel %(order)s?"), "button": _("Cancel the order")}
        points = [_("What no warehouse has is cancelled at once. A warehouse that has it is asked to stop.")]
        return self._ask(request, object_id, cancelling.cancel, points=points, is_grave=True, **words)

    def _ask(
        self, request: SignedIn, object_id: str, deed: Callable[..., Order | bool], *, title: str, **page: Any
    ) -> HttpResponse:
        order = row_of(self, request, object_id)

        def do(given: dict[str, Any]) -> HttpResponse:
            if deed(order, by=actor_of(request)):
                return done(request, order, _("Done. What comes of it stands in its history."))
            messages.info(request, _("There was nothing to do any more."))
            return redirect(address_of(order))

        return ask(self, request, title=title % {"order": order}, do=do, back=address_of(order), **page)
