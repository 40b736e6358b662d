"""The caller's organization, its brands and their stores (Otter: contracts 3.2)."""

from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from rest_framework import serializers
from rest_framework.response import Response

from apps.api.paging import OFFSET_QUERY, offset_page
from apps.api.principals import Call
from apps.api.routes import operation

from .models import Brand, Store

TAG = "Organization"


class Named(serializers.Serializer):
    id = serializers.UUIDField()
    name = serializers.CharField()


class Address(serializers.Serializer):
    """All that is known stands in one line."""

    fullAddress = serializers.CharField()


class StoreBody(Named):
    address = Address(allow_null=True)

    def to_representation(self, instance: Store) -> dict[str, Any]:
        address = {"fullAddress": instance.address} if instance.address else None
        return Named(instance).data | {"address": address}


class BrandPage(serializers.Serializer):
    """`offsetToken` is there only while more follows."""

    items = Named(many=True)
    offsetToken = serializers.CharField(required=False)


class StorePage(BrandPage):
    items = StoreBody(many=True)


def brand_of(request: Call, brand_id: UUID) -> Brand:
    """Raises Http404 for one its caller may not know of."""
    return get_object_or_404(Brand.objects.for_principal(request), pk=brand_id)


def store_of(request: Call, brand_id: UUID, store_id: UUID) -> Store:
    """With its brand. Raises Http404 for one its caller may not know of, or in another brand."""
    stores = Store.objects.for_principal(request).select_related("brand")
    return get_object_or_404(stores, brand=brand_id, pk=store_id)


@operation("Read the organization", tag=TAG, answers={200: Named})
def read_organization(request: Call) -> Response:
    """The one organization the caller works for."""
    return Response(Named(request.user.organization).data)


@operation("List its brands", tag=TAG, answers={200: BrandPage}, query=OFFSET_QUERY)
def list_brands(request: Call) -> Response:
    """When the consent covers some stores only: the brands that have one of them."""
    return offset_page(request, Brand.objects.for_principal(request), shape=lambda brand: Named(brand).data)


@operation("Read a brand", tag=TAG, answers={200: Named})
def read_brand(request: Call, brand_id: UUID) -> Response:
    return Response(Named(brand_of(request, brand_id)).data)


@operation("List the stores of a brand", tag=TAG, answers={200: StorePage}, query=OFFSET_QUERY)
def list_stores(request: Call, brand_id: UUID) -> Response:
    """When the consent covers some stores only: those."""
    stores = Store.objects.for_principal(request).filter(brand=brand_of(request, brand_id))
    return offset_page(request, stores, shape=lambda store: StoreBody(store).data)


@operation("Read a store", tag=TAG, answers={200: StoreBody})
def read_store(request: Call, brand_id: UUID, store_id: UUID) -> Response:
    return Response(StoreBody(store_of(request, brand_id, store_id)).data)
