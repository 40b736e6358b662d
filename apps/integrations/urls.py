"""The owner's pages about the applications they let in."""

from django.urls import path

from .oauth.views import connected

urlpatterns = [
    path("apps/", connected.apps, name="apps"),
    path("apps/<uuid:pk>/disconnect/", connected.disconnect, name="disconnect-app"),
]
