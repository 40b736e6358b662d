"""An organization's orders, for its people and for those who pick by hand."""

from django.urls import path

from . import port_views, shipping_views, views

owners = [
    path("orders/", views.orders, name="orders"),
    path("orders/<uuid:pk>/", views.order, name="order"),
    path("orders/<uuid:pk>/address/", views.change_address, name="order-address"),
    path("orders/<uuid:pk>/notes/", views.change_notes, name="order-notes"),
    path("orders/<uuid:pk>/cancel/", views.cancel, name="order-cancel"),
    path("orders/<uuid:pk>/release/", views.release, name="order-release"),
    path("orders/<uuid:pk>/route/", views.route_again, name="order-route"),
    path("shipping-methods/", shipping_views.shipping_overview, name="shipping"),
    path("shipping-methods/<uuid:pk>/", shipping_views.shipping_methods, name="shipping-methods"),
]
port = [
    path("port/picks/", port_views.picks, name="port-picks"),
    path("port/picks/<uuid:pk>/", port_views.pick, name="port-pick"),
    path("port/<uuid:organization>/picks/", port_views.picks, name="port-picks-of"),
]
urlpatterns = [*owners, *port]
