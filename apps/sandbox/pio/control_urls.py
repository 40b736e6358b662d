"""The addresses of Pio's part of the control endpoint. Manual: apps/sandbox/control.py."""

from django.urls import path

from apps.sandbox.pio import control, order_control
from apps.sandbox.pio.models import LogEntry

urlpatterns = [
    *(path(reason, control.move, {"reason": reason}) for reason in LogEntry.Reason.values),
    path("products", control.products),
    path("log", control.log),
    path("deliveries", control.deliveries),
    path("deliveries/retry", control.retry),
    path("deliveries/pass", control.pass_time),
    path("orders", order_control.orders),
    path("orders/pairs", order_control.pairs),
    path("fulfillments", order_control.fulfillments),
    path("fulfillments/<int:fulfillment_id>/start", order_control.start),
    path("fulfillments/<int:fulfillment_id>/send", order_control.send),
    path("fulfillments/<int:fulfillment_id>/reject", order_control.reject),
    path("pick_rules", order_control.pick_rules),
    path("auto_pick", order_control.auto_pick),
    path("organizations", control.organizations),
    path("users", control.users),
    path("integrations", control.integrations),
    path("revoke", control.revoke),
]
