"""What shops' shipping methods mean at each warehouse, and the services these offer."""

from dataclasses import asdict
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.datasets import BaseDataset
from unfold.decorators import action, display
from unfold.paginator import InfinitePaginator

from apps.accounts.admin import BY_ORGANIZATION
from apps.accounts.asking import ask
from apps.accounts.deciding import SignedIn, actor_of
from apps.api.errors import Problem
from apps.audit.models import Entry
from apps.integrations.deeds import done, row_of
from apps.integrations.differing import Line, table
from apps.integrations.models import Integration
from apps.integrations.revisions_admin import BaseForm
from apps.listed import Listed
from apps.meanwhile import CHANGED
from apps.operations import Choosing, CountlessAdmin, ReadOnlyAdmin, address_of, ago, linked

from . import shipping
from .models import ShippingMethod, ShippingService
from .shipping import Methods

NAMED = [linked("integration", gettext_lazy("integration")), linked("organization", gettext_lazy("organization"))]


def _with(integration: Integration, name: str, code: str, *, instead_of: str | None = None) -> Methods:
    """The mapping with this pair; the one of the name `instead_of` is gone."""
    holds = shipping.methods_of(integration)
    rows = {**holds.pairs, "": holds.fallback}
    if instead_of is not None:
        rows.pop(instead_of, None)
    rows[name] = code
    fallback = rows.pop("", "")
    return shipping.written(rows.items(), fallback=fallback)


class MethodForm(forms.ModelForm):
    """One pair; checked and saved as part of the whole mapping."""

    was: str | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.was = self.instance.name if self.instance.pk else None

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        integration = given.get("integration") or (self.instance.integration if self.instance.pk else None)
        if integration:
            self.instance.organization = integration.organization
        if integration and "name" in given and "code" in given:
            self._check(integration, given["name"], given["code"])
        return given

    def _check(self, integration: Integration, name: str, code: str) -> None:
        """From here on nobody else changes the mapping, until this pair is saved in it."""
        shipping.lock(integration)
        if self.instance.pk and not ShippingMethod.objects.filter(pk=self.instance.pk).exists():
            raise forms.ValidationError(CHANGED)
        if name != self.was and name in shipping.methods_of(integration).pairs:
            raise forms.ValidationError({"name": gettext_lazy("There is a pair of this name already.")})
        try:
            shipping.check(integration, _with(integration, name, code, instead_of=self.was))
        except Problem as problem:
            raise forms.ValidationError(problem.detail) from problem


def _lines(before: dict[str, str], after: dict[str, str]) -> list[Line]:
    """Which names mean something else than before; the one without a name is the fallback."""
    changed = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    return [Line(name or _("Any other name"), before.get(name, "–"), after.get(name, "–")) for name in changed]


def _rows(shown: dict[str, Any]) -> dict[str, str]:
    """A mapping as the trail holds it, as one code for each name."""
    fallback = shown.get("fallback")
    return {**shown.get("pairs", {}), **({"": fallback} if fallback else {})}


class ChangesOfMethodsAdmin(ReadOnlyAdmin):
    """The latest changes of the warehouse's mapping. `extra_context["object"]` is the id of one of its pairs."""

    list_display = [ago("at", gettext_lazy("when")), "actor", "what_changed"]
    list_display_links = None
    list_per_page = 20
    paginator = InfinitePaginator

    def get_queryset(self, request: HttpRequest) -> QuerySet[Entry]:
        own = ShippingMethod.objects.filter(pk=self.extra_context["object"]).values_list("integration", flat=True)
        return shipping.history_of(own.first()).order_by("-id")

    @display(description=gettext_lazy("what changed"))
    def what_changed(self, entry: Entry) -> str:
        return table(_lines(_rows(entry.before), _rows(entry.after)))


class ChangesOfMethods(BaseDataset):
    model = Entry
    model_admin = ChangesOfMethodsAdmin
    tab = True
    title = gettext_lazy("History of this warehouse's mapping")


@admin.register(ShippingMethod)
class ShippingMethodAdmin(Choosing, Listed, ModelAdmin):
    """The one without a name is the fallback."""

    form = MethodForm
    list_display = ["__str__", *NAMED, ago("created_at", gettext_lazy("made"))]
    list_filter_submit = True
    list_filter = [BY_ORGANIZATION, ("integration", AutocompleteSelectFilter)]
    list_select_related = ["organization", "integration"]
    search_fields = ["name", "code", "integration__name", "=integration__id"]
    autocomplete_fields = ["integration"]
    fields = ["integration", "name", "code"]
    actions = None
    actions_detail = ["change_back"]
    change_form_datasets = [ChangesOfMethods]

    def has_change_back_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("orders.change_shippingmethod")

    @action(description=gettext_lazy("Change back"), permissions=["change_back"], icon="history")
    def change_back(self, request: SignedIn, object_id: str) -> HttpResponse:
        pair = row_of(self, request, object_id)
        integration = pair.integration
        wanted, holds = shipping.former(integration), shipping.methods_of(integration)
        last = shipping.history_of(integration).first()
        form = BaseForm(
            request.POST if request.method == "POST" else None, initial={"based_on": last.pk if last else 0}
        )

        def do(given: dict[str, Any]) -> HttpResponse:
            shipping.change_back(integration, actor=actor_of(request), **given)
            return done(request, integration, _("What held before the last change holds again."))

        points = [_("There is no change to go back on.")]
        if wanted:
            points = [table(_lines(_rows(asdict(holds)), _rows(asdict(wanted))))]
            points.append(_("Orders that wait for one of these names are looked at again."))
        title = _("Go back on the last change of the shipping methods of %(name)s?") % {"name": integration}
        words: dict[str, Any] = {"title": title, "points": points, "button": _("Change back")}
        return ask(self, request, do=do, back=address_of(pair), form=form, **words)

    def get_readonly_fields(self, request: HttpRequest, obj: ShippingMethod | None = None) -> list[str]:
        return ["integration"] if obj else []

    def save_model(self, request: SignedIn, obj: ShippingMethod, form: Any, change: bool) -> None:
        wanted = _with(obj.integration, obj.name, obj.code, instead_of=form.was)
        shipping.save(obj.integration, wanted, actor=actor_of(request))
        saved = ShippingMethod.objects.get(integration=obj.integration, name=obj.name)
        obj.pk, obj.organization = saved.pk, saved.organization

    def delete_model(self, request: SignedIn, obj: ShippingMethod) -> None:
        shipping.lock(obj.integration)
        holds = shipping.methods_of(obj.integration)
        pairs = {name: code for name, code in holds.pairs.items() if name != obj.name}
        wanted = Methods(pairs, holds.fallback if obj.name else "")
        shipping.save(obj.integration, wanted, actor=actor_of(request))


@admin.register(ShippingService)
class ShippingServiceAdmin(CountlessAdmin):
    list_display = ["name", "code", *NAMED, ago("seen_at", gettext_lazy("first seen"))]
    list_display += [ago("removed_at", gettext_lazy("no longer offered"))]
    list_filter = [BY_ORGANIZATION, ("integration", AutocompleteSelectFilter)]
    list_select_related = ["organization", "integration"]
    search_fields = ["name", "code", "integration__name", "=integration__id"]
    fields = ["integration", "organization", "code", "name", "seen_at", "removed_at"]
