"""Products and listings, as imports left them."""

from typing import Any

from django.contrib import admin
from django.db.models import F, OuterRef, QuerySet, Subquery, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter
from unfold.decorators import action, display

from apps.accounts.admin import BY_ORGANIZATION
from apps.integrations.deeds import row_of
from apps.operations import CountlessAdmin, ReadOnlyInline, ago, linked

from . import handover_admin, mapping_admin, stock_admin, worklist_admin  # noqa: F401 - their pages
from .models import Listing, Product, StockLevel

SAID = ["barcodes", "price", "currency", "weight", "length", "width", "height", "hs_code", "country_of_origin"]
SAID += ["brand", "type", "tags", "image_src"]


class ListingInline(ReadOnlyInline):
    model = Listing
    fields = ["shop", "sku", "name", "price", "currency", "quantity", "status", "describes_product", "removed_at"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Listing]:
        return super().get_queryset(request).select_related("shop")


class LevelInline(ReadOnlyInline):
    model = StockLevel
    verbose_name_plural = gettext_lazy("stock")
    fields = ["location", "on_hand", "reserved", "incoming", "reserved_incoming", "counted_at", "updated_at"]
    readonly_fields = ["counted_at", "updated_at"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[StockLevel]:
        return super().get_queryset(request).select_related("location", "product")


def _total(number: Any) -> Subquery:
    """Over the places whose stock may be sold. None where there is no level."""
    levels = StockLevel.objects.counted().filter(organization=OuterRef("organization"), product=OuterRef("pk"))
    return Subquery(levels.order_by().values("product").annotate(n=Sum(number)).values("n"))


@admin.register(Product)
class ProductAdmin(CountlessAdmin):
    list_display = ["sku", "name", linked("organization", gettext_lazy("organization")), "in_stock", "available"]
    list_display += ["price", "currency", "barcodes", ago("updated_at", gettext_lazy("changed"))]
    list_display += [ago("archived_at", gettext_lazy("gone"))]
    list_filter = [BY_ORGANIZATION, ("archived_at", admin.EmptyFieldListFilter)]
    list_filter += [("listings__shop__integration", AutocompleteSelectFilter)]
    list_select_related = ["organization"]
    search_fields = ["sku"]
    search_help_text = gettext_lazy("How the SKU or the name begins, or a barcode")
    readonly_fields = ["in_stock", "available"]
    fieldsets = [
        (None, {"fields": ["sku", "name", "organization", "in_stock", "available"]}),
        (gettext_lazy("What is said of it"), {"fields": SAID}),
        (gettext_lazy("When"), {"fields": ["version", "created_at", "updated_at", "archived_at"]}),
    ]
    inlines = [LevelInline, ListingInline]
    actions_detail = ["explain", "open_port"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Product]:
        totals = {"on_hand": _total("on_hand"), "free": _total(F("on_hand") - F("reserved"))}
        return super().get_queryset(request).annotate(**totals)

    @display(description=gettext_lazy("in stock"), empty_value="–")
    def in_stock(self, product: Any) -> int | None:
        return product.on_hand

    @display(description=gettext_lazy("available"), empty_value="–")
    def available(self, product: Any) -> int | None:
        return product.free

    def has_port_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("catalog.change_stocklevel")

    @action(description=gettext_lazy("Why this number?"), permissions=["view"], icon="help")
    def explain(self, request: HttpRequest, object_id: str) -> HttpResponse:
        product = row_of(self, request, object_id)
        return redirect("port-why", product.organization_id, product.pk)

    @action(description=gettext_lazy("Store or pick"), permissions=["port"], icon="warehouse")
    def open_port(self, request: HttpRequest, object_id: str) -> HttpResponse:
        product = row_of(self, request, object_id)
        return redirect("port-product", product.organization_id, product.pk)


@admin.register(Listing)
class ListingAdmin(CountlessAdmin):
    list_display = ["sku", "name", linked("shop", gettext_lazy("shop"))]
    list_display += [linked("organization", gettext_lazy("organization")), "price", "currency", "quantity", "status"]
    list_display += [ago("updated_at", gettext_lazy("changed")), ago("removed_at", gettext_lazy("gone"))]
    list_filter = [BY_ORGANIZATION, "order_sync_enabled", "stock_sync_enabled", ("shop", AutocompleteSelectFilter)]
    list_filter += [("status", ChoicesDropdownFilter), ("removed_at", admin.EmptyFieldListFilter)]
    list_filter += [("shop__integration", AutocompleteSelectFilter)]
    list_select_related = ["shop", "organization"]
    search_fields = ["sku", "name", "=ext_product_id", "=ext_variant_id", "barcodes"]
    fieldsets = [
        (None, {"fields": ["sku", "name", "organization", "shop", "product", "status", "describes_product"]}),
        (gettext_lazy("There"), {"fields": ["ext_product_id", "ext_variant_id", "quantity"]}),
        (gettext_lazy("What flows"), {"fields": ["order_sync_enabled", "stock_sync_enabled"]}),
        (gettext_lazy("What is said of it"), {"fields": SAID}),
        (gettext_lazy("When"), {"fields": ["created_at", "updated_at", "removed_at"]}),
    ]
