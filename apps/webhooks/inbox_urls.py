"""Addresses of inboxes in the API."""

from django.urls import path

from apps.api.routes import operations

from . import inbox_api

urlpatterns = [
    path(
        "v1/integrations/<uuid:pk>/inbox",
        operations(get=inbox_api.read_inbox, put=inbox_api.set_up_inbox),
        name="inbox",
    ),
    path(
        "v1/integrations/<uuid:pk>/inbox/rotate-secret",
        operations(post=inbox_api.rotate_inbox_secret),
        name="inbox-rotate-secret",
    ),
]
