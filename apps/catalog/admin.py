"""Products and listings, as imports left them."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter
from unfold.paginator import InfinitePaginator

from apps.accounts.admin import BY_ORGANIZATION
from apps.operations import ReadOnlyAdmin, ReadOnlyInline, ago, linked

from .models import Listing, Product


class ListingInline(ReadOnlyInline):
    model = Listing
    fields = ["shop", "sku", "name", "price", "currency", "quantity", "status", "describes_product", "removed_at"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Listing]:
        return super().get_queryset(request).select_related("shop")


class CountlessAdmin(ReadOnlyAdmin):
    """Lists of millions of rows, which nobody counts."""

    paginator = InfinitePaginator
    ordering = ["-pk"]


@admin.register(Product)
class ProductAdmin(CountlessAdmin):
    list_display = ["sku", "name", linked("organization", gettext_lazy("organization")), "price", "currency"]
    list_display += ["barcodes", ago("updated_at", gettext_lazy("changed")), ago("archived_at", gettext_lazy("gone"))]
    list_filter = [BY_ORGANIZATION, ("archived_at", admin.EmptyFieldListFilter)]
    list_select_related = ["organization"]
    search_fields = ["sku", "name", "barcodes"]
    fields = ["sku", "name", "organization", "barcodes", "price", "currency", "image_src"]
    fields += ["created_at", "updated_at", "archived_at"]
    inlines = [ListingInline]


@admin.register(Listing)
class ListingAdmin(CountlessAdmin):
    list_display = ["sku", "name", linked("shop", gettext_lazy("shop"))]
    list_display += [linked("organization", gettext_lazy("organization")), "price", "currency", "quantity", "status"]
    list_display += [ago("updated_at", gettext_lazy("changed")), ago("removed_at", gettext_lazy("gone"))]
    list_filter = [BY_ORGANIZATION, ("shop", AutocompleteSelectFilter), ("status", ChoicesDropdownFilter)]
    list_filter += [("removed_at", admin.EmptyFieldListFilter)]
    list_select_related = ["shop", "organization"]
    search_fields = ["sku", "name", "=ext_product_id", "=ext_variant_id", "barcodes"]
