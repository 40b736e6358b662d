"""What owners fill in on the way to a connected store."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.api.errors import Problem
from apps.catalog import pairs
from apps.catalog.buffering import MOST
from apps.integrations.changing import LONGEST_HOLD
from apps.integrations.connectors import environment
from apps.integrations.connectors.base import Connector, Keys
from apps.shops.models import printable_ascii

SHOWN = 20  # mistakes in a list of pairs


class IdentifyForm(forms.Form):
    """The name people here know the store by, and the id the platform will know it by."""

    name = forms.CharField(label=_("Name"), max_length=200, help_text=_("What you and we call this store."))
    ext_shop_id = forms.CharField(
        label=_("Store ID"),
        max_length=255,
        validators=[printable_ascii],
        help_text=_("A short code for this store. The one we suggest is fine, unless you use codes of your own."),
    )


class ReplaceForm(forms.Form):
    """The id at the platform that the owner has agreed to replace."""

    replaces = forms.CharField(max_length=255, required=False, strip=False)


class ChangeIdForm(forms.Form):
    ext_shop_id = forms.CharField(label=_("New store ID"), max_length=255, validators=[printable_ascii])


class KeysForm(forms.Form):
    """The questions of a connector that is reached by address and key."""

    WIDGETS = {
        "url": forms.URLInput(attrs={"autocomplete": "url"}),
        "password": forms.PasswordInput(attrs={"autocomplete": "off"}),
        "email": forms.EmailInput(attrs={"autocomplete": "off"}),
    }

    def __init__(self, *args: Any, connector: Connector, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        assert isinstance(connector.auth, Keys)
        for question in connector.auth.questions:
            self.fields[question.key] = forms.CharField(
                label=question.label,
                help_text=question.hint,
                required=question.required,
                max_length=2_000,
                strip=question.kind != "password",
                widget=self.WIDGETS.get(question.kind, forms.TextInput(attrs={"autocomplete": "off"})),
                initial=environment(connector)["URL"] if question.kind == "url" else "",
            )


class ReserveForm(forms.Form):
    pieces = forms.IntegerField(min_value=0, max_value=MOST)


class HoldForm(forms.Form):
    minutes = forms.IntegerField(min_value=0, max_value=LONGEST_HOLD // 60)


class DriftLimitForm(forms.Form):
    limit = forms.IntegerField(
        label=_("Put right by itself, up to this many pieces"),
        min_value=0,
        max_value=1_000_000,
        help_text=_("Per product, once two comparisons in a row found the same. 0 is never: you decide each time."),
    )


class MappingForm(forms.Form):
    """`pairs` is what was typed or uploaded, read."""

    text = forms.CharField(
        label=_("Pairs"),
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"spellcheck": "false"}),
        help_text=_(
            "One pair on each line, like A:B. Two columns copied from a spreadsheet are fine, too. "
            "Put a SKU with a colon, comma or quotation mark in quotation marks."
        ),
    )
    file = forms.FileField(
        label=_("Or a file"),
        required=False,
        help_text=_("CSV with two columns, or JSON. It takes the place of what is typed above."),
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,.json,text/csv,application/json"}),
    )
    note = forms.CharField(
        label=_("Note"), max_length=500, required=False, help_text=_("For whoever looks at it later.")
    )
    based_on = forms.IntegerField(min_value=0, max_value=2**31 - 1, widget=forms.HiddenInput)

    LARGEST_FILE = 16 * 1024 * 1024  # bytes

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        file = given.get("file")
        try:
            if file and file.size > self.LARGEST_FILE:
                self.add_error("file", _("It is too large for a list of pairs."))
            else:
                given["pairs"] = pairs.from_file(file.read()) if file else pairs.read(given.get("text", ""))
        except Problem as problem:
            reasons = [f"{place}: {reason}" for place, reason in problem.details[:SHOWN]] or [problem.detail]
            self.add_error("file" if file else "text", reasons)
        return given
