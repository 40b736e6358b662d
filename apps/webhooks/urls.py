"""Where webhooks come in."""

from django.urls import path

from .views import receive, receive_from

urlpatterns = [
    path("receive/<str:token>", receive, name="receive"),
    path("receive/from/<slug:connector>", receive_from, name="receive_from"),
]
