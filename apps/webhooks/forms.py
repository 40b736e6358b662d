"""What people fill in about the addresses that hear from us."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.validators import RegexValidator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.api.errors import Problem
from apps.shops.models import Shop

from .catalogue import EVENTS, Published, body_of, sample_of
from .sentences import ENTITIES, heading
from .showing import legible, pretty

LONGEST_URL = 2000
MOST_HEADERS = 10
PLAIN = {"autocomplete": "off", "autocapitalize": "off", "spellcheck": "false"}
one_line = RegexValidator(r"\A[^\x00-\x1f\x7f]*\Z", gettext_lazy("Write it in one line."))


def offered() -> dict[str, Published]:
    """The events that people can choose. Those in Pio's words go to applications that were made for Pio."""
    return {name: published for name, published in EVENTS.items() if not published.is_pios}


class AddressForm(forms.Form):
    """An address of somebody's, its name here, and what is sent along to it."""

    url = forms.CharField(
        label=gettext_lazy("Address"),
        max_length=LONGEST_URL,
        validators=[one_line],
        help_text=gettext_lazy("It starts with https://. Whoever runs the other system knows it."),
        widget=forms.URLInput(attrs=PLAIN | {"placeholder": "https://"}),
    )
    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=200,
        validators=[one_line],
        help_text=gettext_lazy("For example “Bookkeeping”. It is how you find it again."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    headers = forms.CharField(
        label=gettext_lazy("Headers to send along"),
        max_length=10_000,
        required=False,
        help_text=gettext_lazy("Only if the other system asks for it. One a line, like “X-Key: abc”."),
        widget=forms.Textarea(attrs=PLAIN),
    )

    def clean_headers(self) -> dict[str, str]:
        lines = [line.strip() for line in self.cleaned_data["headers"].splitlines() if line.strip()]
        pairs = [line.partition(":") for line in lines]
        if any(not colon or not name.strip() or not value.strip() for name, colon, value in pairs):
            raise forms.ValidationError(_("Write a name, a colon and a value in each line."))
        if len(pairs) > MOST_HEADERS:
            raise forms.ValidationError(_("These are too many."))
        if len({name.strip().lower() for name, _colon, _value in pairs}) < len(pairs):
            raise forms.ValidationError(_("Give each header once."))
        return {name.strip(): value.strip() for name, _colon, value in pairs}

    def refused(self, problem: Problem) -> None:
        """Say what was wrong beside the field it is about."""
        for place, text in problem.details or [("", problem.detail or problem.title)]:
            known = NAMES.get(place.partition(".")[0], place.partition(".")[0])
            self.add_error(known if known in self.fields else None, text)


NAMES = {"target_url": "url", "event": "events"}  # what the API calls a field


class ChangeAddressForm(AddressForm):
    """The headers are secrets, so they are not shown: an empty field leaves them as they are."""

    drop_headers = forms.BooleanField(label=gettext_lazy("Send no headers along any more"), required=False)

    def __init__(self, *args: Any, header_names: Iterable[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if names := ", ".join(header_names):
            text = _("Sent along now: %(names)s. Leave it empty to keep that, or write all of them anew.")
            self.fields["headers"].help_text = text % {"names": names}
        else:
            del self.fields["drop_headers"]

    @property
    def wanted_headers(self) -> dict[str, str] | None:
        """None to leave them as they are."""
        if self.cleaned_data.get("drop_headers"):
            return {}
        return self.cleaned_data["headers"] or None


class EventsForm(forms.Form):
    """Which events are sent to an address."""

    events = forms.MultipleChoiceField(
        label=gettext_lazy("What shall we tell?"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("Choose at least one event.")},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["events"]
        field.choices = [(name, heading(name)) for name in offered()]

    def groups(self) -> list[tuple[Any, list[dict[str, Any]]]]:
        """The checkboxes by what they are about, each with what the catalogue says of its event."""
        groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for box in self["events"]:
            published = EVENTS[str(box.data["value"])]
            sample = legible(body_of(published, sample_of(published)))
            texts = {"heading": heading(published.name), "sample": sample, "schema": pretty(published.message)}
            groups[published.entity].append({"box": box, "published": published} | texts)
        return [(ENTITIES.get(entity, entity), found) for entity, found in groups.items()]


class AddForm(EventsForm, AddressForm):
    """All of a new address."""

    shop = forms.ModelChoiceField(
        label=gettext_lazy("Of which store?"),
        queryset=Shop.objects.none(),
        required=False,
        empty_label=gettext_lazy("All your stores"),
    )
    field_order = ["url", "name", "events", "shop", "headers"]

    def __init__(self, *args: Any, shops: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["shop"]
        field.queryset = shops


class RotateForm(forms.Form):
    """How long the secret that is replaced goes on signing, too."""

    hours = forms.TypedChoiceField(
        label=gettext_lazy("How long shall the old one go on working?"),
        coerce=int,
        choices=[
            (24, gettext_lazy("For a day: time to put the new one in place")),
            (168, gettext_lazy("For a week")),
            (0, gettext_lazy("Not at all: somebody may have seen it")),
        ],
        initial=24,
        widget=forms.RadioSelect,
    )


class AgainForm(forms.Form):
    """`expected` is how many messages the page spoke of: if they are more by now, it is shown anew."""

    expected = forms.IntegerField(min_value=0, max_value=2**31 - 1, widget=forms.HiddenInput)


class ResumeForm(forms.Form):
    """What becomes of the messages that were kept."""

    ALL, NEWEST, DROP = "all", "newest", "drop"
    choice = forms.ChoiceField(choices=[(ALL, ""), (NEWEST, ""), (DROP, "")])
