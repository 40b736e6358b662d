"""The addresses of Otter's public API."""

from django.urls import path

from apps.sandbox.otter import authorization, availability, inventory, orders, organization, tokens

ORGANIZATION = "organization/v1/organization"
STORE = ORGANIZATION + "/brands/<uuid:brand_id>/stores/<uuid:store_id>"
AVAILABILITY = "manager/menu/v1/menus/entities/availability"
ORDER = "manager/order/v1/sources/<str:source>/orders/<uuid:order_id>"

urlpatterns = [
    path("v1/auth/oauth2/authorize", authorization.authorize),
    path("v1/auth/login", authorization.login),
    path("v1/auth/logout", authorization.logout),
    path("v1/auth/token", tokens.token),
    path(".well-known/oauth-authorization-server", authorization.metadata),
    path(ORGANIZATION, organization.organization),
    path(ORGANIZATION + "/brands", organization.brands),
    path(ORGANIZATION + "/brands/<uuid:brand_id>", organization.brand),
    path(ORGANIZATION + "/brands/<uuid:brand_id>/stores", organization.stores),
    path(STORE, organization.store),
    path(STORE + "/connection", organization.connection),
    path("inventories/v1/summaries", inventory.summaries),
    path(AVAILABILITY + "/suspend", availability.suspend),
    path(AVAILABILITY + "/unsuspend", availability.unsuspend),
    path(ORDER, orders.order),
    *(path(f"{ORDER}/{verb}", orders.step, {"verb": verb}) for verb in orders.STEPS),
    path("v1/ping", inventory.ping),
]
