"""An integration's settings as a form, made from the fields its connector defines."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import (
    UnfoldAdminPasswordWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from .exporting import FLAGS
from .field_rows import as_input, as_value
from .fields import Field, wrong_value
from .models import Integration
from .revising import document_of
from .showing import is_secret, shown

SETTING, ENDED = "setting_", "ended_"  # how the names of inputs begin: of a value, of a secret to take away


def filled_in(document: dict[str, Any], fields: list[Field]) -> dict[str, Any]:
    """What the inputs hold when this document holds. Of a secret nothing."""
    found: dict[str, Any] = {"name": document.get("name", "")}
    found |= {FLAGS[name]: on for name, on in document.get("flags", {}).items()}
    settings = document.get("settings", {})
    for field in fields:
        if not is_secret(field):
            found[SETTING + field["key"]] = as_input(field["type"], settings.get(field["key"], field["default"]))
    return found


class SettingsForm(forms.Form):
    """`wanted` is what was changed, as `changing.change` takes it; `based_on` the version the page was made from."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=200, widget=UnfoldAdminTextInputWidget)
    order_sync_enabled = forms.BooleanField(
        label=gettext_lazy("Orders flow"), required=False, widget=UnfoldBooleanSwitchWidget
    )
    product_sync_enabled = forms.BooleanField(
        label=gettext_lazy("Products flow"), required=False, widget=UnfoldBooleanSwitchWidget
    )
    stock_sync_enabled = forms.BooleanField(
        label=gettext_lazy("Stock flows"), required=False, widget=UnfoldBooleanSwitchWidget
    )
    note = forms.CharField(
        label=gettext_lazy("Why"),
        max_length=500,
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("For colleagues who look at the history later."),
    )
    based_on = forms.IntegerField(min_value=0, widget=forms.HiddenInput)

    def __init__(self, data: Any = None, *, of: Integration, initial: dict[str, Any]) -> None:
        self.settings = shown(of)
        self.was = filled_in(document_of(of), self.settings)
        super().__init__(data, initial=self.was | initial)
        for field in self.settings:
            self.fields[SETTING + field["key"]] = _input(field)
            if is_secret(field) and field["is_set"] and not field["required"]:
                self.fields[ENDED + field["key"]] = _switch(_("Take away: %(title)s") % {"title": field["title"]})
        self.order_fields(["name", *self.own_names, *FLAGS.values(), "note"])

    @property
    def own_names(self) -> list[str]:
        """Of the inputs that the connector's fields made."""
        return [name for name in self.fields if name.startswith((SETTING, ENDED))]

    @property
    def own(self) -> list[Any]:
        return [self[name] for name in self.own_names]

    @property
    def flows(self) -> list[Any]:
        return [self[name] for name in FLAGS.values()]

    def clean_name(self) -> str:
        if not self.cleaned_data["name"].isprintable():
            raise forms.ValidationError(_("Must be a single line."))
        return str(self.cleaned_data["name"])

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        for field in self.settings:
            name = SETTING + field["key"]
            value = as_value(field["type"], given[name]) if name in self.changed else None
            if value is not None and (message := _wrong(field, value)):
                self.add_error(name, message)
        return given

    @property
    def changed(self) -> dict[str, Any]:
        """What was typed where something else stood; a secret's input stood empty."""
        given = {name: _plain(value) for name, value in self.cleaned_data.items()}
        names = ["name", *FLAGS.values(), *(SETTING + field["key"] for field in self.settings)]
        return {name: given[name] for name in names if name in given and given[name] != self.was.get(name, "")}

    @property
    def wanted(self) -> dict[str, Any]:
        changed = self.changed
        found = {name: changed[name] for name in ("name", *FLAGS.values()) if name in changed}
        settings = {
            field["key"]: as_value(field["type"], changed[SETTING + field["key"]])
            for field in self.settings
            if SETTING + field["key"] in changed
        }
        ended = [field["key"] for field in self.settings if self.cleaned_data.get(ENDED + field["key"])]
        settings |= dict.fromkeys(ended)
        return found | ({"settings": settings} if settings else {})


def _plain(value: Any) -> Any:
    """A browser ends lines its own way."""
    return value.replace("\r\n", "\n") if isinstance(value, str) else value


def _wrong(field: Field, value: Any) -> str:
    if field["type"] == "money" and not isinstance(value, dict):
        return _("Write the currency and the amount, as in EUR 12.50.")
    return wrong_value(field, value)


def _switch(label: Any) -> forms.Field:
    return forms.BooleanField(label=label, required=False, widget=UnfoldBooleanSwitchWidget)


def _input(field: Field) -> forms.Field:
    """The input for one setting."""
    if field["type"] == "boolean":
        return _switch(field["title"])
    is_needed = field["required"] and field["default"] is None and not (is_secret(field) and field["is_set"])
    words: dict[str, Any] = {"label": field["title"], "required": is_needed, "help_text": _help(field)}
    if field["type"] == "select":
        return forms.ChoiceField(choices=_choices(field), widget=UnfoldAdminSelectWidget, **words)
    widget = {"textarea": UnfoldAdminTextareaWidget, "secret": UnfoldAdminPasswordWidget}.get(field["type"])
    attrs = {"autocomplete": "new-password"} if is_secret(field) else {}
    return forms.CharField(strip=False, widget=(widget or UnfoldAdminTextInputWidget)(attrs=attrs), **words)


def _choices(field: Field) -> list[tuple[str, str]]:
    """With nothing, and with what it is set to even when the connector offers that no more."""
    offered = [(option["value"], option["title"]) for option in field["options"]]
    value = field["value"]
    if value and value not in dict(offered):
        offered.append((value, _("%(value)s (not offered any more)") % {"value": value}))
    return [("", "–"), *offered]


def _help(field: Field) -> str:
    if is_secret(field):
        kept = _("It is set, and never shown. Leave this empty to keep it, or type a new one.")
        return kept if field["is_set"] else _("It is not set. Once saved, it is never shown again.")
    hints = [_("Currency and amount, as in EUR 12.50.")] if field["type"] == "money" else []
    if field["default"] is not None:
        default = as_input(field["type"], field["default"])
        titles = {option["value"]: option["title"] for option in field["options"]}
        hints.append(_("Left empty, it is: %(value)s") % {"value": titles.get(default, default)})
    return " ".join(hints)
