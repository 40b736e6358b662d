"""The addresses of Pio: its public API, its authorization pages, and the port."""

from django.urls import path

from apps.sandbox.pio import (
    authorization,
    fulfillments,
    hooks,
    integrations,
    orders,
    port,
    products,
    shipping_rates,
    shops,
)
from apps.sandbox.pio.calling import call

urlpatterns = [
    path("raw/openapi_auth/authorize_form", authorization.authorize),
    path("raw/openapi_auth/login", authorization.login),
    path("raw/openapi_auth/logout", authorization.logout),
    path("port/", port.search),
    path("port/products/<int:product_id>/", port.product),
    path("port/orders/", port.pick_list),
    path("port/orders/<int:fulfillment_id>/", port.fulfillment),
    path("api/v1/oauth/access_token", authorization.token),
    path("api/v1/integrations", integrations.register),
    path("api/v1/integrations/self", integrations.own),
    path("api/v1/shops", call(POST=shops.create, needs_shop=False)),
    path("api/v1/shops/self", call(GET=shops.own, DELETE=shops.deactivate)),
    path("api/v1/products", call(GET=products.page, POST=products.add)),
    path(
        "api/v1/products/<int:product_id>",
        call(GET=products.read, PUT=products.change, DELETE=products.remove),
    ),
    path("api/v1/inventory", call(GET=products.inventory)),
    path("api/v1/orders", call(GET=orders.page, POST=orders.add)),
    path("api/v1/orders/<int:order_id>", call(GET=orders.read, PUT=orders.change, DELETE=orders.remove)),
    path("api/v1/fulfillments", call(GET=fulfillments.page)),
    path("api/v1/shipping_rates", call(GET=shipping_rates.page)),
    path("api/v1/hooks", call(GET=hooks.page, POST=hooks.add)),
    path("api/v1/hooks/<int:hook_id>", call(GET=hooks.read, PUT=hooks.change, DELETE=hooks.remove)),
]
