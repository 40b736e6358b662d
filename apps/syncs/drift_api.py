"""Where stock at an integration's other side is another number than here; comparing again is an action of it."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.response import Response

from apps.api.bodies import Strict, checked
from apps.api.paging import LINKED_QUERY, linked_page
from apps.api.principals import Call
from apps.api.routes import operation
from apps.integrations.models import Integration
from apps.integrations.org_api import Moment, integration_of

from .comparing import repair
from .models import Drift, DriftQuerySet

TAG = "Syncs"
MOST = 500  # products put right in one call
LARGEST = 2**63 - 1
CONFIRMED = OpenApiParameter("confirmed", bool, description="Only those that two comparisons in a row found alike.")


class DriftQuery(serializers.Serializer):
    confirmed = serializers.ChoiceField(choices=["true", "false"], required=False)


class DriftBody(serializers.Serializer):
    """`ours` is what a platform was told last, or what our books say of a warehouse; all in pieces."""

    product_id = serializers.IntegerField()
    sku = serializers.CharField(source="product.sku")
    shop_id = serializers.UUIDField()
    ours = serializers.IntegerField()
    theirs = serializers.IntegerField()
    difference = serializers.IntegerField()
    times = serializers.IntegerField()
    found_at = Moment()
    seen_at = Moment()


class DriftPage(serializers.Serializer):
    data = DriftBody(many=True)  # type: ignore[assignment]
    prev = serializers.URLField(allow_null=True)
    next = serializers.URLField(allow_null=True)
    per_page = serializers.IntegerField()


class Chosen(Strict):
    """Which products. Up to 500 at once."""

    product_ids = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=LARGEST), min_length=1, max_length=MOST
    )


class Repaired(serializers.Serializer):
    repaired = serializers.IntegerField()


def _of(integration: Integration) -> DriftQuerySet:
    shops = integration.shops.values("pk")
    return Drift.objects.filter(organization=integration.organization_id, shop__in=shops)


def _shape(drift: Drift) -> dict[str, Any]:
    return DriftBody(drift).data


@operation("List differences of stock", tag=TAG, answers={200: DriftPage}, query=[CONFIRMED, *LINKED_QUERY])
def list_drifts(request: Call, organization_id: UUID, integration_id: UUID) -> Response:
    """As the newest comparison found them, newest first. The action `compare-stock` asks for another one."""
    found = _of(integration_of(request, organization_id, integration_id)).select_related("product")
    if checked(DriftQuery, request.query_params.dict()).get("confirmed") == "true":
        found = found.confirmed()
    return linked_page(request, found, shape=_shape)


@operation("Put differences right", tag=TAG, body=Chosen, answers={200: Repaired}, writes=True)
def put_right(request: Call, organization_id: UUID, integration_id: UUID) -> Response:
    """A platform is told our number again; a warehouse is believed. Products that do not differ are left alone.

    Takes a person's key: no application decides which side is right.
    """
    integration = integration_of(request, organization_id, integration_id)
    chosen = checked(Chosen, request.data)["product_ids"]
    done = repair(_of(integration).filter(product__in=chosen), actor=request.user.actor)
    return Response({"repaired": done})
