"""The tabs of an integration's page: the newest of each kind, and the way to all of them."""

from typing import Any

from django.db import connection
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy
from unfold.datasets import BaseDataset
from unfold.paginator import InfinitePaginator

from apps.audit.models import Entry
from apps.catalog.models import Listing, SkuMapping, WaitingSku
from apps.integrations.admin import TrailOfIntegrationAdmin
from apps.integrations.keys_admin import KeysOfIntegrationAdmin
from apps.integrations.models import ApiKey, Integration
from apps.integrations.revisions_admin import RevisionsOfIntegration
from apps.operations import ReadOnlyAdmin, ago, labelled, linked
from apps.orders import waiting
from apps.orders.models import Order
from apps.orders.order_admin import STATES, reasons
from apps.webhooks.log_admin import DeliveriesOfIntegrationAdmin, ReceiptsOfIntegrationAdmin
from apps.webhooks.models import Delivery, Receipt

LAST = 20
MOST_HELD = 2_000  # orders that wait, of which the oldest are shown

NEWEST_LISTINGS = """
SELECT last.id FROM shops_shop shop CROSS JOIN LATERAL (
    SELECT id FROM catalog_listing
    WHERE organization_id = shop.organization_id AND shop_id = shop.id ORDER BY sku, id LIMIT %(most)s
) last WHERE shop.integration_id = %(integration)s LIMIT %(most)s
"""


class Tab(BaseDataset):
    """`everything` names the parameter by which the list of all is narrowed to this integration."""

    tab = True
    everything = "integration__id__exact"

    @property
    def contents(self) -> str:
        assert self.extra_context
        query = urlencode({self.everything: self.extra_context["object"]})
        address = reverse(f"admin:{self.model._meta.app_label}_{self.model._meta.model_name}_changelist")
        name = self.title or self.model_verbose_name
        context = {"tab": self.model_name, "name": name, "all": f"{address}?{query}", "list": super().contents}
        return render_to_string("admin/cockpit/tab.html", context, request=self.request)


class OfIntegration(ReadOnlyAdmin):
    """`extra_context["object"]` is the integration's id."""

    list_per_page = LAST
    paginator = InfinitePaginator
    extra_context: dict[str, Any]

    @property
    def integration(self) -> Any:
        return Integration.objects.select_related("organization").filter(pk=self.extra_context["object"]).first()


class ListingsOfIntegrationAdmin(OfIntegration):
    list_display = ["sku", "name", "shop", linked("product", gettext_lazy("product")), "quantity", "status"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Listing]:
        with connection.cursor() as cursor:
            cursor.execute(NEWEST_LISTINGS, {"integration": self.extra_context["object"], "most": LAST})
            found = [pk for (pk,) in cursor.fetchall()]
        return (
            super().get_queryset(request).filter(pk__in=found).select_related("shop", "product").order_by("sku", "pk")
        )


class UnknownOfIntegrationAdmin(OfIntegration):
    list_display = ["sku", "name", "listings", "reports", "orders", ago("seen_at", gettext_lazy("last seen"))]
    ordering = ["-times", "-seen_at", "sku"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[WaitingSku]:
        rows = super().get_queryset(request).filter(integration=self.integration, is_ignored=False)
        return rows.filter(organization=self.integration.organization).select_related("listing")


class MappingsOfIntegrationAdmin(OfIntegration):
    list_display = ["number", "origin", "actor", "note", ago("created_at", gettext_lazy("when"))]

    def get_queryset(self, request: HttpRequest) -> QuerySet[SkuMapping]:
        return super().get_queryset(request).filter(integration=self.extra_context["object"])


class OrdersOfIntegrationAdmin(OfIntegration):
    """Those that wait for somebody, the oldest first."""

    list_display = ["number", labelled("state", gettext_lazy("state"), STATES), reasons, "shop"]
    list_display += [ago("created_at", gettext_lazy("came"))]
    ordering = ["pk"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Order]:
        urgent = waiting.hindrances(self.integration.organization).filter(code__in=waiting.URGENT)
        held = urgent.filter(order__integration=self.integration).order_by("order").values("order")
        rows = super().get_queryset(request).filter(pk__in=held[:MOST_HELD])
        return rows.select_related("shop").prefetch_related("hindrances")


class Deliveries(Tab):
    model, model_admin, everything = Delivery, DeliveriesOfIntegrationAdmin, "hook__integration__id__exact"


class Receipts(Tab):
    model, model_admin = Receipt, ReceiptsOfIntegrationAdmin


class Listings(Tab):
    model, model_admin, everything = Listing, ListingsOfIntegrationAdmin, "shop__integration__id__exact"


class Unknown(Tab):
    model, model_admin = WaitingSku, UnknownOfIntegrationAdmin


class Mappings(Tab):
    title = gettext_lazy("Mappings")
    model, model_admin = SkuMapping, MappingsOfIntegrationAdmin


class Orders(Tab):
    title = gettext_lazy("Waiting orders")
    model, model_admin = Order, OrdersOfIntegrationAdmin


class Keys(Tab):
    model, model_admin = ApiKey, KeysOfIntegrationAdmin


class Trail(Tab):
    model, model_admin, everything = Entry, TrailOfIntegrationAdmin, "integration_id"


class Versions(Tab):
    model, model_admin = RevisionsOfIntegration.model, RevisionsOfIntegration.model_admin


TABS = [Deliveries, Receipts, Orders, Listings, Unknown, Mappings, Keys, Versions, Trail]
