"""The audit trail, to read and to search. The database itself refuses to change or delete an entry."""

import json
from typing import Any
from uuid import UUID

from django.apps import apps
from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import ChoicesDropdownFilter, TextFilter
from unfold.decorators import display
from unfold.paginator import InfinitePaginator

from apps.operations import CountlessAdmin, ReadOnlyAdmin, ago, labelled

from .models import Entry, Seal

KINDS = {Entry.Outcome.DONE: "success", Entry.Outcome.REFUSED: "danger"}
shown_outcome = labelled("outcome", gettext_lazy("outcome"), KINDS)


class IdFilter(TextFilter):
    """Entries with this id in one of their columns; with what is no id, none."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not self.value():
            return queryset
        try:
            return queryset.filter(**{str(self.parameter_name): UUID(self.value())})
        except ValueError:
            return queryset.none()


class OrganizationFilter(IdFilter):
    title, parameter_name = gettext_lazy("organization's id"), "organization_id"


class IntegrationFilter(IdFilter):
    title, parameter_name = gettext_lazy("integration's id"), "integration_id"


class ActionFilter(TextFilter):
    title, parameter_name = gettext_lazy("action"), "action"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(action__istartswith=self.value()) if self.value() else queryset


def _named(model: str, column: str) -> Subquery:
    """What the row is called that the column names by its id. The trail does not refer to it, and may outlive it."""
    return Subquery(apps.get_model(model).objects.filter(pk=OuterRef(column)).values("name")[:1])


def _link(model: str, pk: Any, name: str | None) -> str | None:
    if pk is None or name is None:
        return str(pk) if pk else None
    address = reverse(f"admin:{model.replace('.', '_')}_change", args=[pk])
    return format_html('<a class="text-link" href="{}">{}</a>', address, name)


@admin.register(Entry)
class EntryAdmin(ReadOnlyAdmin):
    list_display = [ago("at", gettext_lazy("when")), "actor", "action", "target", shown_outcome, "reason"]
    list_display += ["organization", "integration"]
    list_display_links = ["action"]
    list_filter = [("outcome", ChoicesDropdownFilter), ActionFilter, OrganizationFilter, IntegrationFilter]
    search_help_text = gettext_lazy("Who, what, its id, or the id of the request")
    search_fields = ["actor", "action", "target", "=target_id", "=request_id"]
    paginator = InfinitePaginator
    readonly_fields = [shown_outcome, "organization", "integration", "shown_before", "shown_after"]
    fieldsets = [
        (None, {"fields": ["at", "actor", "action", shown_outcome, "reason"]}),
        (gettext_lazy("On what"), {"fields": ["target", "target_kind", "target_id", "organization", "integration"]}),
        (gettext_lazy("What changed"), {"fields": ["shown_before", "shown_after"]}),
        (gettext_lazy("From where"), {"fields": ["address", "request_id"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Entry]:
        names = {"organization_name": _named("accounts.organization", "organization_id")}
        names |= {"integration_name": _named("integrations.integration", "integration_id")}
        return super().get_queryset(request).annotate(**names)

    @display(description=gettext_lazy("organization"), ordering="organization_id", empty_value="–")
    def organization(self, entry: Any) -> str | None:
        return _link("accounts.organization", entry.organization_id, entry.organization_name)

    @display(description=gettext_lazy("integration"), ordering="integration_id", empty_value="–")
    def integration(self, entry: Any) -> str | None:
        return _link("integrations.integration", entry.integration_id, entry.integration_name)

    @display(description=gettext_lazy("before"), empty_value="–")
    def shown_before(self, entry: Entry) -> str:
        return _pretty(entry.before)

    @display(description=gettext_lazy("after"), empty_value="–")
    def shown_after(self, entry: Entry) -> str:
        return _pretty(entry.after)


@admin.register(Seal)
class SealAdmin(CountlessAdmin):
    """What shows whether somebody changed the trail behind the portal's back: `manage.py check_audit` compares."""

    list_display = ["id", ago("at", gettext_lazy("sealed")), "count", "upto", "digest"]
    fields = ["id", "at", "count", "upto", "digest"]
    readonly_fields = ["id"]


def _pretty(value: Any) -> str:
    text = json.dumps(value, indent=2, ensure_ascii=False) if value else ""
    return format_html("<pre>{}</pre>", text) if text else ""
