"""Addresses of integrations in the API."""

from django.urls import path

from apps.api.routes import operations

from . import api

urlpatterns = [
    path("v1/integrations", operations(post=api.register), name="registration"),
    path(
        "v1/integrations/self",
        operations(get=api.read_registration, delete=api.end_registration),
        name="registration-self",
    ),
]
