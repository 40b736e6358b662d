"""What people of the 3PL decide about an integration's stock and orders and a shop's catalogue, from their pages."""

from typing import Any

from django import forms
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldBooleanSwitchWidget

from apps.accounts.asking import ask
from apps.accounts.deciding import SignedIn, actor_of
from apps.catalog import buffering
from apps.integrations.changing import LONGEST_HOLD, change
from apps.integrations.deeds import done, row_of, rows_of
from apps.integrations.models import Integration
from apps.operations import address_of
from apps.shops import adjusting

from . import comparing


class BufferForm(forms.Form):
    pieces = forms.IntegerField(
        label=gettext_lazy("Pieces kept back"),
        min_value=0,
        max_value=buffering.MOST,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text=gettext_lazy("Of each product. The platform is told so many fewer, and never less than zero."),
    )


class HoldForm(forms.Form):
    order_hold_seconds = forms.IntegerField(
        label=gettext_lazy("Seconds"),
        min_value=0,
        max_value=LONGEST_HOLD,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text=gettext_lazy("600 are ten minutes; at most 604800, which are seven days."),
    )


class ShopForm(forms.Form):
    creates_products = forms.BooleanField(
        label=gettext_lazy("A SKU nobody knows becomes a product"),
        required=False,
        widget=UnfoldBooleanSwitchWidget,
        help_text=gettext_lazy("Else it waits until somebody says which product it is."),
    )
    drift_limit = forms.IntegerField(
        label=gettext_lazy("Put right by itself, up to this many pieces"),
        min_value=0,
        max_value=buffering.MOST,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text=gettext_lazy("Once two comparisons in a row found the same difference. 0 is never."),
    )


class KeepsStockBack:
    """An integration's buffer."""

    def has_buffer_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        told = rows_of(Integration, object_id).filter(deleted_at=None)
        return request.user.has_perm("integrations.change_integration") and told.exists()

    @action(description=gettext_lazy("Stock kept back"), permissions=["buffer"], icon="inventory")
    def keep_back(self, request: SignedIn, object_id: str) -> HttpResponse:
        integration = row_of(self, request, object_id)
        posted = request.POST if request.method == "POST" else None
        form = BufferForm(posted, initial={"pieces": integration.stock_buffer})

        def do(given: dict[str, Any]) -> HttpResponse:
            changed = buffering.keep_back(integration, given["pieces"], actor=actor_of(request))
            text = _("Saved. Its platform hears the new numbers.") if changed else _("It was so already.")
            return done(request, integration, text)

        points = [_("What is kept back is not sold there, also when several buy the last piece at once.")]
        title, back = _("How much does %(name)s not sell?") % {"name": integration}, address_of(integration)
        return ask(self, request, title=title, points=points, button=_("Save"), do=do, back=back, form=form)


class HoldsOrders:
    """How long an integration's new orders are held."""

    def has_hold_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        kept = rows_of(Integration, object_id).filter(deleted_at=None)
        return request.user.has_perm("integrations.change_integration") and kept.exists()

    @action(description=gettext_lazy("Hold of orders"), permissions=["hold"], icon="hourglass_top")
    def hold_orders(self, request: SignedIn, object_id: str) -> HttpResponse:
        integration = row_of(self, request, object_id)
        posted = request.POST if request.method == "POST" else None
        form = HoldForm(posted, initial={"order_hold_seconds": integration.order_hold_seconds})

        def do(given: dict[str, Any]) -> HttpResponse:
            change(integration, given, actor=actor_of(request))
            return done(request, integration, _("Saved. It holds for orders that come from now on."))

        points = [_("Meanwhile its shops can still change or cancel them. Then they go to a warehouse.")]
        title, back = _("How long are new orders of %(name)s held?") % {"name": integration}, address_of(integration)
        return ask(self, request, title=title, points=points, button=_("Save"), do=do, back=back, form=form)


class TakesInCatalogue:
    """A shop's catalogue and its differences."""

    def has_adjust_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("shops.change_shop")

    @action(description=gettext_lazy("Catalogue and stock"), permissions=["adjust"], icon="tune")
    def adjust(self, request: SignedIn, object_id: str) -> HttpResponse:
        shop = row_of(self, request, object_id)
        posted = request.POST if request.method == "POST" else None
        form = ShopForm(posted, initial={"creates_products": shop.creates_products, "drift_limit": shop.drift_limit})

        @transaction.atomic
        def do(given: dict[str, Any]) -> HttpResponse:
            adjusting.let_create_products(shop, given["creates_products"], actor=actor_of(request))
            if given["drift_limit"] != shop.drift_limit:
                comparing.limit_drift(shop, given["drift_limit"], actor=actor_of(request))
            return done(request, shop, _("Saved. It holds from the next reading of the store on."))

        title, back = _("Catalogue and stock of %(name)s") % {"name": shop}, address_of(shop)
        return ask(self, request, title=title, points=[], button=_("Save"), do=do, back=back, form=form)
