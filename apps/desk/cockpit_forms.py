"""What an integration's page asks for before it does something with its stores."""

from datetime import date
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from apps.integrations.models import Integration
from apps.shops.models import Connection, printable_ascii
from apps.syncs import offering

EARLIEST = date(2000, 1, 1)  # no shop that sells online has open orders from before
KINDS = {
    "orders": gettext_lazy("Orders"),
    "products": gettext_lazy("Products"),
    "product-stocks": gettext_lazy("Stock"),
    "shipping-services": gettext_lazy("Ways to ship"),
}


class StoreForm(forms.Form):
    """Which of the integration's stores; without an answer all of them. `states` are those that can be chosen."""

    states: tuple[str, ...] = (Connection.State.ACTIVE,)
    store = forms.ModelChoiceField(
        Connection.objects.none(),
        label=gettext_lazy("Store"),
        required=False,
        empty_label=gettext_lazy("All its stores"),
        widget=UnfoldAdminSelectWidget,
    )

    def __init__(self, *given: Any, integration: Integration, **more: Any) -> None:
        super().__init__(*given, **more)
        stores = Connection.objects.filter(integration=integration, state__in=self.states)
        field: Any = self.fields["store"]
        field.queryset = stores.select_related("store", "integration__partner").order_by("name", "pk")


class PauseForm(StoreForm):
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=200,
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("For colleagues who look at it later."),
    )


class ResumeForm(PauseForm):
    states = (Connection.State.PAUSED,)


class SyncForm(StoreForm):
    """One kind, of all stores or one; orders also from a day on, where the platform can be asked so."""

    kind = forms.ChoiceField(label=gettext_lazy("What"), widget=UnfoldAdminSelectWidget)
    since = forms.DateField(
        label=gettext_lazy("Orders placed since"),
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"type": "date"}),
        help_text=gettext_lazy(
            "Those from this day on that are still open there. What we have stays as it is, and so do the regular "
            "readings. Empty reads what is new, as every minute."
        ),
    )
    field_order = ["kind", "store", "since"]

    def __init__(self, *given: Any, integration: Integration, **more: Any) -> None:
        super().__init__(*given, integration=integration, **more)
        kinds: Any = self.fields["kind"]
        kinds.choices = [(code, KINDS[code]) for code in offering.supported(integration)]
        if not any(offering.can_begin_at(integration, code) for code, _name in kinds.choices):
            del self.fields["since"]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        since = given.get("since")
        if since and given.get("kind") != "orders":
            self.add_error("since", _("Only orders can be read from a day on."))
        if since and since > timezone.localdate():
            self.add_error("since", _("This day is still to come."))
        if since and since < EARLIEST:
            self.add_error("since", _("This day is too long ago."))
        return given


class ReplaceForm(StoreForm):
    ext_shop_id = forms.CharField(
        label=gettext_lazy("New ID"),
        max_length=255,
        validators=[printable_ascii],
        widget=UnfoldAdminTextInputWidget,
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=200,
        widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("For colleagues, and for the owner if they ask."),
    )

    def __init__(self, *given: Any, integration: Integration, **more: Any) -> None:
        super().__init__(*given, integration=integration, **more)
        store: Any = self.fields["store"]
        store.required, store.empty_label = True, None

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        store, wanted = given.get("store"), given.get("ext_shop_id")
        if store and wanted == store.ext_shop_id:
            self.add_error("ext_shop_id", _("This is its ID already."))
        return given
