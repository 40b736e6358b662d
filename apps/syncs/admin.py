"""Sync runs with their failures, and the connections' pages with their runs and a way to run them again."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, QuerySet
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
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
from apps.audit.trail import record
from apps.htmx import go
from apps.integrations.deeds import row_of, rows_of
from apps.integrations.models import Integration
from apps.operations import CountlessAdmin, ReadOnlyAdmin, ReadOnlyInline, address_of, ago, labelled, linked
from apps.shops.admin import ConnectionAdmin, IntegrationWithConnectionsAdmin, ShopAdmin
from apps.shops.models import Connection, ConnectionQuerySet, Shop

from . import acting, attention, comparing, queueing
from .models import Drift, DriftQuerySet, OrderFeed, Repair, SyncFailure, SyncRun, SyncRunQuerySet
from .stock_deeds import HoldsOrders, KeepsStockBack, TakesInCatalogue

MOST_AT_ONCE = 500  # owed one by one while somebody waits for the page

KINDS = {
    SyncRun.State.QUEUED: "info",
    SyncRun.State.RUNNING: "info",
    SyncRun.State.SUCCEEDED: "success",
    SyncRun.State.PARTIAL: "warning",
    SyncRun.State.FAILED: "danger",
    SyncRun.State.CANCELLED: "default",
}
shown_state = labelled("state", gettext_lazy("state"), KINDS)
ended = ago("finished_at", gettext_lazy("ended"))
RUN_DIALOG = {
    "title": gettext_lazy("Run a sync now?"),
    "description": gettext_lazy("It reads the whole list of the store again. What is unchanged is not touched."),
    "form_submit_text": gettext_lazy("Run"),
}


@display(description=gettext_lazy("progress"))
def progress(run: SyncRun) -> str:
    return f"{run.done} / {'?' if run.total is None else run.total}"


def run_again(request: SignedIn, connections: ConnectionQuerySet) -> None:
    """Owe each of these connections that is live a sync, and say what came of it. A partner's we do not read."""
    live = list(connections.live().filter(integration__partner=None).select_related("integration")[: MOST_AT_ONCE + 1])
    if len(live) > MOST_AT_ONCE:
        messages.error(request, _("Choose %(most)d at most.") % {"most": MOST_AT_ONCE})
        return
    for connection in live:
        queueing.owe_first(connection, by=request.user)
        record(actor_of(request), "sync.ask", on=connection)
    others = connections.exclude(shop__in=[connection.shop_id for connection in live])
    stores = others.aggregate(n=Count(Coalesce("shop_id", "pk"), distinct=True))["n"]
    held = [connection for connection in live if connection.integration and not connection.integration.is_connected]
    _tell(request, going=len(live) - len(held), held=len(held), left_out=stores)


def _tell(request: SignedIn, *, going: int, held: int, left_out: int) -> None:
    if going:
        text = ngettext("%(n)d sync begins now.", "%(n)d syncs begin now.", going)
        messages.success(request, text % {"n": going})
    if held:
        text = ngettext(
            "%(n)d sync waits for its owner to log in.", "%(n)d syncs wait for their owners to log in.", held
        )
        messages.warning(request, text % {"n": held})
    if left_out:
        text = ngettext("%(n)d store is not connected.", "%(n)d stores are not connected.", left_out)
        messages.warning(request, text % {"n": left_out})


class MayRun:
    """Running something again, or calling it off, needs the permission to change runs."""

    def has_run_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("syncs.change_syncrun")

    def one(self, request: SignedIn, object_id: str, *, do: Callable[[SignedIn, Any], None]) -> HttpResponse:
        """Do it to the row of this page, and show the page again."""
        row = self.get_object(request, object_id)  # type: ignore[attr-defined]
        if row is None:
            raise Http404
        do(request, type(row).objects.filter(pk=row.pk))
        return go(request, address_of(row))


class NeedsFilter(DropdownFilter):
    title = gettext_lazy("what needs somebody")
    parameter_name = "needs"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("failed", _("Failed, and not mended since")), ("overdue", _("Nobody works on it"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        asked = {"failed": attention.failed, "overdue": attention.overdue}.get(self.value() or "")
        return queryset.filter(pk__in=asked().values("pk")) if asked else queryset


class FailureInline(ReadOnlyInline):
    model = SyncFailure
    fields = ["ref", "code", "detail"]
    show_title = show_change_link = False


class RepairInline(ReadOnlyInline):
    """What the other side had not told us."""

    model = Repair
    verbose_name_plural = gettext_lazy("put right, which it had not told us")
    fields = ["ref", "detail"]
    show_title = show_change_link = False


@admin.register(SyncRun)
class SyncRunAdmin(MayRun, ReadOnlyAdmin):
    list_display = ["shop", linked("organization", gettext_lazy("organization")), shown_state, progress]
    list_display += ["failed_count", "error", "tries", ago("created_at", gettext_lazy("asked for"))]
    list_display += [ended]
    list_filter = [NeedsFilter, ("state", ChoicesDropdownFilter), ("shop", AutocompleteSelectFilter), BY_ORGANIZATION]
    list_filter += [("integration", AutocompleteSelectFilter)]
    list_select_related = ["organization", "shop"]
    search_help_text = gettext_lazy("Shop, id, organization or reason")
    search_fields = ["shop__name", "=shop__ext_shop_id", "=id", "organization__name", "=error"]
    paginator = InfinitePaginator
    readonly_fields = [shown_state, progress]
    fieldsets = [
        (None, {"fields": [shown_state, "error", "detail", progress, "organization", "shop", "integration"]}),
        (
            gettext_lazy("What it did"),
            {"fields": ["created_count", "updated_count", "removed_count", "failed_count", "pages"]},
        ),
        (
            gettext_lazy("When"),
            {
                "fields": ["asked_by", "created_at", "started_at", "next_attempt_at", "finished_at", "tries"],
            },
        ),
        (
            gettext_lazy("Inside"),
            {"fields": ["id", "cursor", "since", "accepts_removals", "cancel_requested", "lease_until", "fence"]},
        ),
    ]
    inlines = [RepairInline, FailureInline]
    actions = ["run_chosen", "cancel_chosen"]
    actions_detail = ["run_this", "cancel_this"]

    @action(description=gettext_lazy("Run again"), permissions=["run"])
    def run_chosen(self, request: SignedIn, chosen: SyncRunQuerySet) -> None:
        run_again(request, Connection.objects.filter(shop__in=chosen.values("shop")))

    @action(description=gettext_lazy("Call off"), permissions=["run"])
    def cancel_chosen(self, request: SignedIn, chosen: SyncRunQuerySet) -> None:
        called_off = [run for run in chosen.unfinished() if queueing.cancel(run)]
        for run in called_off:
            record(actor_of(request), "sync.cancel", on=run)
        text = ngettext("%(n)d sync is called off.", "%(n)d syncs are called off.", len(called_off))
        messages.success(request, text % {"n": len(called_off)})

    @action(
        description=gettext_lazy("Run again"),
        permissions=["run"],
        icon="sync",
        dialog=RUN_DIALOG,
    )
    def run_this(self, request: SignedIn, form: Any, object_id: str) -> HttpResponse:
        return self.one(request, object_id, do=self.run_chosen)

    @action(
        description=gettext_lazy("Call off"),
        permissions=["run"],
        icon="cancel",
        dialog={
            "title": gettext_lazy("Call it off?"),
            "description": gettext_lazy("What it brought in so far stays."),
            "form_submit_text": gettext_lazy("Call off"),
        },
    )
    def cancel_this(self, request: SignedIn, form: Any, object_id: str) -> HttpResponse:
        return self.one(request, object_id, do=self.cancel_chosen)


@admin.register(SyncFailure)
class SyncFailureAdmin(ReadOnlyAdmin):
    list_display = ["ref", "code", "detail", linked("run", gettext_lazy("run"))]
    list_display += [linked("organization", gettext_lazy("organization"))]
    list_filter = ["code", ("run__integration", AutocompleteSelectFilter), BY_ORGANIZATION]
    list_select_related = ["run__shop", "organization"]
    search_fields = ["=ref", "=code", "=run__id", "organization__name"]
    fields = ["ref", "code", "detail", "run", "organization"]


@admin.register(Drift)
class DriftAdmin(ReadOnlyAdmin):
    """Stock that differs at the other side; chosen ones are put right here."""

    list_display = ["product", "ours", "theirs", "times", linked("shop", gettext_lazy("shop"))]
    list_display += [linked("organization", gettext_lazy("organization"))]
    list_display += [ago("found_at", gettext_lazy("since")), ago("seen_at", gettext_lazy("seen last"))]
    list_filter = [BY_ORGANIZATION, ("shop", AutocompleteSelectFilter)]
    list_filter += [("shop__integration", AutocompleteSelectFilter)]
    list_select_related = ["organization", "shop", "product"]
    search_fields = ["=product__sku", "product__name", "shop__name"]
    fields = ["product", "shop", "organization", "ours", "theirs", "times", "found_at", "seen_at"]
    paginator = InfinitePaginator
    actions = ["put_right"]

    def has_run_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("catalog.change_stocklevel")

    @action(description=gettext_lazy("Put right: tell platforms again, believe warehouses"), permissions=["run"])
    def put_right(self, request: SignedIn, chosen: DriftQuerySet) -> None:
        try:
            done = comparing.repair(chosen, actor=actor_of(request))
        except Problem as problem:
            messages.error(request, problem.detail)
            return
        text = ngettext("%(n)d product is put right.", "%(n)d products are put right.", done)
        messages.success(request, text % {"n": done})


class SilentFilter(DropdownFilter):
    title = gettext_lazy("what needs somebody")
    parameter_name = "needs"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("silent", _("Could not be reached for a while"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(pk__in=OrderFeed.objects.troubled().values("pk")) if self.value() else queryset


@admin.register(OrderFeed)
class OrderFeedAdmin(CountlessAdmin):
    """Whether each warehouse can be told of orders."""

    list_display = [linked("integration", gettext_lazy("integration")), "tries", "error"]
    list_display += [linked("organization", gettext_lazy("organization"))]
    list_display += [ago("told_at", gettext_lazy("told")), ago("next_attempt_at", gettext_lazy("waits until"))]
    list_filter = [SilentFilter, ("integration", AutocompleteSelectFilter), BY_ORGANIZATION]
    list_select_related = ["organization", "integration__partner"]
    search_fields = ["integration__name", "=error", "organization__name"]
    fields = ["integration", "organization", "told_at", "next_attempt_at", "tries", "error", "detail"]
    fields += ["lease_until", "fence"]
    readonly_fields = ["lease_until", "fence"]


class RunsOfConnectionAdmin(ReadOnlyAdmin):
    """The list of runs inside a connection's page. `extra_context["object"]` is that connection's id."""

    list_display = ["created_at", shown_state, progress, "failed_count", "error", ended]
    list_per_page = 20

    def get_queryset(self, request: HttpRequest) -> QuerySet[SyncRun]:
        shops = Connection.objects.filter(pk=self.extra_context["object"]).values("shop")
        return super().get_queryset(request).filter(shop__in=shops).select_related("shop")


class RunsOfIntegrationAdmin(ReadOnlyAdmin):
    """The same inside an integration's page: of all its stores."""

    list_display = ["kind", "shop", shown_state, progress, "failed_count", "error"]
    list_display += [ago("created_at", gettext_lazy("asked for")), ended]
    list_display_links = ["kind"]
    list_per_page = 20
    paginator = InfinitePaginator

    def get_queryset(self, request: HttpRequest) -> QuerySet[SyncRun]:
        return super().get_queryset(request).filter(integration=self.extra_context["object"]).select_related("shop")


class RunsOfConnection(BaseDataset):
    model = SyncRun
    model_admin = RunsOfConnectionAdmin
    tab = True


# Their rooms may not know of syncs; their pages, extended here, show them.
for model in (Connection, Integration, Shop):
    admin.site.unregister(model)


@admin.register(Connection)
class ConnectionWithRunsAdmin(MayRun, ConnectionAdmin):
    change_form_datasets = [RunsOfConnection]
    actions = ["run_chosen"]
    actions_detail = ["run_this"]

    @action(description=gettext_lazy("Run a sync now"), permissions=["run"])
    def run_chosen(self, request: SignedIn, chosen: ConnectionQuerySet) -> None:
        run_again(request, chosen)

    @action(
        description=gettext_lazy("Run a sync now"),
        permissions=["run"],
        icon="sync",
        dialog=RUN_DIALOG,
    )
    def run_this(self, request: SignedIn, form: Any, object_id: str) -> HttpResponse:
        return self.one(request, object_id, do=self.run_chosen)


@admin.register(Shop)
class ShopWithCatalogueAdmin(TakesInCatalogue, ShopAdmin):
    actions_detail = ["adjust"]


@admin.register(Integration)
class IntegrationWithActionsAdmin(MayRun, KeepsStockBack, HoldsOrders, IntegrationWithConnectionsAdmin):
    """With what `acting` offers for it, besides what its own room does."""

    actions_detail = [
        *IntegrationWithConnectionsAdmin.actions_detail,
        "keep_back",
        "hold_orders",
        {
            "title": gettext_lazy("Stores"),
            "icon": "bolt",
            "items": ["test_connection", "sync_now", "compare_stock"],
        },
    ]

    def has_test_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return self._offers(request, object_id, "test-connection")

    def has_sync_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return self._offers(request, object_id, "sync-now")

    def _offers(self, request: HttpRequest, object_id: Any, code: str) -> bool:
        found = rows_of(Integration, object_id).select_related("partner").first()
        return self.has_run_permission(request) and bool(found) and acting.is_offered(found, code)

    @action(description=gettext_lazy("Test the connection"), permissions=["test"], icon="network_check")
    def test_connection(self, request: SignedIn, object_id: str) -> HttpResponse:
        return self._act(request, object_id, "test-connection")

    @action(description=gettext_lazy("Sync now"), permissions=["sync"], icon="sync")
    def sync_now(self, request: SignedIn, object_id: str) -> HttpResponse:
        return self._act(request, object_id, "sync-now")

    def has_compare_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return self._offers(request, object_id, "compare-stock")

    @action(description=gettext_lazy("Compare stock"), permissions=["compare"], icon="balance")
    def compare_stock(self, request: SignedIn, object_id: str) -> HttpResponse:
        return self._act(request, object_id, "compare-stock")

    def _act(self, request: SignedIn, object_id: str, code: str) -> HttpResponse:
        """Ask first; then do it, and say what came of it."""
        integration = row_of(self, request, object_id)
        offered = acting.action_of(integration, code)

        def do(given: dict[str, Any]) -> HttpResponse:
            outcome = acting.perform(integration, code, values={}, actor=actor_of(request), by=request.user)
            messages.add_message(request, messages.SUCCESS if outcome.ok else messages.WARNING, outcome.detail)
            return redirect(address_of(integration))

        words: dict[str, Any] = {"title": offered.name, "points": [offered.description], "button": offered.name}
        return ask(self, request, do=do, back=address_of(integration), **words)
