"""What owners may change of an order: its address, tags and notes (behaviour 72)."""

from typing import Any

from django import forms
from django.core.validators import RegexValidator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from .models import Order

LONGEST_NOTES = 10_000
MOST_TAGS = 100
LONGEST = 255
PLAIN = {"autocomplete": "off"}


class VersionedForm(forms.Form):
    """`version` is that of the order when the form was shown: what somebody else changed since is not overwritten."""

    version = forms.IntegerField(min_value=1, max_value=2**31 - 1, widget=forms.HiddenInput)

    def lost(self, order: Order) -> None:
        """Somebody changed the order since. What was typed stays, and is saved when it is sent once more."""
        data: Any = self.data.copy()  # type: ignore[attr-defined]
        data[self.add_prefix("version")] = str(order.version)
        self.data = data
        self.add_error(
            None, _("It was changed in the meantime. Look at it again, and save it once more if it still holds.")
        )


one_line = RegexValidator(r"\A[^\x00-\x1f\x7f]*\Z", gettext_lazy("Write it in one line."))


def _text(label: Any, *, needed: bool = False, **attrs: str) -> forms.CharField:
    widget = forms.TextInput(attrs=PLAIN | attrs)
    return forms.CharField(label=label, max_length=LONGEST, required=needed, validators=[one_line], widget=widget)


class AddressForm(VersionedForm):
    """The fields of connectors.orders.Address."""

    prefix = "to"
    first_name = _text(gettext_lazy("First name"))
    last_name = _text(gettext_lazy("Last name"))
    company = _text(gettext_lazy("Company"))
    address1 = _text(gettext_lazy("Street and number"), needed=True)
    address2 = _text(gettext_lazy("More of the address"))
    zip = _text(gettext_lazy("Postal code"))
    city = _text(gettext_lazy("City"), needed=True)
    province = _text(gettext_lazy("Province or state"))
    country = forms.RegexField(
        r"\A[A-Za-z]{2}\Z",
        label=gettext_lazy("Country"),
        help_text=gettext_lazy("Two letters, like NL."),
        error_messages={"invalid": gettext_lazy("Write the country in two letters, like NL.")},
        widget=forms.TextInput(attrs=PLAIN),
    )
    phone = _text(gettext_lazy("Phone"), inputmode="tel")
    email = forms.EmailField(
        label=gettext_lazy("Email"), max_length=LONGEST, required=False, widget=forms.EmailInput(attrs=PLAIN)
    )

    def clean_country(self) -> str:
        return str(self.cleaned_data["country"]).upper()

    @property
    def destination(self) -> dict[str, str]:
        """What is known of it now."""
        return {name: value for name, value in self.cleaned_data.items() if name != "version" and value}


class NotesForm(VersionedForm):
    tags = forms.CharField(
        label=gettext_lazy("Tags"),
        required=False,
        max_length=(LONGEST + 2) * MOST_TAGS,
        validators=[one_line],
        help_text=gettext_lazy("Separated by commas. Rules may look at them."),
        widget=forms.TextInput(attrs=PLAIN),
    )
    notes = forms.CharField(
        label=gettext_lazy("Notes"),
        required=False,
        max_length=LONGEST_NOTES,
        help_text=gettext_lazy("Who picks the order sees them."),
        widget=forms.Textarea,
    )

    def clean_tags(self) -> list[str]:
        tags = [tag.strip() for tag in self.cleaned_data["tags"].split(",")]
        found = list(dict.fromkeys(tag for tag in tags if tag))
        if len(found) > MOST_TAGS or any(len(tag) > LONGEST for tag in found):
            raise forms.ValidationError(_("These are too many tags, or one is too long."))
        return found
