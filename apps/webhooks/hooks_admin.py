"""Who hears from us, for people of the 3PL: how each address is doing, who must act, and what can be done there."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter, DropdownFilter
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminSelectWidget

from apps.accounts.admin import BY_ORGANIZATION
from apps.accounts.asking import ask
from apps.accounts.deciding import SignedIn, actor_of
from apps.accounts.proving import shows_secret, tell_owners
from apps.integrations.deeds import done, row_of, rows_of
from apps.operations import CountlessAdmin, ReadOnlyAdmin, ReadOnlyInline, address_of, ago, label, labelled, linked

from . import addressing, holding, hooking, log, sentences, showing, trying
from .catalogue import EVENTS
from .models import Endpoint, Hook, Notice

INTEGRATION = linked("integration", gettext_lazy("integration"))
ORGANIZATION = linked("organization", gettext_lazy("organization"))
BY_INTEGRATION = ("integration", AutocompleteSelectFilter)
NAMED = [("state", ChoicesDropdownFilter), ("reason", ChoicesDropdownFilter)]
LAST = 20
STAGES = {
    Notice.Stage.STREAK: "warning",
    Notice.Stage.HALF_WAY: "warning",
    Notice.Stage.DISABLED: "danger",
    Notice.Stage.RESUMED: "success",
}


OF_US = [
    ("unopened", gettext_lazy("Its secrets cannot be opened")),
    ("unserved", gettext_lazy("Nobody sends its messages")),
    ("holding", gettext_lazy("Nothing is sent")),
]


class NeedsFilter(DropdownFilter):
    title = gettext_lazy("who must act")
    parameter_name = "needs"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("failing", _("Failing")), ("disabled", _("Disabled")), *OF_US]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        match self.value():
            case "failing":
                return queryset.failing().filter(state=Endpoint.State.ACTIVE)
            case "disabled":
                return queryset.kept().filter(state=Endpoint.State.DISABLED)
            case "unopened":
                return queryset.unopened()
            case "unserved":
                return queryset.unserved()
            case "holding":
                return queryset.holding()
        return queryset


class HookInline(ReadOnlyInline):
    model = Hook
    fields = ["event", "filter", "created_at", "deleted_at"]
    readonly_fields = ["created_at", "deleted_at"]


class NoticeInline(ReadOnlyInline):
    model = Notice
    fields = ["stage", "failures", "error", "event_type", "held", "created_at", "sent_at"]
    show_change_link = False


class ResumeForm(forms.Form):
    choice = forms.ChoiceField(label=gettext_lazy("What was kept"), widget=UnfoldAdminSelectWidget)

    def __init__(self, data: Any, *, counts: dict[str, int]) -> None:
        super().__init__(data)
        words = {"all": _("Send all, in order"), "newest": _("Send the newest of each"), "drop": _("Send none")}
        self.fields["choice"].choices = [(name, f"{words[name]}: {counts[name]}") for name in hooking.CHOICES]  # type: ignore[attr-defined]


class RotateForm(forms.Form):
    hours = forms.TypedChoiceField(
        label=gettext_lazy("How long the old secret still signs, too"),
        coerce=int,
        choices=[(24, gettext_lazy("A day")), (168, gettext_lazy("A week")), (0, gettext_lazy("Not at all"))],
        widget=UnfoldAdminSelectWidget,
    )


class TestForm(forms.Form):
    event = forms.ChoiceField(label=gettext_lazy("Which event"), widget=UnfoldAdminSelectWidget)

    def __init__(self, data: Any, *, endpoint: Endpoint) -> None:
        super().__init__(data)
        heard = Hook.objects.kept().filter(endpoint=endpoint).order_by("event").values_list("event", flat=True)
        names = [name for name in heard if name in EVENTS] or list(EVENTS)[:1]
        self.fields["event"].choices = [(name, name) for name in names]  # type: ignore[attr-defined]


@display(description=gettext_lazy("state"), ordering="state")
def stands(endpoint: Endpoint) -> str:
    """In a word; that it was removed says more than the rest."""
    if endpoint.deleted_at:
        return label(_("Removed"), kind="default")
    look = sentences.of_endpoint(endpoint, held=0)
    return label(look.label, kind=look.look or "default")


@admin.register(Endpoint)
class EndpointAdmin(ReadOnlyAdmin):
    """Read only; what can be done asks first, and does what its owner's page and the API do."""

    list_display = ["__str__", stands, "failures", ago("failing_since", gettext_lazy("failing since"))]
    list_display += [ago("last_success_at", gettext_lazy("last success")), INTEGRATION, ORGANIZATION]
    list_filter = [*NAMED, NeedsFilter, ("format", ChoicesDropdownFilter), BY_INTEGRATION, BY_ORGANIZATION]
    list_select_related = ["organization", "integration__partner"]
    search_help_text = gettext_lazy("Address, name or id, of it or its integration")
    search_fields = ["address", "name", "=id", "integration__name", "organization__name"]
    readonly_fields = ["said", "shown_url", "waits", "last", "header_names"]
    fieldsets = [
        (None, {"fields": ["said", "waits", "shown_url", "name", "format", "integration", "shop", "organization"]}),
        (gettext_lazy("What went there last"), {"fields": ["last"]}),
        (
            gettext_lazy("Health"),
            {"fields": ["failures", "failing_since", "last_success_at", "last_error", "probe_at", "resumes"]},
        ),
        (gettext_lazy("When"), {"fields": ["state_since", "created_at", "updated_at", "created_by", "deleted_at"]}),
        (gettext_lazy("Inside"), {"fields": ["id", "header_names", "due_at", "rung", "lease_until", "fence"]}),
    ]
    inlines = [HookInline, NoticeInline]
    actions_detail = ["pause", "resume", "send_test", "rotate"]

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        known = queryset.alias(address=addressing.without_query("url"))
        return super().get_search_results(request, known, search_term)

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """What is not shown of an address is not asked for letter by letter either."""
        return lookup.partition("__")[0] != "url" and super().lookup_allowed(lookup, value, request)

    @display(description=gettext_lazy("state"))
    def said(self, endpoint: Endpoint) -> str:
        look = sentences.of_endpoint(endpoint, held=self._held(endpoint).count)
        removed = _("It was removed.") if endpoint.deleted_at else ""
        return format_html("{} {}. {} {}", removed, look.label, look.text, look.todo)

    @display(description=gettext_lazy("messages that wait"))
    def waits(self, endpoint: Endpoint) -> str:
        return str(self._held(endpoint))

    def _held(self, endpoint: Endpoint) -> holding.Held:
        return holding.held([endpoint]).get(endpoint.pk, holding.Held())

    @display(description=gettext_lazy("address"))
    def shown_url(self, endpoint: Endpoint) -> str:
        return addressing.shown(endpoint.url)

    @display(description=gettext_lazy("own headers"), empty_value="–")
    def header_names(self, endpoint: Endpoint) -> str:
        return ", ".join(addressing.header_names(endpoint))

    @display(description=gettext_lazy("messages"), empty_value="–")
    def last(self, endpoint: Endpoint) -> str:
        hooks = Hook.objects.filter(endpoint=endpoint)
        found = log.last_of(hooks, most=LAST).filter(endpoint=endpoint).select_related("hook", "endpoint")
        rows = [(one, sentences.of_delivery(one), address_of(one)) for one in found]
        return render_to_string("admin/webhooks/last.html", {"rows": rows, "all": _list_of(endpoint)})

    def _may(self, request: HttpRequest, object_id: Any) -> Any:
        rows = rows_of(Endpoint, object_id)
        return rows.kept() if request.user.has_perm("webhooks.change_endpoint") else rows.none()

    def has_act_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return bool(self._may(request, object_id).exists())

    def has_pause_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return bool(self._may(request, object_id).exclude(state=Endpoint.State.PAUSED).exists())

    def has_resume_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return bool(self._may(request, object_id).exclude(state=Endpoint.State.ACTIVE).exists())

    def has_rotate_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return bool(self._may(request, object_id).exclude(format=Endpoint.Format.PIO).exists())

    @action(description=gettext_lazy("Pause"), permissions=["pause"], icon="pause")
    def pause(self, request: SignedIn, object_id: str) -> HttpResponse:
        endpoint = row_of(self, request, object_id)

        def do(given: dict[str, Any]) -> HttpResponse:
            hooking.pause(endpoint, actor=actor_of(request))
            return done(request, endpoint, _("It is paused. What happens is kept."))

        points = [_("Nothing is sent there until somebody resumes it. What happens meanwhile is kept.")]
        page: dict[str, Any] = {
            "title": _("Pause %(address)s?") % {"address": endpoint},
            "button": _("Pause it"),
            "points": points,
        }
        return ask(self, request, do=do, back=address_of(endpoint), **page)

    @action(description=gettext_lazy("Resume"), permissions=["resume"], icon="play_arrow")
    def resume(self, request: SignedIn, object_id: str) -> HttpResponse:
        endpoint = row_of(self, request, object_id)

        def do(given: dict[str, Any]) -> HttpResponse:
            sent = hooking.resume(endpoint, choice=given["choice"], actor=actor_of(request))
            text = ngettext("%(n)d message is sent now.", "%(n)d messages are sent now.", sent)
            return done(request, endpoint, text % {"n": sent})

        form = ResumeForm(request.POST if request.method == "POST" else None, counts=hooking.would_send(endpoint))
        points = [_("What was kept and is not sent now is never sent.")]
        page: dict[str, Any] = {
            "title": _("Resume %(address)s?") % {"address": endpoint},
            "button": _("Resume it"),
            "points": points,
        }
        return ask(self, request, do=do, back=address_of(endpoint), form=form, **page)

    @action(description=gettext_lazy("Send a test"), permissions=["act"], icon="send")
    def send_test(self, request: SignedIn, object_id: str) -> HttpResponse:
        endpoint = row_of(self, request, object_id)

        def do(given: dict[str, Any]) -> HttpResponse:
            answer = trying.test(endpoint, event=given["event"], actor=actor_of(request))
            headers = showing.without_secrets(answer.headers)
            return self._page(request, "admin/webhooks/answer.html", endpoint, answer=answer, headers=headers)

        form = TestForm(request.POST if request.method == "POST" else None, endpoint=endpoint)
        points = [_("A signed sample is sent there now, and you see what comes back.")]
        page: dict[str, Any] = {
            "title": _("Send a test to %(address)s?") % {"address": endpoint},
            "button": _("Send it"),
        }
        return ask(self, request, do=do, back=address_of(endpoint), form=form, points=points, **page)

    @action(description=gettext_lazy("New secret"), permissions=["rotate"], icon="key")
    @shows_secret
    def rotate(self, request: SignedIn, object_id: str) -> HttpResponse:
        endpoint = row_of(self, request, object_id)

        def do(given: dict[str, Any]) -> HttpResponse:
            overlap = timedelta(hours=given["hours"])
            secret = hooking.rotate(endpoint, overlap=overlap, actor=actor_of(request))
            tell_owners(endpoint.organization, of=str(endpoint), by=request.user.email)
            return self._page(request, "admin/webhooks/secret.html", endpoint, secret=secret)

        form = RotateForm(request.POST if request.method == "POST" else None)
        points = [_("You see the new secret once, and hand it over safely."), _("Its owner has to put it in place.")]
        page: dict[str, Any] = {
            "title": _("A new secret for %(address)s?") % {"address": endpoint},
            "button": _("Make it"),
        }
        return ask(self, request, do=do, back=address_of(endpoint), form=form, points=points, **page)

    def _page(self, request: HttpRequest, template: str, endpoint: Endpoint, **more: Any) -> HttpResponse:
        context = self.admin_site.each_context(request) | {"title": str(endpoint), "opts": self.opts}
        return render(request, template, context | {"back": address_of(endpoint)} | more)


def _list_of(endpoint: Endpoint) -> str:
    """All that went to its owner, in the list."""
    owner = {"hook__integration__id__exact": endpoint.integration_id} if endpoint.integration_id else {}
    query = owner | {"organization__id__exact": endpoint.organization_id}
    return reverse("admin:webhooks_delivery_changelist", query={name: str(value) for name, value in query.items()})


@admin.register(Hook)
class HookAdmin(ReadOnlyAdmin):
    list_display = ["event", linked("endpoint", gettext_lazy("address")), INTEGRATION, ORGANIZATION]
    list_display += [ago("created_at", gettext_lazy("made")), ago("deleted_at", gettext_lazy("removed"))]
    list_filter = [BY_INTEGRATION, BY_ORGANIZATION]
    list_select_related = ["organization", "integration__partner", "endpoint"]
    search_fields = ["event", "=id", "address", "integration__name"]
    fields = ["event", "filter", "endpoint", "integration", "shop", "organization", "created_at", "updated_at"]
    fields += ["deleted_at", "id"]

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        known = queryset.alias(address=addressing.without_query("endpoint__url"))
        return super().get_search_results(request, known, search_term)


@admin.register(Notice)
class NoticeAdmin(CountlessAdmin):
    list_display: list[Any] = [
        labelled("stage", gettext_lazy("what"), STAGES),
        linked("endpoint", gettext_lazy("address")),
    ]
    list_display += ["error", "held", ORGANIZATION, ago("created_at", gettext_lazy("when"))]
    list_display += [ago("sent_at", gettext_lazy("mailed"))]
    list_filter = [("stage", ChoicesDropdownFilter), ("endpoint__integration", AutocompleteSelectFilter)]
    list_filter += [BY_ORGANIZATION]
    list_select_related = ["organization", "endpoint"]
    ordering = ["-created_at", "-pk"]
    fields = ["stage", "endpoint", "organization", "failures", "error", "event_type", "held", "created_at"]
    fields += ["owners_told_at", "operators_told_at", "sent_at"]
