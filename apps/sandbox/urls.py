"""All addresses of the sandbox: its pages, the control endpoint, and the vendors' APIs."""

from django.conf import settings
from django.urls import include, path
from django.views.static import serve

from apps.sandbox import control, pages
from apps.sandbox.otter import control as otter
from apps.sandbox.otter import order_control
from apps.sandbox.pictures import picture

STORE = "_control/stores/<uuid:store_id>"

urlpatterns = [
    path("", pages.home),
    path("faults/", pages.order_fault),
    path("faults/lift/", pages.lift_faults),
    path("switches/", pages.switches),
    path("stores/<uuid:store_id>/", pages.store),
    path("stores/<uuid:store_id>/orders/", order_control.place),
    path("orders/<uuid:order_id>/cancel/", order_control.cancel),
    path("products/<uuid:product_id>/", pages.product),
    path("pictures/<slug:goods>/<uuid:product_id>.svg", picture),
    path("static/sandbox/<path:path>", serve, {"document_root": settings.BASE_DIR / "static" / "sandbox"}),
    path("_control/state", control.state),
    path("_control/requests", control.requests),
    path("_control/reset", control.reset),
    path("_control/faults", control.faults),
    path("_control/switches", control.switches),
    path("_control/applications", otter.applications),
    path("_control/stores", otter.stores),
    path(STORE + "/catalogue", otter.regenerate),
    path(STORE + "/products", otter.products),
    path(STORE + "/products/<uuid:product_id>", otter.product),
    path(STORE + "/orders", order_control.orders),
    path("_control/orders/<uuid:order_id>", order_control.order),
    path("_control/deliveries", order_control.deliveries),
    path("_control/deliveries/retry", order_control.retry),
    path("_control/ping", order_control.ping),
    path("_control/pio/", include("apps.sandbox.pio.control_urls")),
    path("", include("apps.sandbox.otter.urls")),
    path("", include("apps.sandbox.pio.urls")),
]
handler400 = "apps.sandbox.errors.bad_request"
handler404 = "apps.sandbox.errors.not_found"
handler500 = "apps.sandbox.errors.server_error"
