"""What people fill in about problems: which they look for, and what mends one."""

from collections.abc import Collection
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminRadioSelectWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from apps.accounts.models import Organization
from apps.catalog.matching import suggest
from apps.catalog.models import Product, WaitingSku
from apps.integrations.models import Integration
from apps.operations import Autocomplete
from apps.orders.shipping import services_of
from apps.shops.models import Connection
from apps.webhooks import hooking
from apps.webhooks.hooks_admin import ResumeForm

from .causes import Kind, Narrow, Who
from .problems import LONGEST_REASON, Trouble, warehouse_of

MOST_FOUND = 8  # products that a search shows
OPEN, DISMISSED = "", "dismissed"
type Choices = list[tuple[str, Any]]


def _lookup(name: str) -> Autocomplete:
    attrs = {"class": "unfold-admin-autocomplete admin-autocomplete", "data-theme": "admin-autocomplete"}
    return Autocomplete(Connection._meta.get_field(name), admin.site, attrs=attrs)


class LookForm(forms.Form):
    """What is not one of the choices narrows nothing."""

    q = forms.CharField(
        label=gettext_lazy("Search"), required=False, max_length=200, widget=UnfoldAdminTextInputWidget, strip=True
    )
    kind = forms.ChoiceField(label=gettext_lazy("Kind"), required=False, widget=UnfoldAdminSelectWidget)
    who = forms.ChoiceField(
        label=gettext_lazy("Who must act"),
        required=False,
        choices=[("", gettext_lazy("Anybody")), *Who.choices],
        widget=UnfoldAdminSelectWidget,
    )
    state = forms.ChoiceField(
        label=gettext_lazy("State"),
        required=False,
        choices=[(OPEN, gettext_lazy("Open")), (DISMISSED, gettext_lazy("Set aside"))],
        widget=UnfoldAdminSelectWidget,
    )
    organization = forms.ModelChoiceField(
        Organization.objects.order_by("name", "pk"), label=gettext_lazy("Organization"), required=False
    )
    integration = forms.ModelChoiceField(
        Integration.objects.order_by("name", "pk"), label=gettext_lazy("Integration"), required=False
    )

    def __init__(self, data: Any, *, kinds: Collection[Kind]) -> None:
        super().__init__(data)
        self.kinds = kinds
        self.fields["kind"].choices = [("", gettext_lazy("Any")), *((kind.code, kind.name) for kind in kinds)]  # type: ignore[attr-defined]
        for name in ("organization", "integration"):
            field = self.fields[name]
            field.widget = _lookup(name)
            field.widget.choices = field.choices  # type: ignore[attr-defined]
        self.full_clean()
        self.given: dict[str, Any] = getattr(self, "cleaned_data", {})

    @property
    def wanted(self) -> list[Kind]:
        """Kinds that are looked for."""
        kind, who = self.given.get("kind"), self.given.get("who")
        return [one for one in self.kinds if kind in {"", None, one.code} and who in {"", None, one.who}]

    @property
    def narrow(self) -> Narrow:
        organization, integration = self.given.get("organization"), self.given.get("integration")
        return Narrow(organization and organization.pk, integration and integration.pk, self.given.get("q") or "")

    @property
    def is_dismissed(self) -> bool:
        return self.given.get("state") == DISMISSED

    @property
    def is_narrowed(self) -> bool:
        return any(self.given.values())


class DismissForm(forms.Form):
    reason = forms.CharField(
        label=gettext_lazy("Why"),
        max_length=LONGEST_REASON,
        widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("For your colleagues. It comes back by itself when something new happens."),
    )


class ProductForm(forms.Form):
    """The products it may be, and those that were searched for."""

    product = forms.TypedChoiceField(
        label=gettext_lazy("Which product it is"), coerce=int, widget=UnfoldAdminRadioSelectWidget
    )

    def __init__(self, data: Any, *, trouble: Trouble, text: str = "") -> None:
        super().__init__(data)
        organization, sku = trouble.organization, trouble.cause.refs["sku"]
        choices = _suggested(trouble) + _products(organization, text)
        if data and str(data.get("product", "")).isdecimal() and len(data["product"]) < 19:
            choices += _shown(Product.objects.filter(organization=organization, pk=data["product"]))
        self.fields["product"].choices = list(dict(choices).items())  # type: ignore[attr-defined]
        self.fields["product"].initial = next((pk for pk, _label in choices), None) if not text else None
        self.sku = sku


def _suggested(trouble: Trouble) -> Choices:
    rows = WaitingSku.objects.select_related("organization", "integration__partner", "listing")
    about = {name: trouble.cause.refs[name] for name in ("organization", "integration", "sku")}
    row = rows.filter(**about).first()
    found = suggest(row.organization, [row])[row.pk] if row else []
    return [(str(one.product), f"{one.sku} · {one.name} ({one.band.label}: {', '.join(one.reasons)})") for one in found]


def _products(organization: Any, text: str) -> Choices:
    """Those with this SKU, or whose SKU or name begins like that."""
    if not text:
        return []
    theirs = Product.objects.filter(organization=organization)
    return _shown(theirs.filter(Q(sku__istartswith=text) | Q(name__icontains=text)).order_by("sku"))


def _shown(products: Any) -> Choices:
    return [(str(one.pk), f"{one.sku} · {one.name}") for one in products[:MOST_FOUND]]


class ServiceForm(forms.Form):
    """One of the services that the warehouse offers; where it lists none, its code is typed."""

    service = forms.CharField(label=gettext_lazy("What it means there"), max_length=255)

    def __init__(self, data: Any, *, trouble: Trouble) -> None:
        super().__init__(data)
        warehouse = warehouse_of(trouble)
        offered = list(services_of(warehouse).filter(removed_at=None)) if warehouse else []
        choices = [(one.code, one.name or one.code) for one in offered]
        widget: Any = UnfoldAdminSelectWidget(choices=choices) if choices else UnfoldAdminTextInputWidget()
        self.fields["service"].widget = widget


def form_for(asks: str, trouble: Trouble, data: Any, *, text: str = "") -> forms.Form:
    """What a person has to say before the problem is mended: a product, a service or a choice, or nothing."""
    match asks:
        case "product":
            return ProductForm(data, trouble=trouble, text=text)
        case "service":
            return ServiceForm(data, trouble=trouble)
        case "choice" if not trouble.about["endpoint"].is_active:
            return ResumeForm(data, counts=hooking.would_send(trouble.about["endpoint"]))
    return forms.Form(data)
