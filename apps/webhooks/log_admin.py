"""What went out and what came in, for people of the 3PL: each message, each try, and sending it once more."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter, DropdownFilter
from unfold.datasets import BaseDataset
from unfold.decorators import action, display
from unfold.paginator import InfinitePaginator

from apps.accounts.admin import BY_ORGANIZATION
from apps.accounts.asking import ask
from apps.accounts.deciding import SignedIn, actor_of
from apps.api.errors import Problem
from apps.integrations.admin import IntegrationAdmin
from apps.integrations.deeds import row_of
from apps.integrations.models import Integration
from apps.listed import note_cut
from apps.operations import CountlessAdmin, ReadOnlyAdmin, address_of, ago, labelled, linked

from . import log, replaying, sentences, showing
from .catalogue import EVENTS
from .models import Delivery, Hook, Message, Outgoing, Receipt
from .models.deliveries import DeliveryQuerySet, MessageQuerySet

STATES = {
    Delivery.State.PENDING: "info",
    Delivery.State.WAITING: "warning",
    Delivery.State.BEHIND: "default",
    Delivery.State.DELIVERED: "success",
    Delivery.State.FAILED: "danger",
    Delivery.State.DROPPED: "default",
}
STATUSES = {
    Message.Status.COMPLETED: "success",
    Message.Status.ACKNOWLEDGED: "info",
    Message.Status.FAILED: "danger",
}
RECEIPTS = {
    Receipt.State.RECEIVED: "info",
    Receipt.State.DONE: "success",
    Receipt.State.PARKED: "warning",
    Receipt.State.FAILED: "danger",
    Receipt.State.REJECTED: "default",
}
ORGANIZATION = linked("organization", gettext_lazy("organization"))
TRIES_SHOWN = 50
LAST = 20


class EventFilter(DropdownFilter):
    title = gettext_lazy("event")
    parameter_name = "event"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, name) for name in EVENTS]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(hook__event=self.value()) if self.value() else queryset


class NeedsFilter(DropdownFilter):
    """What is kept for an address that is paused or disabled, what nobody sends though it is due, what was given up."""

    title = gettext_lazy("what it waits for")
    parameter_name = "needs"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("held", _("Held")),
            ("unsent", _("To be sent, and nobody sends it")),
            ("given-up", _("Given up in the last three days")),
        ]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        match self.value():
            case "held":
                return queryset.held()
            case "unsent":
                return queryset.unsent()
            case "given-up":
                return queryset.came_to_nothing().lately()
        return queryset


class DeliveryPages(CountlessAdmin):
    """What the list of all and the short ones have in common."""

    list_select_related = ["organization", "hook__integration__partner", "endpoint"]
    integration = linked("hook.integration", gettext_lazy("integration"))
    list_display = ["event_type", labelled("state", gettext_lazy("state"), STATES), "why", "address", "tries"]
    list_display += [ago("created_at", gettext_lazy("happened")), ago("next_attempt_at", gettext_lazy("next try"))]

    @display(description=gettext_lazy("event"), ordering="hook__event")
    def event_type(self, delivery: Delivery) -> str:
        return delivery.hook.event

    @display(description=gettext_lazy("address"))
    def address(self, delivery: Delivery) -> str:
        return format_html('<a class="text-link" href="{}">{}</a>', address_of(delivery.endpoint), delivery.endpoint)

    @display(description=gettext_lazy("why"), empty_value="–")
    def why(self, delivery: Delivery) -> str:
        return sentences.why(delivery.error) if delivery.error else ""


@admin.register(Delivery)
class DeliveryAdmin(DeliveryPages):
    """Each try stands on its page, with what was sent and what came back, side by side."""

    list_display = [*DeliveryPages.list_display, linked("hook.integration", gettext_lazy("integration")), ORGANIZATION]
    list_filter = [("state", ChoicesDropdownFilter), EventFilter, NeedsFilter]
    list_filter += [("hook__integration", AutocompleteSelectFilter), BY_ORGANIZATION]
    search_help_text = gettext_lazy("Id of the message, or of what it is about")
    search_fields = ["=id"]
    actions = ["replay_chosen", "try_chosen"]
    actions_detail = ["replay", "try_now"]
    readonly_fields = ["event_type", "stands", "to", "of_integration", "message", "timeline", "shown_body"]
    fieldsets = [
        (None, {"fields": ["event_type", "stands", "to", "of_integration", "organization", "message", "hook"]}),
        (gettext_lazy("Tries"), {"fields": ["timeline"]}),
        (gettext_lazy("What is sent"), {"fields": ["shown_body"]}),
        (
            gettext_lazy("When"),
            {"fields": ["created_at", "tries", "first_tried_at", "next_attempt_at", "finished_at", "lane"]},
        ),
    ]

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        if text := search_term.strip():
            told = log.deliveries_found(text, among=queryset)
            note_cut(request, told.is_cut)
            queryset = queryset.filter(pk__in=told.ids)
        return queryset, False

    def has_replay_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("webhooks.change_delivery")

    @action(description=gettext_lazy("Send once more"), permissions=["replay"])
    def replay_chosen(self, request: SignedIn, chosen: DeliveryQuerySet) -> None:
        self._replay(request, Delivery.objects.filter(pk__in=list(chosen.values_list("pk", flat=True))))

    @action(description=gettext_lazy("Try now"), permissions=["replay"])
    def try_chosen(self, request: SignedIn, chosen: DeliveryQuerySet) -> None:
        self._try_now(request, Delivery.objects.filter(pk__in=list(chosen.values_list("pk", flat=True))))

    @action(description=gettext_lazy("Send once more"), permissions=["replay"], icon="replay")
    def replay(self, request: SignedIn, object_id: str) -> HttpResponse:
        words: dict[str, Any] = {"title": _("Send it once more?"), "button": _("Send once more")}
        words["points"] = [_("It goes out again, with the same id, to where its hook leads now.")]
        return self._ask(request, object_id, self._replay, **words)

    @action(description=gettext_lazy("Try now"), permissions=["replay"], icon="bolt")
    def try_now(self, request: SignedIn, object_id: str) -> HttpResponse:
        words: dict[str, Any] = {"title": _("Try it now?"), "button": _("Try now")}
        words["points"] = [_("Its next try is at once, and not when it was due.")]
        return self._ask(request, object_id, self._try_now, **words)

    def _ask(self, request: SignedIn, object_id: str, deed: Callable[..., None], **words: Any) -> HttpResponse:
        delivery = row_of(self, request, object_id)

        def do(given: dict[str, Any]) -> HttpResponse:
            deed(request, Delivery.objects.filter(pk=delivery.pk))
            return redirect(address_of(delivery))

        return ask(self, request, do=do, back=address_of(delivery), **words)

    def _replay(self, request: SignedIn, chosen: DeliveryQuerySet) -> None:
        try:
            sent = replaying.replay(chosen, actor=actor_of(request))
        except Problem as problem:
            messages.error(request, problem.detail or problem.title)
            return
        if sent:
            text = ngettext("%(n)d message is sent once more.", "%(n)d messages are sent once more.", sent)
            messages.success(request, text % {"n": sent})
        else:
            messages.info(request, _("Only what came to its end can be sent once more."))

    def _try_now(self, request: SignedIn, chosen: DeliveryQuerySet) -> None:
        tried = replaying.try_now(chosen, actor=actor_of(request))
        if tried:
            text = ngettext("%(n)d message is tried now.", "%(n)d messages are tried now.", tried)
            messages.success(request, text % {"n": tried})
        else:
            messages.info(request, _("Only what waits for its next try can be tried now."))

    @display(description=gettext_lazy("state"))
    def stands(self, delivery: Delivery) -> str:
        look = sentences.of_delivery(delivery)
        return format_html("{}. {} {}", look.label, look.text, look.todo)

    @display(description=gettext_lazy("address"))
    def to(self, delivery: Delivery) -> str:
        return self.address(delivery)

    @display(description=gettext_lazy("integration"), empty_value="–")
    def of_integration(self, delivery: Delivery) -> Any:
        return linked("hook.integration", "")(delivery)

    @display(description=gettext_lazy("id of the message"))
    def message(self, delivery: Delivery) -> str:
        return delivery.message_id

    @display(description=gettext_lazy("tries"), empty_value="–")
    def timeline(self, delivery: Delivery) -> str:
        tried = list(delivery.attempts.order_by("-pk")[:TRIES_SHOWN])
        sent = showing.headers_of_each(delivery, tried, body=showing.body_of(delivery))
        rows = [(one, headers, showing.without_secrets(one.headers)) for one, headers in zip(tried, sent, strict=True)]
        context = {"next": delivery.next_attempt_at, "attempts": rows}
        return render_to_string("admin/webhooks/attempts.html", context)

    @display(description=gettext_lazy("body"), empty_value="–")
    def shown_body(self, delivery: Delivery) -> str:
        text = showing.legible(showing.body_of(delivery))
        return format_html('<pre class="overflow-x-auto whitespace-pre-wrap">{}</pre>', text)


@admin.register(Message)
class MessageAdmin(CountlessAdmin):
    """All that came in and went out, side by side (behaviour 94). The older ones by their organization."""

    list_display = ["what", "direction", labelled("status", gettext_lazy("status"), STATUSES), "entity", "ref", "error"]
    list_display += [linked("integration", gettext_lazy("integration")), ORGANIZATION]
    list_display += [ago("created_at", gettext_lazy("when"))]
    list_filter = [("status", ChoicesDropdownFilter), ("direction", ChoicesDropdownFilter), "entity"]
    list_filter += [("integration", AutocompleteSelectFilter), BY_ORGANIZATION]
    list_select_related = ["organization", "integration__partner"]
    ordering = ["-created_at", "-pk"]
    search_help_text = gettext_lazy("Id of the message, its sender's, or that of what it is about")
    search_fields = ["=ref"]
    readonly_fields = ["more"]
    fields = ["type", "direction", "status", "error", "more", "integration", "shop", "organization", "entity", "ref"]
    fields += ["created_at"]

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        if text := search_term.strip():
            wanted, is_cut = log.found(text, of=None)
            note_cut(request, is_cut)
            queryset = queryset.filter(wanted)
        return queryset, False

    def get_queryset(self, request: HttpRequest) -> MessageQuerySet:
        rows = super().get_queryset(request)
        is_narrow = {"q", "organization__id__exact"} & {name for name, value in request.GET.items() if value}
        return rows if is_narrow else log.newest(rows)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Message | None:
        return log.message(Message.objects.all(), object_id)

    @display(description=gettext_lazy("event"), ordering="type")
    def what(self, message: Message) -> str:
        return message.type or _("Unknown")

    @display(description=gettext_lazy("in full"))
    def more(self, message: Message) -> str:
        row: Any = message.delivery or message.receipt
        return format_html('<a class="text-link" href="{}">{}</a>', address_of(row), row)


class OverdueFilter(DropdownFilter):
    title = gettext_lazy("what needs somebody")
    parameter_name = "needs"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("overdue", _("Nobody passes it on"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.overdue() if self.value() else queryset


@admin.register(Outgoing)
class OutgoingAdmin(CountlessAdmin):
    """Seldom more than a few, unless no dispatcher works."""

    list_display = ["event", ORGANIZATION, "happened"]
    list_filter = [OverdueFilter, BY_ORGANIZATION]
    list_select_related = ["event", "organization"]
    fields = ["event", "organization"]

    @display(description=gettext_lazy("happened"))
    def happened(self, outgoing: Outgoing) -> Any:
        return ago("created_at", "")(outgoing.event)


# ---- On the page of an integration


class DeliveriesOfIntegrationAdmin(DeliveryPages):
    """`extra_context["object"]` is the integration's id."""

    list_display_links = ["event_type"]
    list_per_page = LAST
    paginator = InfinitePaginator

    def get_queryset(self, request: HttpRequest) -> DeliveryQuerySet:
        hooks = Hook.objects.filter(integration=self.extra_context["object"])
        return log.last_of(hooks, most=LAST).select_related("organization", "hook__integration__partner", "endpoint")


class ReceiptsOfIntegrationAdmin(ReadOnlyAdmin):
    """The same of what came in."""

    list_display = ["event_type", labelled("state", gettext_lazy("state"), RECEIPTS), "error", "tries", "repeats"]
    list_display += [ago("received_at", gettext_lazy("received"))]
    list_display_links = ["event_type"]
    list_per_page = LAST
    paginator = InfinitePaginator

    def get_queryset(self, request: HttpRequest) -> QuerySet[Receipt]:
        owner = Integration.objects.filter(pk=self.extra_context["object"])
        rows = super().get_queryset(request).filter(organization__in=owner.values("organization"))
        return rows.filter(integration__in=owner)


class DeliveriesOfIntegration(BaseDataset):
    model = Delivery
    model_admin = DeliveriesOfIntegrationAdmin
    tab = True


class ReceiptsOfIntegration(BaseDataset):
    model = Receipt
    model_admin = ReceiptsOfIntegrationAdmin
    tab = True


IntegrationAdmin.change_form_datasets += [DeliveriesOfIntegration, ReceiptsOfIntegration]
