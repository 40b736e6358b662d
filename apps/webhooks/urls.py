"""Where webhooks come in."""

from django.urls import path

from .views import receive

urlpatterns = [path("receive/<str:token>", receive, name="receive")]
