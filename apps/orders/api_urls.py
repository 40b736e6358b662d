"""Orders, fulfilments, and the rules they follow (Pio: contracts 1.7; Pipe17: 2.8 and 2.11)."""

from typing import Any

from django.urls import path

from apps.api.lanes import quick_or_careful
from apps.api.routes import operations

from . import fulfillments_api, orders_api, quick, rules_api, shipping_api

INTEGRATION = "v1/organizations/<uuid:organization_id>/integrations/<uuid:integration_id>"

urlpatterns: list[Any] = [
    path(
        "v1/orders",
        quick_or_careful(quick.take, operations(get=orders_api.list_orders, post=orders_api.create_order)),
        name="orders",
    ),
    path("v1/orders/bulk", operations(post=orders_api.create_orders), name="orders-bulk"),
    path(
        "v1/orders/<uuid:order_id>",
        operations(get=orders_api.read_order, put=orders_api.update_order, delete=orders_api.cancel_order),
        name="order",
    ),
    path(
        "v1/fulfillments",
        operations(get=fulfillments_api.list_fulfillments, post=fulfillments_api.create_fulfillment),
        name="fulfillments",
    ),
    path(
        "v1/fulfillments/<uuid:fulfillment_id>", operations(get=fulfillments_api.read_fulfillment), name="fulfillment"
    ),
    path("v1/shipments", operations(get=fulfillments_api.list_shipments), name="shipments"),
    path(
        "v1/shipments/<uuid:shipment_id>",
        operations(get=fulfillments_api.read_shipment, put=fulfillments_api.update_shipment),
        name="shipment",
    ),
    path(
        "v1/shipments/<uuid:shipment_id>/reject",
        operations(post=fulfillments_api.reject_shipment),
        name="shipment-reject",
    ),
    path(
        f"{INTEGRATION}/shipping-methods",
        operations(get=shipping_api.read_methods, put=shipping_api.write_methods),
        name="shipping-methods",
    ),
    path(
        f"{INTEGRATION}/shipping-services",
        operations(get=shipping_api.list_services),
        name="shipping-services",
    ),
    path(
        "v1/organizations/<uuid:organization_id>/routing-rules",
        operations(get=rules_api.read_rules, put=rules_api.write_rules),
        name="routing-rules",
    ),
]
