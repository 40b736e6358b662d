"""Addresses of the organization in the API."""

from django.urls import path

from apps.api.routes import operations

from . import api

ORGANIZATION = "organization/v1/organization"
BRAND = f"{ORGANIZATION}/brands/<uuid:brand_id>"
STORE = f"{BRAND}/stores/<uuid:store_id>"

urlpatterns = [
    path(ORGANIZATION, operations(get=api.read_organization), name="organization"),
    path(f"{ORGANIZATION}/brands", operations(get=api.list_brands), name="brands"),
    path(BRAND, operations(get=api.read_brand), name="brand"),
    path(f"{BRAND}/stores", operations(get=api.list_stores), name="stores"),
    path(STORE, operations(get=api.read_store), name="store"),
]
