"""The owner's pages about the applications they let in, and about keys."""

from django.urls import path

from . import views
from .oauth.views import connected

urlpatterns = [
    path("apps/", connected.apps, name="apps"),
    path("apps/<uuid:pk>/disconnect/", connected.disconnect, name="disconnect-app"),
    path("keys/", views.keys, name="keys"),
    path("keys/new/", views.make_key, name="make-key"),
    path("keys/<uuid:pk>/end/", views.end_key, name="end-key"),
]
