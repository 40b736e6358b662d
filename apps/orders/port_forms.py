"""What somebody who picks by hand says: how many of each, how it leaves, and what is missing."""

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.integrations.connectors.orders import Tracking

from .models import FulfillmentLine

LONGEST = 255
PIECES = {"inputmode": "numeric", "autocomplete": "off"}
PLAIN = {"autocomplete": "off", "autocapitalize": "off", "spellcheck": "false"}


class PickForm(forms.Form):
    """A number for each line that is open. `entry` is this form's own: sent twice, it ships once. `version` is that of
    the fulfilment when the form was shown.
    """

    LATER, MISSING = "later", "missing"

    carrier = forms.CharField(label=gettext_lazy("Carrier"), required=False, max_length=LONGEST)
    tracking_number = forms.CharField(
        label=gettext_lazy("Tracking number"), required=False, max_length=LONGEST, widget=forms.TextInput(PLAIN)
    )
    tracking_url = forms.URLField(
        label=gettext_lazy("Address to follow it"), required=False, max_length=2000, assume_scheme="https"
    )
    rest = forms.ChoiceField(
        label=gettext_lazy("What about the rest?"),
        choices=[(LATER, gettext_lazy("I pick it later")), (MISSING, gettext_lazy("It is not there, or not good"))],
        widget=forms.RadioSelect,
        required=False,
    )
    reason = forms.CharField(
        label=gettext_lazy("What is missing, and why"),
        required=False,
        max_length=LONGEST,
        help_text=gettext_lazy("People of the store read it."),
    )
    entry = forms.UUIDField(initial=uuid4, widget=forms.HiddenInput)
    version = forms.IntegerField(min_value=1, max_value=2**31 - 1, widget=forms.HiddenInput)

    def __init__(self, *args: Any, lines: Sequence[FulfillmentLine], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lines = [line for line in lines if line.open]
        for line in self.lines:
            self.fields[self.name_of(line)] = forms.IntegerField(
                label=line.order_line.name or line.product.name,
                min_value=0,
                max_value=line.open,
                initial=line.open,
                widget=forms.NumberInput(PIECES),
            )

    @staticmethod
    def name_of(line: FulfillmentLine) -> str:
        return f"line-{line.order_line_id}"

    def rows(self) -> list[tuple[FulfillmentLine, forms.BoundField]]:
        """Each open line with its field."""
        return [(line, self[self.name_of(line)]) for line in self.lines]

    def has_rest(self) -> bool:
        """Whether fewer were typed than are asked for, or something was said of what is missing."""
        said = ["rest", "reason", *map(self.name_of, self.lines)]
        return any(name in self.errors for name in said) or (self.is_bound and self.is_short())

    def is_short(self) -> bool:
        return any(self.cleaned_data.get(self.name_of(line)) != line.open for line in self.lines)

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if self.errors or not self.is_short():
            return given
        if not given["rest"]:
            raise forms.ValidationError({"rest": _("That is fewer than asked for. Say what becomes of the rest.")})
        if given["rest"] == self.MISSING and not given["reason"]:
            raise forms.ValidationError({"reason": _("Say what is missing: somebody has to look after it.")})
        if given["rest"] == self.LATER and not any(self.pieces.values()):
            raise forms.ValidationError(_("Nothing is picked yet."))
        return given

    @property
    def pieces(self) -> dict[int, int]:
        """By the id of the order's line."""
        return {line.order_line_id: self.cleaned_data[self.name_of(line)] for line in self.lines}

    @property
    def is_final(self) -> bool:
        """Whether the rest, if there is any, will not come."""
        return self.is_short() and self.cleaned_data["rest"] == self.MISSING

    @property
    def tracking(self) -> Tracking:
        given = self.cleaned_data
        return Tracking(given["carrier"], given["tracking_number"], given["tracking_url"])

    def overtaken(self, version: int, lines: Sequence[FulfillmentLine], message: str) -> "PickForm":
        """The form anew, since somebody did something about it. What was typed stays, to be sent once more."""
        again = type(self)({**self.data.dict(), "version": str(version)}, lines=lines)  # type: ignore[attr-defined]
        again.is_valid()
        again.add_error(None, message)
        return again
