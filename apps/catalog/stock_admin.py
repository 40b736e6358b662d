"""Where goods lie, how many, why that many, and what platforms were told of it."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter, DropdownFilter
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminTextInputWidget

from apps.accounts.admin import BY_ORGANIZATION
from apps.accounts.asking import ask
from apps.accounts.deciding import SignedIn, actor_of
from apps.integrations.deeds import done, row_of
from apps.listed import Listed
from apps.meanwhile import Meanwhile
from apps.operations import Choosing, CountlessAdmin, ReadOnlyInline, address_of, ago, labelled, linked

from . import by_hand, locating
from .models import HeldReport, Location, Publication, StockFeed, StockLevel, StockMovement
from .stocking import Result

ORGANIZATION = linked("organization", gettext_lazy("organization"))
INTEGRATION = linked("integration", gettext_lazy("integration"))
BY_INTEGRATION = ("integration", AutocompleteSelectFilter)
CAUSES = {
    StockMovement.Cause.RECEIPT: "info",
    StockMovement.Cause.REPORT: "info",
    StockMovement.Cause.SNAPSHOT: "info",
    StockMovement.Cause.OPERATOR: "default",
    StockMovement.Cause.ORDER: "success",
    StockMovement.Cause.FULFILLMENT: "success",
    StockMovement.Cause.RECONCILE: "warning",
}


class LocationForm(forms.ModelForm):
    def clean(self) -> dict[str, Any]:
        """The people at the port find a place by its name: a customer's and the 3PL's own may not share one."""
        given = super().clean() or self.cleaned_data
        others = Location.objects.manual().filter(name__iexact=given.get("name", "")).exclude(pk=self.instance.pk)
        organization = given.get("organization", self.instance.organization)
        if organization:
            others = others.filter(Q(organization=organization) | Q(organization=None))
        is_manual = given.get("kind") != Location.Kind.EXTERNAL and not given.get(
            "integration", self.instance.integration
        )
        if is_manual and others.exists():
            raise forms.ValidationError(_("There is a location of this name already."))
        return given


@admin.register(Location)
class LocationAdmin(Meanwhile, Choosing, Listed, ModelAdmin):
    """Whose it is and who fulfils from it stays as it was made; one that no level refers to can be deleted."""

    form = LocationForm
    list_display = ["name", "kind", ORGANIZATION, INTEGRATION, "is_active", "is_paused", "excluded_from_totals"]
    list_filter_submit = True
    list_filter = ["is_active", ("kind", ChoicesDropdownFilter), BY_ORGANIZATION, BY_INTEGRATION]
    list_select_related = ["organization", "integration"]
    search_fields = ["name", "address", "=ext_location_id", "=id", "organization__name"]
    autocomplete_fields = ["organization", "integration"]
    actions = None
    fieldsets = [
        (None, {"fields": ["name", "kind", "organization", "integration", "ext_location_id", "address"]}),
        (gettext_lazy("Use"), {"fields": ["is_active", "is_paused", "excluded_from_totals"]}),
    ]

    def get_readonly_fields(self, request: HttpRequest, obj: Location | None = None) -> list[str]:
        return ["organization", "integration", "ext_location_id"] if obj else []

    def has_delete_permission(self, request: HttpRequest, obj: Location | None = None) -> bool:
        return super().has_delete_permission(request, obj) and not (obj and obj.stock_levels.exists())

    def save_model(self, request: SignedIn, obj: Location, form: Any, change: bool) -> None:
        actor = actor_of(request)
        if change:
            locating.change(obj, form.cleaned_data, actor=actor)
        else:
            locating.make(obj, actor=actor)

    def delete_model(self, request: SignedIn, obj: Location) -> None:
        locating.delete(obj, actor=actor_of(request))


class CorrectionForm(forms.Form):
    pieces = forms.IntegerField(
        label=gettext_lazy("Pieces there now"),
        min_value=0,
        max_value=by_hand.MOST_AT_ONCE,
        widget=UnfoldAdminIntegerFieldWidget,
    )
    reason = forms.CharField(label=gettext_lazy("Why you counted"), max_length=500, widget=UnfoldAdminTextInputWidget)


class MovementInline(ReadOnlyInline):
    model = StockMovement
    fields = ["created_at", "cause", "on_hand_change", "reserved_change", "on_hand", "reserved", "reference", "actor"]


@admin.register(StockLevel)
class StockLevelAdmin(CountlessAdmin):
    list_display = ["shown_sku", linked("location", gettext_lazy("location")), ORGANIZATION, "on_hand", "reserved"]
    list_display += ["shown_available", "incoming", ago("counted_at", gettext_lazy("counted"))]
    list_display += [ago("updated_at", gettext_lazy("changed"))]
    list_filter = [BY_ORGANIZATION, ("location", AutocompleteSelectFilter), "location__kind"]
    list_filter += [("location__integration", AutocompleteSelectFilter)]
    list_select_related = ["organization", "product", "location"]
    search_fields = ["product__sku", "product__name", "product__barcodes", "location__name"]
    fieldsets = [
        (None, {"fields": ["product", "location", "organization"]}),
        (
            gettext_lazy("Pieces"),
            {"fields": ["on_hand", "reserved", "shown_available", "incoming", "reserved_incoming"]},
        ),
        (gettext_lazy("Counted"), {"fields": ["counted_version", "counted_at", "version", "created_at", "updated_at"]}),
    ]
    readonly_fields = ["shown_available"]
    inlines = [MovementInline]
    actions_detail = ["correct"]

    def has_correct_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Where a warehouse system counts, it is asked to count again."""
        known = str(object_id).isascii() and str(object_id).isdigit()
        by_hand_only = Location.objects.manual()
        found = known and StockLevel.objects.filter(pk=object_id, location__in=by_hand_only).exists()
        return bool(found) and request.user.has_perm("catalog.change_stocklevel")

    @action(description=gettext_lazy("Correct by counting"), permissions=["correct"], icon="pin")
    def correct(self, request: SignedIn, object_id: str) -> HttpResponse:
        level = row_of(self, request, object_id)
        form = CorrectionForm(request.POST if request.method == "POST" else None)

        def do(given: dict[str, Any]) -> HttpResponse:
            outcome = by_hand.count(level.product, level.location, actor=actor_of(request), **given)
            if outcome.result == Result.STALE:
                messages.warning(request, _("Somebody counted after you. Their number stands."))
                return redirect(address_of(level))
            return done(request, level, _("The count is entered in the ledger, under your name."))

        named = {"sku": level.product.sku, "place": level.location, "n": level.on_hand}
        title = _("How many of %(sku)s are at %(place)s?") % named
        points = [_("%(n)d as we know it now.") % named, _("Platforms are told the number that follows from yours.")]
        back = address_of(level)
        return ask(self, request, title=title, points=points, button=_("Save the count"), do=do, back=back, form=form)

    @display(description=gettext_lazy("SKU"), ordering="product__sku")
    def shown_sku(self, level: StockLevel) -> str:
        return level.product.sku

    @display(description=gettext_lazy("available"))
    def shown_available(self, level: StockLevel) -> int:
        return level.available


@admin.register(StockMovement)
class StockMovementAdmin(CountlessAdmin):
    """The ledger. The database itself refuses to change or delete a line."""

    list_display = [ago("created_at", gettext_lazy("when")), "on_hand_change", "on_hand", "reserved_change"]
    list_display += ["reserved", labelled("cause", gettext_lazy("cause"), CAUSES), "reference", "actor"]
    list_display += [linked("level.product", gettext_lazy("product"))]
    list_display += [linked("level.location", gettext_lazy("location")), ORGANIZATION]
    list_filter = [("cause", ChoicesDropdownFilter), "is_count", BY_ORGANIZATION]
    list_filter += [("level__location", AutocompleteSelectFilter), BY_INTEGRATION]
    list_select_related = ["organization", "level__product", "level__location"]
    search_fields = ["=level__product__sku", "=reference", "=entry", "actor"]
    fieldsets = [
        (None, {"fields": ["cause", "is_count", "level", "organization", "sequence"]}),
        (
            gettext_lazy("Changed by"),
            {"fields": ["on_hand_change", "reserved_change", "incoming_change", "reserved_incoming_change"]},
        ),
        (gettext_lazy("To"), {"fields": ["on_hand", "reserved", "incoming", "reserved_incoming"]}),
        (gettext_lazy("Why"), {"fields": ["actor", "integration", "reference", "entry", "source_version", "note"]}),
        (gettext_lazy("When"), {"fields": ["occurred_at", "created_at"]}),
    ]


@admin.register(HeldReport)
class HeldReportAdmin(CountlessAdmin):
    list_display = ["sku", "on_hand", INTEGRATION, linked("location", gettext_lazy("location")), ORGANIZATION, "times"]
    list_display += [ago("occurred_at", gettext_lazy("counted")), ago("updated_at", gettext_lazy("heard"))]
    list_filter = [BY_ORGANIZATION, BY_INTEGRATION]
    list_select_related = ["organization", "integration", "location"]
    search_fields = ["sku", "integration__name", "=integration__id", "=reference"]


class OwedFilter(DropdownFilter):
    title = gettext_lazy("what is owed")
    parameter_name = "owed"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("owed", _("Still to be told")), ("refused", _("Refused last time"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Publication]) -> QuerySet[Publication]:
        if self.value() == "owed":
            return queryset.exclude(due_at=None)
        return queryset.exclude(error="") if self.value() == "refused" else queryset


@admin.register(Publication)
class PublicationAdmin(CountlessAdmin):
    list_display = [linked("product", gettext_lazy("product")), "quantity", linked("shop", gettext_lazy("shop"))]
    list_display += [ORGANIZATION, ago("told_at", gettext_lazy("told")), ago("due_at", gettext_lazy("owed since"))]
    list_display += ["tries", "error"]
    list_filter = [OwedFilter, BY_ORGANIZATION, ("shop", AutocompleteSelectFilter)]
    list_filter += [("shop__integration", AutocompleteSelectFilter)]
    list_select_related = ["organization", "product", "shop"]
    search_fields = ["product__sku", "shop__name", "=error"]
    fields = ["product", "shop", "listing", "organization", "quantity", "told_at", "due_at", "tries", "error", "detail"]


class TroubledFilter(DropdownFilter):
    title = gettext_lazy("what needs somebody")
    parameter_name = "needs"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("untold", _("Not told, or not all of it"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(pk__in=StockFeed.objects.troubled().values("pk")) if self.value() else queryset


@admin.register(StockFeed)
class StockFeedAdmin(CountlessAdmin):
    list_display = [linked("shop", gettext_lazy("shop")), ORGANIZATION, "tries", "error"]
    list_display += [ago("told_at", gettext_lazy("told")), ago("next_attempt_at", gettext_lazy("waits until"))]
    list_filter = [TroubledFilter, BY_ORGANIZATION, ("error", admin.EmptyFieldListFilter)]
    list_filter += [("shop__integration", AutocompleteSelectFilter)]
    list_select_related = ["organization", "shop"]
    search_fields = ["shop__name", "=shop__ext_shop_id", "=error", "organization__name"]
    fields = ["shop", "organization", "told_at", "next_attempt_at", "tries", "error", "detail", "lease_until", "fence"]
