"""What each warehouse knows of our products."""

from django.contrib import admin
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import AutocompleteSelectFilter

from apps.accounts.admin import BY_ORGANIZATION
from apps.operations import CountlessAdmin, ago, linked

from .models import Handover


@admin.register(Handover)
class HandoverAdmin(CountlessAdmin):
    list_display = ["sku", linked("product", gettext_lazy("product"))]
    list_display += [linked("integration", gettext_lazy("integration"))]
    list_display += [
        linked("organization", gettext_lazy("organization")),
        "error",
        ago("told_at", gettext_lazy("told")),
    ]
    list_filter = [("integration", AutocompleteSelectFilter), ("error", admin.EmptyFieldListFilter), BY_ORGANIZATION]
    list_select_related = ["product", "integration", "organization"]
    search_help_text = gettext_lazy("SKU here or there, id there, reason or integration")
    search_fields = ["=sku", "=product__sku", "=remote_id", "=error", "integration__name"]
    fields = ["sku", "product", "integration", "organization", "remote_id", "version", "error", "detail", "told_at"]
