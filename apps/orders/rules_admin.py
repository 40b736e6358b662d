"""The rules by which an organization's orders are sent, preferred and held back."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.postgres.fields import ArrayField
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter
from unfold.datasets import BaseDataset
from unfold.decorators import display
from unfold.paginator import InfinitePaginator
from unfold.widgets import UnfoldAdminTextInputWidget

from apps.accounts.admin import BY_ORGANIZATION
from apps.accounts.deciding import SignedIn, actor_of
from apps.audit.models import Entry
from apps.integrations.differing import Line, table, words
from apps.listed import Listed
from apps.meanwhile import Meanwhile
from apps.operations import Choosing, ReadOnlyAdmin, ago, labelled, linked

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


WORDS = {
    "name": gettext_lazy("name"),
    "position": gettext_lazy("position"),
    "kind": gettext_lazy("what it does"),
    "is_active": gettext_lazy("is active"),
    "shops": gettext_lazy("shops"),
    "tags": gettext_lazy("tags"),
    "countries": gettext_lazy("countries"),
    "shipping_methods": gettext_lazy("shipping methods"),
    "location_id": gettext_lazy("location"),
    "may_split": gettext_lazy("may split"),
    "priority": gettext_lazy("priority"),
}


class ChangesOfRuleAdmin(ReadOnlyAdmin):
    """What was done to a rule, or to all rules of its organization at once. `extra_context["object"]` is its id."""

    list_display = [ago("at", gettext_lazy("when")), "actor", "what_changed"]
    list_display_links = None
    list_per_page = 20
    paginator = InfinitePaginator

    def get_queryset(self, request: HttpRequest) -> QuerySet[Entry]:
        rule = RoutingRule.objects.filter(pk=self.extra_context["object"]).first()
        if rule is None:
            return Entry.objects.none()
        own = Q(target_kind="routingrule", target_id=str(rule.pk))
        whole = Q(target_kind="organization", target_id=str(rule.organization_id), action="rules.save")
        return Entry.objects.filter(own | whole).order_by("-id")

    @display(description=gettext_lazy("what changed"))
    def what_changed(self, entry: Entry) -> str:
        if entry.action != "rules.save":
            return table(_lines(entry.before, entry.after))
        before, after = (_by_name(side) for side in (entry.before, entry.after))
        names = {**before, **after}
        return table(line for name in names for line in _lines(before.get(name), after.get(name), of=name))


def _by_name(shown: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The rules of an entry about all of them. Older entries hold nothing but names."""
    rules = shown.get("rules", [])
    return {rule["name"]: rule for rule in rules if isinstance(rule, dict)} or {name: {} for name in rules}


def _lines(before: dict[str, Any] | None, after: dict[str, Any] | None, *, of: str = "") -> Iterator[Line]:
    """What differs between two states of a rule; None is a rule that is not there."""
    if of and (before is None or after is None):
        there, gone = _("there"), _("not there")
        yield Line(of, gone if before is None else there, gone if after is None else there)
        return
    old, new = before or {}, after or {}
    for name, said in WORDS.items():
        if old.get(name) != new.get(name):
            yield Line(f"{of}: {said}" if of else said, words(old.get(name)), words(new.get(name)))


class ChangesOfRule(BaseDataset):
    model = Entry
    model_admin = ChangesOfRuleAdmin
    tab = True
    title = gettext_lazy("History of this rule")


@admin.register(RoutingRule)
class RoutingRuleAdmin(Meanwhile, Choosing, Listed, ModelAdmin):
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
        ("location__integration", AutocompleteSelectFilter),
    ]
    list_select_related = ["organization", "location"]
    search_fields = ["name", "organization__name", "tags", "shipping_methods"]
    search_help_text = gettext_lazy("Name, organization, tag or shipping method")
    ordering = ["organization", "position", "pk"]
    autocomplete_fields = ["organization", "location"]
    actions = None
    change_form_datasets = [ChangesOfRule]
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
