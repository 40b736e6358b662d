"""What the API says of itself."""

from django.urls import path

from .routes import operations
from .views import ping

urlpatterns = [
    path("v1/ping", operations(get=ping), name="ping"),
]
