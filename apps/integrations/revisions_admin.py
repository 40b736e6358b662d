"""The versions of integrations' configurations: who changed what and when, and going back to one."""

import json
from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter
from unfold.datasets import BaseDataset
from unfold.decorators import action, display
from unfold.paginator import InfinitePaginator

from apps.accounts.admin import BY_ORGANIZATION
from apps.accounts.asking import ask
from apps.accounts.deciding import SignedIn, actor_of
from apps.operations import ReadOnlyAdmin, address_of, ago, labelled, linked

from . import restoring
from .deeds import done, row_of, rows_of
from .differing import difference
from .fields import Wrong
from .models import Integration, Revision
from .revising import newest
from .showing import fields_of

Origin = Revision.Origin
KINDS = {
    Origin.MADE: "success",
    Origin.FOUND: "default",
    Origin.CHANGE: "info",
    Origin.IMPORT: "info",
    Origin.DEFINITION: "info",
    Origin.APPLIED: "info",
    Origin.CONSENT: "info",
    Origin.ROLLBACK: "warning",
}
shown_origin = labelled("origin", gettext_lazy("how"), KINDS)
STAYS = gettext_lazy("Secrets, rights, the definition and stock kept back stay as they are now.")


@display(description=gettext_lazy("what changed"), empty_value="–")
def shown_changes(revision: Revision) -> str:
    return difference(revision.changes, revision.integration) if revision.changes else ""


class BaseForm(forms.Form):
    """`based_on` is the number of the version that held when the page was made."""

    based_on = forms.IntegerField(widget=forms.HiddenInput)


@admin.register(Revision)
class RevisionAdmin(ReadOnlyAdmin):
    list_display = ["number", linked("integration", gettext_lazy("integration")), shown_origin, "actor", shown_changes]
    list_display += ["note", ago("created_at", gettext_lazy("when"))]
    list_filter = [("integration", AutocompleteSelectFilter), BY_ORGANIZATION, ("origin", ChoicesDropdownFilter)]
    list_select_related = ["integration__partner", "organization"]
    search_help_text = gettext_lazy("Integration, its id, organization, who or note")
    search_fields = ["integration__name", "=integration__id", "organization__name", "actor", "note"]
    paginator = InfinitePaginator
    fields = ["integration", "organization", "number", shown_origin, "actor", "note", "created_at", shown_changes]
    fields += ["shown_document"]
    readonly_fields = [shown_origin, shown_changes, "shown_document"]
    actions_detail = ["roll_back"]

    def has_roll_back_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        kept = rows_of(Revision, object_id).filter(integration__deleted_at=None)
        return request.user.has_perm("integrations.change_integration") and kept.exists()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Revision]:
        return super().get_queryset(request).select_related("integration__partner")

    @display(description=gettext_lazy("the whole configuration"))
    def shown_document(self, revision: Revision) -> str:
        text = json.dumps(revision.document, indent=2, ensure_ascii=False)
        return format_html('<pre class="whitespace-pre-wrap wrap-anywhere">{}</pre>', text)

    @action(description=gettext_lazy("Roll back to this"), permissions=["roll_back"], icon="history")
    def roll_back(self, request: SignedIn, object_id: str) -> HttpResponse:
        revision = row_of(self, request, object_id)
        integration, last = revision.integration, newest(revision.integration)
        changes = restoring.preview(integration, revision)
        if not changes:
            messages.info(request, _("It is exactly so already: nothing to change."))
            return redirect(address_of(revision))
        if wrong := restoring.misfits(integration, revision):
            text = _("The connector has changed since. What no longer fits: %(values)s")
            messages.error(request, text % {"values": _named(wrong, integration)})
            return redirect(address_of(revision))
        form = BaseForm(request.POST if request.method == "POST" else None, initial={"based_on": last and last.number})

        def do(given: dict[str, Any]) -> HttpResponse:
            made = restoring.roll_back(integration, revision.number, actor=actor_of(request), **given)
            return done(request, made, _("It holds again, as version %(n)d.") % {"n": made.number})

        title = _("Go back to version %(n)d of %(name)s?") % {"n": revision.number, "name": integration}
        points = [difference(changes, integration), _("It becomes a new version: you can come back."), STAYS]
        words_of: dict[str, Any] = {"title": title, "points": points, "button": _("Roll back")}
        return ask(self, request, do=do, back=address_of(revision), form=form, **words_of)


def _named(wrong: Iterable[Wrong], integration: Integration) -> str:
    """Values that no longer fit, by the titles of their fields, each with what is wrong with it."""
    titles = {field["key"]: field["title"] for field in fields_of(integration)}
    return "; ".join(f"{titles.get(key, key)}: {message}" for key, message in wrong)


class RevisionsOfIntegrationAdmin(ReadOnlyAdmin):
    """The list inside an integration's page. `extra_context["object"]` is that integration's id."""

    list_display = ["number", shown_origin, "actor", shown_changes, "note", ago("created_at", gettext_lazy("when"))]
    list_per_page = 20
    paginator = InfinitePaginator

    def get_queryset(self, request: HttpRequest) -> QuerySet[Revision]:
        own = super().get_queryset(request).filter(integration=self.extra_context["object"])
        return own.select_related("integration__partner")


class RevisionsOfIntegration(BaseDataset):
    model = Revision
    model_admin = RevisionsOfIntegrationAdmin
    tab = True
