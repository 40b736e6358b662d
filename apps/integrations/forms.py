"""What owners fill in about keys."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.api.grants import CONSENTED, ORGANIZATION, READS, WRITES

# A person's key sees everything of a kind, where an application sees only its own.
OF_A_PERSON: dict[str, Any] = {
    "connectors:read": _("See your custom connectors"),
    "connectors:write": _("Make and change custom connectors"),
    "hooks:read": _("See which notices are sent"),
    "hooks:write": _("Choose which notices are sent"),
    "inventory:write": _("Report stock"),
    "locations:write": _("Add and change locations"),
    "shops:read": _("See your shops"),
    "shops:write": _("Close shops"),
}
READABLE = READS | {"organization.read": ORGANIZATION["organization.read"]}
WORDS = CONSENTED | OF_A_PERSON


def _choices(grants: dict[str, Any]) -> list[tuple[str, Any]]:
    return [(grant, WORDS[grant]) for grant in grants]


class KeyForm(forms.Form):
    """A key of one's own: what for, and what it may do. Connecting stores is for applications, and not offered."""

    name = forms.CharField(
        label=_("What is it for?"),
        max_length=200,
        help_text=_("For example “Export to the bookkeeping”. It is how you find the key again."),
    )
    grants = forms.MultipleChoiceField(
        label=_("What may it do?"),
        choices=[(_("See"), _choices(READABLE)), (_("Change"), _choices(WRITES))],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one thing.")},
    )

    def groups(self) -> Iterator[tuple[Any, list[Any]]]:
        """The checkboxes of what it may see, then of what it may change."""
        boxes = list(self["grants"])
        yield _("See"), boxes[: len(READABLE)]
        yield _("Change"), boxes[len(READABLE) :]
