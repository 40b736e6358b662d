"""Shipping methods and services in the API (Pipe17: contracts 2.11; pack.cloud: 4.3; behaviour 80)."""

from typing import Any
from uuid import UUID

from rest_framework import serializers
from rest_framework.response import Response

from apps.api.bodies import Strict, Text, checked
from apps.api.paging import LINKED_QUERY, linked_page
from apps.api.principals import Call
from apps.api.routes import operation
from apps.integrations.connectors.base import LONGEST_ID
from apps.integrations.models import Integration
from apps.integrations.org_api import Moment, integration_of

from . import shipping

TAG = "Shipping methods"


class Pair(serializers.ListField):
    """`["Express", "DHL-EXPRESS"]`"""

    def __init__(self, **options: Any) -> None:
        text = Text(max_length=LONGEST_ID, trim_whitespace=False)
        super().__init__(child=text, min_length=2, max_length=2, **options)


class UnmappedBody(serializers.Serializer):
    """A name whose meaning nobody has said: orders that wait for it, and orders that go `by_fallback` now."""

    name = serializers.CharField()
    waiting = serializers.IntegerField()
    by_fallback = serializers.IntegerField()


class MethodsBody(serializers.Serializer):
    """`pairs` of a shop's shipping method and the code of a service; `fallback` is that of every other method."""

    pairs = serializers.ListField(
        child=serializers.ListField(child=serializers.CharField(), min_length=2, max_length=2)
    )
    fallback = serializers.CharField(allow_null=True)
    unmapped = UnmappedBody(many=True)


class NewMethods(Strict):
    """The whole mapping. Without a `fallback`, an order whose method has no pair waits."""

    pairs = serializers.ListField(child=Pair(), max_length=shipping.MOST)
    fallback = Text(max_length=LONGEST_ID, trim_whitespace=False, allow_null=True, required=False)


class ServiceBody(serializers.Serializer):
    """`removed_at` is when the other side no longer listed it."""

    code = serializers.CharField()
    name = serializers.CharField()
    seen_at = Moment()
    removed_at = Moment(allow_null=True)


class ServicePage(serializers.Serializer):
    data = ServiceBody(many=True)  # type: ignore[assignment]
    prev = serializers.URLField(allow_null=True)
    next = serializers.URLField(allow_null=True)
    per_page = serializers.IntegerField()


@operation("Read the shipping methods", tag=TAG, answers={200: MethodsBody})
def read_methods(request: Call, organization_id: UUID, integration_id: UUID) -> Response:
    """What each shop's shipping method means at this warehouse, and which names nobody has said the meaning of."""
    return _methods(integration_of(request, organization_id, integration_id))


@operation("Save the shipping methods", tag=TAG, body=NewMethods, answers={200: MethodsBody}, writes=True)
def write_methods(request: Call, organization_id: UUID, integration_id: UUID) -> Response:
    """The whole mapping at once; orders that waited for a name go on. When anything is wrong, nothing is saved.

    Names must match exactly. Where the warehouse lists its services, each code is one of them.
    """
    integration = integration_of(request, organization_id, integration_id)
    body = checked(NewMethods, request.data)
    pairs = [(name, code) for name, code in body["pairs"]]
    wanted = shipping.written(pairs, fallback=body.get("fallback") or "")
    shipping.save(integration, wanted, actor=request.user.actor)
    return _methods(integration)


def _methods(integration: Integration) -> Response:
    methods = shipping.methods_of(integration)
    shown = {
        "pairs": [list(pair) for pair in methods.pairs.items()],
        "fallback": methods.fallback or None,
        "unmapped": shipping.unmapped(integration),
    }
    return Response(MethodsBody(shown).data)


@operation("List shipping services", tag=TAG, answers={200: ServicePage}, query=LINKED_QUERY)
def list_services(request: Call, organization_id: UUID, integration_id: UUID) -> Response:
    """Ways to ship that the other side told of when it was asked, by name; also what it no longer offers."""
    services = shipping.services_of(integration_of(request, organization_id, integration_id))
    return linked_page(request, services.order_by("name", "id"), shape=lambda service: ServiceBody(service).data)
