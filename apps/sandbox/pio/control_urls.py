"""The addresses of Pio's part of the control endpoint. Manual: apps/sandbox/control.py."""

from django.urls import path

from apps.sandbox.pio import control
from apps.sandbox.pio.models import LogEntry

urlpatterns = [
    *(path(reason, control.move, {"reason": reason}) for reason in LogEntry.Reason.values),
    path("products", control.products),
    path("log", control.log),
    path("deliveries", control.deliveries),
    path("deliveries/retry", control.retry),
    path("deliveries/pass", control.pass_time),
    path("organizations", control.organizations),
    path("users", control.users),
    path("integrations", control.integrations),
    path("revoke", control.revoke),
]
