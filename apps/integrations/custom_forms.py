"""What people of the 3PL fill in about custom integrations and keys."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import (
    UnfoldAdminFileFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from apps.accounts.models import Membership, Organization
from apps.api.bodies import read
from apps.api.errors import Problem
from apps.api.grants import CONSENTED, ENTITIES, ORGANIZATION

from .connectors.base import Category
from .definitions import FLOWS, WAYS
from .field_rows import RowsField
from .models import LONGEST_OVERLAP

LARGEST_FILE = 512 * 1024  # bytes of a configuration
WORDS = {
    "connectors": gettext_lazy("Connectors"),
    "events": gettext_lazy("Events"),
    "fulfillments": gettext_lazy("Fulfillments"),
    "hooks": gettext_lazy("Hooks"),
    "integrations": gettext_lazy("Integrations"),
    "inventory": gettext_lazy("Stock"),
    "locations": gettext_lazy("Locations"),
    "orders": gettext_lazy("Orders"),
    "products": gettext_lazy("Products"),
    "shipments": gettext_lazy("Shipments"),
    "shops": gettext_lazy("Shops"),
}
COLUMNS = (gettext_lazy("In"), gettext_lazy("Out"), gettext_lazy("Read"), gettext_lazy("Write"))


class TypeForm(forms.Form):
    """For whom, and of what type: that decides which grants are suggested."""

    organization = forms.ModelChoiceField(
        Organization.objects.filter(is_active=True),
        label=gettext_lazy("Organization"),
        widget=UnfoldAdminSelectWidget,
        help_text=gettext_lazy("Only this customer will see the integration."),
    )
    category = forms.ChoiceField(
        label=gettext_lazy("Type"),
        choices=[*Category.choices, ("", gettext_lazy("Another one"))],
        widget=UnfoldAdminRadioSelectWidget,
        required=False,
        initial=Category.LOGISTICS,
        help_text=gettext_lazy("We suggest what a system of this type usually needs. You can change it."),
    )


class GrantsForm(forms.Form):
    """Grants, as checkboxes in a grid: a line for each entity."""

    grants = forms.MultipleChoiceField(choices=list(CONSENTED.items()), required=False)

    def lines(self) -> Iterator[dict[str, Any]]:
        """Each entity with its cells; a cell is None where nothing can be chosen."""
        for entity in ENTITIES:
            reads = self._cell("grants", f"{entity}:read")
            writes = self._cell("grants", f"{entity}:write")
            yield {"words": WORDS[entity], "cells": [*self.ways(entity), reads, writes]}

    def ways(self, entity: str) -> list[Any]:
        return []

    def others(self) -> list[dict[str, Any]]:
        """Grants that belong to no entity."""
        return [self._cell("grants", grant) | {"words": words} for grant, words in ORGANIZATION.items()]

    @property
    def columns(self) -> tuple[Any, ...]:
        return COLUMNS[2:]

    def _cell(self, name: str, value: str) -> dict[str, Any]:
        chosen = self[name].value() or []
        words = CONSENTED.get(value, value)
        return {"name": name, "value": value, "checked": value in chosen, "label": words}


class DefinitionForm(GrantsForm):
    """A custom connector. `definition` is what was filled in, as `customize` and `redefine` take it."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=200, widget=UnfoldAdminTextInputWidget)
    description = forms.CharField(
        label=gettext_lazy("Description"),
        max_length=2000,
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("One line that says what it is for."),
    )
    readme = forms.CharField(
        label=gettext_lazy("Read me"),
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}),
        help_text=gettext_lazy("For whoever writes or looks after its code."),
    )
    settings_fields = RowsField(
        label=gettext_lazy("Settings it offers"),
        required=False,
        help_text=gettext_lazy(
            "What people can set for the code to read. Leave what you do not need empty; a short name is made of the "
            "title. Choices stand on a line each: as people read them, or as code: title."
        ),
    )
    directions = forms.MultipleChoiceField(choices=[(f"{entity}:{way}",) * 2 for entity in FLOWS for way in WAYS])
    directions.required = False

    @property
    def columns(self) -> tuple[Any, ...]:
        return COLUMNS

    def ways(self, entity: str) -> list[Any]:
        cells = (self._cell("directions", f"{entity}:{way}") for way in WAYS) if entity in FLOWS else (None, None)
        return list(cells)

    @property
    def definition(self) -> dict[str, Any]:
        given = dict(self.cleaned_data)
        chosen = [value.split(":") for value in given.pop("directions")]
        directions = {entity: [way for name, way in chosen if name == entity] for entity in FLOWS}
        directions = {entity: sorted(ways) for entity, ways in directions.items() if ways}
        return given | {"directions": directions, "grants": sorted(given["grants"])}


class ChangeForm(DefinitionForm):
    """`version` is the one that was on the page."""

    org_wide_access = forms.BooleanField(
        label=gettext_lazy("Sees the whole organization"),
        required=False,
        widget=UnfoldBooleanSwitchWidget,
        help_text=gettext_lazy("Of the kinds it is granted, and not only what is its own."),
    )
    version = forms.IntegerField(widget=forms.HiddenInput)


def as_filled_in(connector: Any) -> dict[str, Any]:
    """A connector's definition as the form shows it."""
    flows = [f"{entity}:{way}" for entity, ways in connector.directions.items() for way in ways]
    names = ("name", "description", "readme", "grants", "org_wide_access", "version")
    shown = {name: getattr(connector, name) for name in (*names, "settings_fields")}
    return shown | {"directions": flows}


class KeyForm(GrantsForm):
    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=200,
        widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("What uses it, and where: so that somebody can tell later whether it is still needed."),
    )


class IntegrationKeyForm(KeyForm):
    """`all_grants`: whatever the integration may, now and later; else what is ticked."""

    all_grants = forms.BooleanField(
        label=gettext_lazy("All that its integration may"),
        required=False,
        initial=True,
        widget=UnfoldBooleanSwitchWidget,
        help_text=gettext_lazy("Now and later. Without it, what is ticked below."),
    )


class PersonsKeyForm(KeyForm):
    email = forms.EmailField(
        label=gettext_lazy("For whom"),
        widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("The e-mail address of an owner or admin of an organization."),
    )

    def clean_email(self) -> str:
        """`person` is who it is for."""
        found = Membership.objects.select_related("user").filter(user__email__iexact=self.cleaned_data["email"]).first()
        if found is None or not found.user.may_manage:
            raise forms.ValidationError(_("No owner or admin of an organization has this address."))
        self.person = found.user
        return found.user.email


class RotateForm(forms.Form):
    """`overlap` is how long the old key still works."""

    length = forms.IntegerField(
        label=gettext_lazy("How long the old key still works"),
        min_value=0,
        initial=1,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text=gettext_lazy("Up to 7 days. 0 ends it at once."),
    )
    unit = forms.ChoiceField(
        label=gettext_lazy("Unit"),
        choices=[("hours", gettext_lazy("hours")), ("days", gettext_lazy("days"))],
        initial="days",
        widget=UnfoldAdminSelectWidget,
    )

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if "length" in given and "unit" in given:
            most = LONGEST_OVERLAP // timedelta(**{given["unit"]: 1})
            if given["length"] > most:
                self.add_error("length", _("At most 7 days."))
            else:
                given["overlap"] = timedelta(**{given["unit"]: given["length"]})
        return given


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=300,
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("For colleagues who look at it later."),
    )


class ImportForm(forms.Form):
    """`document` is what the file holds."""

    file = forms.FileField(
        label=gettext_lazy("Exported configuration"),
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": "application/json,.json"}),
        help_text=gettext_lazy("Everything is checked first. When anything does not fit, nothing changes."),
    )

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > LARGEST_FILE:
            raise forms.ValidationError(_("It is too large for a configuration."))
        try:
            return read(file.read())
        except Problem as problem:
            raise forms.ValidationError(problem.detail) from problem
