"""What happened, and what other systems sent us."""

import json
from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter, DropdownFilter
from unfold.decorators import action, display

from apps.accounts.admin import BY_ORGANIZATION
from apps.accounts.asking import ask
from apps.accounts.deciding import SignedIn, actor_of
from apps.integrations.deeds import row_of
from apps.operations import CountlessAdmin, address_of, ago, labelled, linked

from . import hooks_admin, inbox_admin, log_admin, receiving, showing  # noqa: F401 - their pages
from .models import Event, Receipt, ReceiptQuerySet

KINDS = {
    Receipt.State.RECEIVED: "info",
    Receipt.State.DONE: "success",
    Receipt.State.PARKED: "warning",
    Receipt.State.FAILED: "danger",
    Receipt.State.REJECTED: "default",
}
NAMED = [linked("integration", gettext_lazy("integration")), linked("organization", gettext_lazy("organization"))]
BODY_SHOWN = 20_000  # letters


def shown(document: object) -> str:
    """JSON as people read it."""
    text = json.dumps(document, indent=2, ensure_ascii=False)
    return format_html('<pre class="overflow-x-auto whitespace-pre-wrap">{}</pre>', text)


@admin.register(Event)
class EventAdmin(CountlessAdmin):
    list_display = ["type", "entity", "entity_id", "sequence", linked("organization", gettext_lazy("organization"))]
    list_display += [ago("created_at", gettext_lazy("happened"))]
    list_filter = [("type", ChoicesDropdownFilter), BY_ORGANIZATION]
    list_select_related = ["organization"]
    search_help_text = gettext_lazy("The id of the product or stock level")
    search_fields = ["=entity_id"]
    fields = ["type", "entity", "entity_id", "sequence", "organization", "created_at", "shown_data"]
    readonly_fields = ["shown_data"]

    @display(description=gettext_lazy("data"), empty_value="–")
    def shown_data(self, event: Event) -> str | None:
        return event.data and shown(event.data)


class NeedsFilter(DropdownFilter):
    title = gettext_lazy("what needs somebody")
    parameter_name = "needs"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        lately = [("failed", _("Failed in the last three days")), ("rejected", _("Rejected in the last three days"))]
        return [("unopened", _("Nobody opens it")), *lately]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        match self.value():
            case "unopened":
                return queryset.unopened()
            case "failed" | "rejected" as state:
                return queryset.lately(state)
        return queryset


@admin.register(Receipt)
class ReceiptAdmin(CountlessAdmin):
    list_display = ["event_type", labelled("state", gettext_lazy("state"), KINDS), "error", *NAMED, "tries", "repeats"]
    list_display += [ago("received_at", gettext_lazy("received")), ago("finished_at", gettext_lazy("opened"))]
    list_filter = [NeedsFilter, ("state", ChoicesDropdownFilter), ("integration", AutocompleteSelectFilter)]
    list_filter += [BY_ORGANIZATION]
    list_select_related = ["organization", "integration"]
    search_fields = ["=remote_id", "=id", "=shop_ref", "event_type", "=error", "integration__name"]
    ordering = ["-received_at", "-pk"]
    actions = ["open_chosen"]
    actions_detail = ["open_this"]
    readonly_fields = ["shown_headers", "shown_body"]
    fieldsets = [
        (None, {"fields": ["event_type", "state", "error", "detail", "integration", "organization", "id"]}),
        (gettext_lazy("As it came"), {"fields": ["remote_id", "shop_ref", "repeats", "shown_headers", "shown_body"]}),
        (
            gettext_lazy("When"),
            {"fields": ["received_at", "tries", "next_attempt_at", "lease_until", "fence", "finished_at"]},
        ),
    ]

    def has_replay_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("webhooks.change_receipt")

    @action(description=gettext_lazy("Open again"), permissions=["replay"])
    def open_chosen(self, request: SignedIn, chosen: ReceiptQuerySet) -> None:
        self._replay(request, chosen)

    @action(description=gettext_lazy("Open again"), permissions=["replay"], icon="replay")
    def open_this(self, request: SignedIn, object_id: str) -> HttpResponse:
        receipt = row_of(self, request, object_id)

        def do(given: dict[str, Any]) -> HttpResponse:
            self._replay(request, Receipt.objects.filter(pk=receipt.pk))
            return redirect(address_of(receipt))

        words: dict[str, Any] = {"title": _("Open it again?"), "button": _("Open again")}
        words["points"] = [_("What it says is done, as if it had come just now.")]
        return ask(self, request, do=do, back=address_of(receipt), **words)

    def _replay(self, request: SignedIn, chosen: ReceiptQuerySet) -> None:
        opened = receiving.replay(chosen, actor=actor_of(request))
        if opened:
            text = ngettext("%(n)d message is opened again.", "%(n)d messages are opened again.", opened)
            messages.success(request, text % {"n": opened})
        else:
            messages.info(request, _("Only what was parked or failed can be opened again."))

    @display(description=gettext_lazy("headers"), empty_value="–")
    def shown_headers(self, receipt: Receipt) -> str:
        return shown(dict(showing.without_secrets(receipt.headers)))

    @display(description=gettext_lazy("body"), empty_value="–")
    def shown_body(self, receipt: Receipt) -> str:
        text = bytes(receipt.body).decode(errors="replace")[:BODY_SHOWN]
        return format_html('<pre class="overflow-x-auto whitespace-pre-wrap">{}</pre>', text)
