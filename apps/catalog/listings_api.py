"""How each platform names a product (pack.cloud calls it an integration product: contracts 4.2, behaviour 68)."""

from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema_field
from rest_framework import serializers
from rest_framework.response import Response

from apps.api.bodies import Flag, Strict, Text, checked
from apps.api.errors import Problem, invalid
from apps.api.paging import LINKED_QUERY, linked_page
from apps.api.principals import Call
from apps.api.routes import operation
from apps.integrations.connectors.base import LONGEST_ID
from apps.integrations.org_api import Moment

from . import arranging
from .models import Listing, Product
from .models.products import ListingQuerySet
from .product_bodies import LARGEST_ID, Measure, PriceShown

TAG = "Integration products"
FILTERS = [
    OpenApiParameter("filter[integration_id]", OpenApiTypes.UUID, description="Those of one integration."),
    OpenApiParameter("filter[status]", {"type": "string", "enum": Listing.Status.values}),
]


class Dimensions(serializers.Serializer):
    """In millimetres."""

    length = Measure(allow_null=True)
    width = Measure(allow_null=True)
    height = Measure(allow_null=True)


class IntegrationProductBody(serializers.Serializer):
    """`integration_reference` is its id at the other side, `product/variant` where there are variants.

    Nobody tells us what it cost. `weight` is in grams.
    """

    id = serializers.IntegerField()
    integration_id = serializers.UUIDField(source="shop.integration_id")
    integration_reference = serializers.SerializerMethodField()
    integration_updated_at = Moment(source="updated_at")
    name = serializers.CharField()
    brand_name = serializers.CharField(source="brand")
    code = serializers.CharField(source="sku")
    cost_price = serializers.SerializerMethodField()
    regular_price = PriceShown()
    dimensions = Dimensions(source="*")
    weight = Measure(allow_null=True)
    hs_code = serializers.CharField()
    country_code_of_origin = serializers.CharField(source="country_of_origin")
    status = serializers.ChoiceField(choices=Listing.Status.values)
    order_sync_enabled = serializers.BooleanField()
    stock_sync_enabled = serializers.BooleanField()
    created_at = Moment()
    updated_at = Moment()

    def get_integration_reference(self, listing: Listing) -> str:
        return "/".join(filter(None, (listing.ext_product_id, listing.ext_variant_id)))

    @extend_schema_field({"type": "null"})
    def get_cost_price(self, listing: Listing) -> None:
        return None


class IntegrationProductPage(serializers.Serializer):
    data = IntegrationProductBody(many=True)  # type: ignore[assignment]
    prev = serializers.URLField(allow_null=True)
    next = serializers.URLField(allow_null=True)
    per_page = serializers.IntegerField()


class ChangedIntegrationProduct(Strict):
    """What is left out stays. To link, name the product by its id here or by its SKU."""

    order_sync_enabled = Flag(required=False)
    stock_sync_enabled = Flag(required=False)
    status = serializers.ChoiceField(choices=Listing.Status.values, required=False)
    product_id = serializers.IntegerField(min_value=1, max_value=LARGEST_ID, required=False)
    sku = Text(max_length=LONGEST_ID, trim_whitespace=False, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        named = {"product_id", "sku"} & set(attrs)
        if len(named) > 1:
            raise serializers.ValidationError({"sku": ["Name the product once: by its id or by its SKU."]})
        if named and attrs.get("status") == Listing.Status.UNLINKED:
            raise serializers.ValidationError({"status": ["What is unlinked has no product."]})
        return attrs


class Asked(serializers.Serializer):
    integration_id = serializers.UUIDField(required=False)
    status = serializers.ChoiceField(choices=Listing.Status.values, required=False)


def _listings(request: Call, organization_id: UUID) -> ListingQuerySet:
    """Those the caller may know of. Raises Problem not_found for another organization's."""
    if organization_id != request.user.organization.pk:
        raise Problem("not_found")
    return (
        Listing.objects.for_principal(request)
        .current()
        .select_related("shop__integration__partner", "product", "organization")
    )


def _listing(request: Call, organization_id: UUID, integration_product_id: int) -> Listing:
    return get_object_or_404(_listings(request, organization_id), pk=integration_product_id)


def _shape(listing: Listing) -> dict[str, Any]:
    return IntegrationProductBody(listing).data


@operation(
    "List integration products",
    tag=TAG,
    answers={200: IntegrationProductPage},
    query=[*LINKED_QUERY, *FILTERS],
)
def list_integration_products(request: Call, organization_id: UUID) -> Response:
    """What the platforms list now, by shop and SKU."""
    query = request.query_params
    asked = checked(Asked, {name: query[f"filter[{name}]"] for name in Asked().fields if f"filter[{name}]" in query})
    rows = _listings(request, organization_id)
    if "integration_id" in asked:
        rows = rows.filter(shop__integration=asked["integration_id"])
    if "status" in asked:
        rows = rows.filter(status=asked["status"])
    return linked_page(request, rows.order_by("shop_id", "sku", "id"), shape=_shape)


@operation("Read an integration product", tag=TAG, answers={200: IntegrationProductBody})
def read_integration_product(request: Call, organization_id: UUID, integration_product_id: int) -> Response:
    return Response(_shape(_listing(request, organization_id, integration_product_id)))


@operation(
    "Update an integration product",
    tag=TAG,
    body=ChangedIntegrationProduct,
    answers={200: IntegrationProductBody},
    errors=["product_not_found"],
    writes=True,
)
def update_integration_product(request: Call, organization_id: UUID, integration_product_id: int) -> Response:
    """Whether it is in orders that are read, whether its platform is told our stock, and which product it is.

    One that is unlinked, or whose `stock_sync_enabled` is off, is left out of stock syncs.
    """
    listing = _listing(request, organization_id, integration_product_id)
    changes = checked(ChangedIntegrationProduct, request.data)
    if changes.get("status") == Listing.Status.UNLINKED:
        arranging.unlink(listing, actor=request.user.actor)
    elif product := _meant(request, listing, changes):
        arranging.link(listing, product, actor=request.user.actor)
    arranging.set_flags(listing, changes, actor=request.user.actor)
    return Response(_shape(_listing(request, organization_id, integration_product_id)))


def _meant(request: Call, listing: Listing, changes: dict[str, Any]) -> Product | None:
    """The product to be linked. Raises Problem: product_not_found, validation_error when none is named."""
    named = {"pk": changes["product_id"]} if "product_id" in changes else {"sku": changes.get("sku")}
    if named == {"sku": None}:
        if changes.get("status") == Listing.Status.LINKED != listing.status:
            raise invalid("status", "Name the product, too: by product_id or by sku.")
        return None
    product = Product.objects.for_principal(request).filter(**named).first()
    if product is None:
        raise Problem("product_not_found")
    return product
