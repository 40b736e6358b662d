"""What each side calls a good: the versions of the mappings, and the pairs that hold."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter
from unfold.decorators import display

from apps.accounts.admin import BY_ORGANIZATION
from apps.operations import CountlessAdmin, ago, linked

from .models import SkuMapping, SkuPair

PAIRS_SHOWN = 500
NAMED = [linked("integration", gettext_lazy("integration")), linked("organization", gettext_lazy("organization"))]


@admin.register(SkuMapping)
class SkuMappingAdmin(CountlessAdmin):
    """The one with the highest number of its integration holds."""

    list_display = ["number", *NAMED, "origin", "actor", "note", ago("created_at", gettext_lazy("saved"))]
    list_filter = [BY_ORGANIZATION, ("integration", AutocompleteSelectFilter), ("origin", ChoicesDropdownFilter)]
    list_select_related = ["organization", "integration"]
    search_fields = ["integration__name", "=integration__id", "organization__name", "actor", "note"]
    ordering = ["-created_at"]
    fields = ["integration", "organization", "number", "origin", "note", "actor", "created_at", "shown_pairs"]
    readonly_fields = ["shown_pairs"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[SkuMapping]:
        """A mapping may be long: the list does without its pairs."""
        return super().get_queryset(request).defer("pairs")

    @display(description=gettext_lazy("pairs"), empty_value="–")
    def shown_pairs(self, mapping: SkuMapping) -> Any:
        return format_html_join("", "<div>{} : {}</div>", (pair[:2] for pair in mapping.pairs[:PAIRS_SHOWN]))


@admin.register(SkuPair)
class SkuPairAdmin(CountlessAdmin):
    list_display = ["first", "second", *NAMED]
    list_filter = [BY_ORGANIZATION, ("integration", AutocompleteSelectFilter)]
    list_select_related = ["organization", "integration"]
    search_fields = ["first", "second", "integration__name", "=integration__id"]
    fields = ["first", "second", "integration", "organization"]
