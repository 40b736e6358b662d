"""Addresses of shops and connections in the API."""

from django.urls import path

from apps.accounts.api_urls import STORE
from apps.api.routes import operations

from . import api

urlpatterns = [
    path("v1/shops", operations(get=api.list_shops, post=api.open_shop), name="shops"),
    path("v1/shops/<uuid:shop_id>", operations(get=api.read_shop, delete=api.close_shop), name="shop"),
    path(
        f"{STORE}/connection",
        operations(get=api.read_connection, post=api.connect_store, delete=api.disconnect_store),
        name="connection",
    ),
]
