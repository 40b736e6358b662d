"""What people fill in at the port: how many pieces, and where."""

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from django import forms
from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.accounts.models import Organization

from .by_hand import MOST_AT_ONCE
from .models import Location, StockLevel

SUGGESTED = 200  # names of places
PIECES = forms.NumberInput(attrs={"inputmode": "numeric", "autocomplete": "off"})


def places_of(organization: Organization) -> QuerySet[Location]:
    """Where people may store goods of this customer: places of its own first, then the 3PL's."""
    may_lie = Q(organization=organization) | Q(organization=None)
    return Location.objects.manual().active().filter(may_lie).order_by(F("organization").asc(nulls_last=True), "name")


class DeedForm(forms.Form):
    """`place` is one of those where some lie already; another is typed, or scanned, into `elsewhere`.

    `entry` is this form's own: sending it twice does its deed once.
    """

    pieces = forms.IntegerField(
        label=gettext_lazy("Pieces"), min_value=1, max_value=MOST_AT_ONCE, initial=1, widget=PIECES
    )
    place = forms.ChoiceField(label=gettext_lazy("Where"), required=False)
    elsewhere = forms.CharField(
        label=gettext_lazy("Another location"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"list": "places", "autocomplete": "off"}),
    )
    entry = forms.UUIDField(initial=uuid4, widget=forms.HiddenInput)

    def __init__(self, *args: Any, organization: Organization, levels: Sequence[StockLevel], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.organization = organization
        self.levels = levels
        choices = [(str(level.location_id), level.location.name) for level in levels]
        self.fields["place"].choices = choices  # type: ignore[attr-defined]
        self.location: Location | None = None

    def suggested(self) -> list[str]:
        return list(places_of(self.organization).values_list("name", flat=True)[:SUGGESTED])

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if self.errors:
            return given
        typed = given.get("elsewhere", "")
        self.location = self._named(typed) if typed else self._chosen(given.get("place", ""))
        return given

    def _named(self, name: str) -> Location:
        found = places_of(self.organization).filter(name__iexact=name).first()
        if found is None:
            raise forms.ValidationError({"elsewhere": _("There is no location of this name. Check it, or ask for it.")})
        return found

    def _chosen(self, place: str) -> Location:
        found = next((level.location for level in self.levels if str(level.location_id) == place), None)
        if found is None:
            raise forms.ValidationError({"place" if self.levels else "elsewhere": _("Say where.")})
        return found


class CountForm(DeedForm):
    pieces = forms.IntegerField(
        label=gettext_lazy("Pieces there now"), min_value=0, max_value=MOST_AT_ONCE, widget=PIECES
    )
    reason = forms.CharField(
        label=gettext_lazy("Why you counted"), max_length=500, help_text=gettext_lazy("It stands in the history.")
    )
