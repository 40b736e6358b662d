"""What the API says of itself."""

from django.urls import path

from .routes import operations
from .views import docs, errors, openapi, ping

urlpatterns = [
    path("v1/ping", operations(get=ping), name="ping"),
    path("openapi.json", openapi, name="openapi"),
    path("docs", docs, name="docs"),
    path("errors", errors, name="errors"),
]
