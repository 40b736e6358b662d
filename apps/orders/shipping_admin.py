"""What shops' shipping methods mean at each warehouse, and the services these offer."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import AutocompleteSelectFilter

from apps.accounts.admin import BY_ORGANIZATION
from apps.accounts.deciding import SignedIn, actor_of
from apps.api.errors import Problem
from apps.integrations.models import Integration
from apps.operations import Choosing, CountlessAdmin, ago, linked

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
        if name != self.was and name in shipping.methods_of(integration).pairs:
            raise forms.ValidationError({"name": gettext_lazy("There is a pair of this name already.")})
        try:
            shipping.check(integration, _with(integration, name, code, instead_of=self.was))
        except Problem as problem:
            raise forms.ValidationError(problem.detail) from problem


@admin.register(ShippingMethod)
class ShippingMethodAdmin(Choosing, ModelAdmin):
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

    def get_readonly_fields(self, request: HttpRequest, obj: ShippingMethod | None = None) -> list[str]:
        return ["integration"] if obj else []

    def save_model(self, request: SignedIn, obj: ShippingMethod, form: Any, change: bool) -> None:
        wanted = _with(obj.integration, obj.name, obj.code, instead_of=form.was)
        shipping.save(obj.integration, wanted, actor=actor_of(request))
        saved = ShippingMethod.objects.get(integration=obj.integration, name=obj.name)
        obj.pk, obj.organization = saved.pk, saved.organization

    def delete_model(self, request: SignedIn, obj: ShippingMethod) -> None:
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
