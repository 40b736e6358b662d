"""The rules by which an organization's orders are sent, preferred and held back."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.postgres.fields import ArrayField
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter
from unfold.widgets import UnfoldAdminTextInputWidget

from apps.accounts.admin import BY_ORGANIZATION
from apps.accounts.deciding import SignedIn, actor_of
from apps.operations import Choosing, ago, labelled, linked

from . import ruling
from .models import RoutingRule

Kind = RoutingRule.Kind
KINDS = {Kind.ROUTE: "info", Kind.PRIORITY: "success", Kind.BLOCK: "warning"}
HELP = {
    "position": gettext_lazy("Rules are asked in this order, the lowest number first."),
    "kind": gettext_lazy(
        "Of the rules that ship from a location the first counts that fits and whose location has everything. "
        "Priorities of all rules that fit add up. One rule that holds back is enough."
    ),
    "shops": gettext_lazy("Ids of shops, with commas between them. Empty: any shop."),
    "tags": gettext_lazy("With commas between them; an order with any of them fits, to the letter. Empty: any order."),
    "countries": gettext_lazy("In two letters, as NL, with commas between them. Empty: any country."),
    "shipping_methods": gettext_lazy("As the shop calls them, with commas between them. Empty: any method."),
    "location": gettext_lazy("For rules that ship from a location."),
    "may_split": gettext_lazy("Divide an order over the locations of such rules when none of them has everything."),
    "priority": gettext_lazy("For rules that give a priority: orders with more come first, below zero they come last."),
}


class RuleForm(forms.ModelForm):
    class Meta:
        help_texts = HELP

    def clean_countries(self) -> list[str]:
        return [country.upper() for country in self.cleaned_data["countries"]]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if not self.errors:
            whose = {"organization": self.instance.organization} if self.instance.pk else {}
            for attribute, message in ruling.problems(RoutingRule(**given | whose)):
                self.add_error(attribute.removesuffix("_id"), message)
        return given


@admin.register(RoutingRule)
class RoutingRuleAdmin(Choosing, ModelAdmin):
    """In the order in which they are asked. Whose they are stays as they were made."""

    form = RuleForm
    formfield_overrides = {ArrayField: {"widget": UnfoldAdminTextInputWidget}}
    list_display = ["name", linked("organization", gettext_lazy("organization")), "position"]
    list_display += [
        labelled("kind", gettext_lazy("what it does"), KINDS),
        linked("location", gettext_lazy("location")),
    ]
    list_display += ["may_split", "priority", "is_active", ago("updated_at", gettext_lazy("changed"))]
    list_filter_submit = True
    list_filter = [
        BY_ORGANIZATION,
        ("kind", ChoicesDropdownFilter),
        "is_active",
        ("location", AutocompleteSelectFilter),
    ]
    list_select_related = ["organization", "location"]
    search_fields = ["name", "organization__name", "tags", "shipping_methods"]
    search_help_text = gettext_lazy("Name, organization, tag or shipping method")
    ordering = ["organization", "position", "pk"]
    autocomplete_fields = ["organization", "location"]
    actions = None
    fieldsets = [
        (None, {"fields": ["name", "organization", "position", "is_active", "kind"]}),
        (gettext_lazy("Which orders it is for"), {"fields": ["shops", "tags", "countries", "shipping_methods"]}),
        (gettext_lazy("What becomes of them"), {"fields": ["location", "may_split", "priority"]}),
    ]

    def get_readonly_fields(self, request: HttpRequest, obj: RoutingRule | None = None) -> list[str]:
        return ["organization"] if obj else []

    def save_model(self, request: SignedIn, obj: RoutingRule, form: Any, change: bool) -> None:
        ruling.save(obj, actor=actor_of(request))

    def delete_model(self, request: SignedIn, obj: RoutingRule) -> None:
        ruling.delete(obj, actor=actor_of(request))

    def delete_queryset(self, request: SignedIn, queryset: QuerySet[RoutingRule]) -> None:
        for rule in queryset:
            self.delete_model(request, rule)
