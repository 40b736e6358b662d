"""What a person answers on the consent page."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Store

ALLOW, DENY = "allow", "deny"
ALL, CHOSEN = "all", "chosen"
ASKED = {"client_id", "redirect_uri", "response_type", "scope", "state", "code_challenge", "code_challenge_method"}


class ConsentForm(forms.Form):
    """`ticket` says which page this is the answer to. What is asked stands in the address, and never in here."""

    ticket = forms.CharField(widget=forms.HiddenInput)
    decision = forms.ChoiceField(choices=[(ALLOW, ""), (DENY, "")])
    reach = forms.ChoiceField(choices=[(ALL, ""), (CHOSEN, "")], required=False)
    stores = forms.ModelMultipleChoiceField(Store.objects.none(), required=False)

    def __init__(self, *args: Any, stores: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["stores"].queryset = stores  # type: ignore[attr-defined]

    @property
    def is_foreign(self) -> bool:
        """Whether somebody put in what is asked once more, or not what our page puts into its fields (AS-11)."""
        return bool(ASKED & set(self.data) or self.errors.keys() & {"ticket", "decision", "reach"})

    @property
    def is_refusal(self) -> bool:
        return self.data.get("decision") == DENY

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if self.is_refusal:
            return given
        if not given.get("reach"):
            self.add_error("reach", _("Choose for which stores."))
        elif given["reach"] == CHOSEN and not given.get("stores") and "stores" not in self.errors:
            self.add_error("stores", _("Choose at least one store."))
        return given

    @property
    def chosen(self) -> Sequence[Store] | None:
        """The stores it is allowed for; None for all, also those added later."""
        return None if self.cleaned_data["reach"] == ALL else list(self.cleaned_data["stores"])
