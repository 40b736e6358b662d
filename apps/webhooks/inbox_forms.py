"""What people of the 3PL fill in about a custom integration's inbox. The API's own rules decide (`inbox_bodies`)."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminRadioSelectWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from apps.integrations.models import Integration

from .models import Inbox

NAMES = {
    "signatureHeader": "signature",
    "encoding": "encoding",
    "idHeader": "id",
    "timestampHeader": "timestamp",
    "signed": "signed",
}


def _text(label: Any, hint: Any) -> forms.CharField:
    return forms.CharField(
        label=label, help_text=hint, max_length=200, required=False, strip=False, widget=UnfoldAdminTextInputWidget
    )


class SetUpForm(forms.Form):
    """How the other side signs. `asked` is the same as the API's body."""

    scheme = forms.ChoiceField(
        label=gettext_lazy("How it signs"),
        choices=Inbox.Scheme.choices,
        initial=Inbox.Scheme.STANDARD,
        widget=UnfoldAdminRadioSelectWidget,
        help_text=gettext_lazy("Standard Webhooks needs nothing else; what is below is for the other."),
    )
    signatureHeader = _text(gettext_lazy("Header of the signature"), gettext_lazy("Such as X-Signature."))
    encoding = forms.ChoiceField(
        label=gettext_lazy("Written as"),
        choices=[("hex", gettext_lazy("hexadecimal digits")), ("base64", "base64")],
        required=False,
        widget=UnfoldAdminSelectWidget,
    )
    idHeader = _text(
        gettext_lazy("Header of its id of a message"),
        gettext_lazy("By which one that comes twice is known. Without it, the same words count once."),
    )
    timestampHeader = _text(
        gettext_lazy("Header of the time"), gettext_lazy("Seconds since 1970. A message may be five minutes old then.")
    )
    signed = _text(
        gettext_lazy("What is signed"), gettext_lazy("{body}; or, with a time, something like {timestamp}.{body}.")
    )

    @property
    def asked(self) -> dict[str, Any]:
        given = self.cleaned_data
        named = NAMES if given["scheme"] == Inbox.Scheme.HMAC else {}
        return {"scheme": given["scheme"]} | {name: given[name] for name in named if given[name]}


class NewInboxForm(SetUpForm):
    """As well for which custom integration."""

    integration = forms.ModelChoiceField(
        Integration.objects.kept().filter(partner__kind="custom", partner__deactivated_at=None, inbox=None),
        label=gettext_lazy("Custom integration"),
        widget=UnfoldAdminSelectWidget,
    )
    field_order = ["integration"]


def as_filled_in(inbox: Inbox) -> dict[str, Any]:
    return {"scheme": inbox.scheme} | {name: inbox.terms.get(term, "") for name, term in NAMES.items()}
