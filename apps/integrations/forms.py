"""What owners fill in about keys."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.api.grants import ORGANIZATION, READS, WRITES

READABLE = READS | {"organization.read": ORGANIZATION["organization.read"]}


class KeyForm(forms.Form):
    """A key of one's own: what for, and what it may do. Connecting stores is for applications, and not offered."""

    name = forms.CharField(
        label=_("What is it for?"),
        max_length=200,
        help_text=_("For example “Export to the bookkeeping”. It is how you find the key again."),
    )
    grants = forms.MultipleChoiceField(
        label=_("What may it do?"),
        choices=[(_("See"), list(READABLE.items())), (_("Change"), list(WRITES.items()))],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one thing.")},
    )

    def groups(self) -> Iterator[tuple[Any, list[Any]]]:
        """The checkboxes of what it may see, then of what it may change."""
        boxes = list(self["grants"])
        yield _("See"), boxes[: len(READABLE)]
        yield _("Change"), boxes[len(READABLE) :]
