"""Locations over the API (Pipe17: contracts 2.7): what a warehouse's integration makes before it reports any stock."""

from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.response import Response

from apps.api.bodies import Flag, Strict, Text, checked
from apps.api.errors import Problem, invalid
from apps.api.paging import LINKED_QUERY, linked_page
from apps.api.principals import Call
from apps.api.routes import operation
from apps.integrations.connectors.base import LONGEST_ID

from . import locating
from .models import Location
from .product_bodies import visible

TAG = "Locations"
BY_THEIR_ID = OpenApiParameter(
    "ext_location_id", {"type": "string", "minLength": 1, "maxLength": LONGEST_ID}, description="Exactly this one."
)


class NewLocation(Strict):
    """`ext_location_id` is your own id of the place. Stock in one that is not active or `excluded_from_totals` is
    shown and not sold; a paused one gets no new orders.
    """

    ext_location_id = Text(max_length=LONGEST_ID, trim_whitespace=False)
    name = Text(max_length=200, validators=[visible])
    kind = serializers.ChoiceField(choices=Location.Kind.values, default=Location.Kind.EXTERNAL)
    address = Text(max_length=1000, allow_blank=True, required=False)
    is_active = Flag(required=False)
    is_paused = Flag(required=False)
    excluded_from_totals = Flag(required=False)


class ChangedLocation(Strict):
    """What is left out stays. Whose it is, and your id of it, cannot be changed."""

    name = Text(max_length=200, validators=[visible], required=False)
    kind = serializers.ChoiceField(choices=Location.Kind.values, required=False)
    address = Text(max_length=1000, allow_blank=True, required=False)
    is_active = Flag(required=False)
    is_paused = Flag(required=False)
    excluded_from_totals = Flag(required=False)


class LocationBody(serializers.Serializer):
    """`fulfillment_integration_id` fulfils from it, and alone may report its stock; null where people store and pick.

    `is_shared`: the 3PL's own, with goods of all its customers.
    """

    id = serializers.UUIDField()
    ext_location_id = serializers.CharField()
    name = serializers.CharField()
    kind = serializers.ChoiceField(choices=Location.Kind.values)
    address = serializers.CharField()
    is_active = serializers.BooleanField()
    is_paused = serializers.BooleanField()
    excluded_from_totals = serializers.BooleanField()
    fulfillment_integration_id = serializers.UUIDField(source="integration_id", allow_null=True)
    is_shared = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()

    def get_is_shared(self, location: Location) -> bool:
        return location.organization_id is None


class LocationPage(serializers.Serializer):
    data = LocationBody(many=True)  # type: ignore[assignment]
    prev = serializers.URLField(allow_null=True)
    next = serializers.URLField(allow_null=True)
    per_page = serializers.IntegerField()


class LocationQuery(serializers.Serializer):
    ext_location_id = Text(max_length=LONGEST_ID, trim_whitespace=False, required=False)


def _shape(location: Location) -> dict[str, Any]:
    return LocationBody(location).data


def _location(request: Call, location_id: UUID) -> Location:
    return get_object_or_404(Location.objects.for_principal(request), pk=location_id)


@operation(
    "List locations",
    tag=TAG,
    answers={200: LocationPage},
    query=[*LINKED_QUERY, BY_THEIR_ID],
)
def list_locations(request: Call) -> Response:
    """Your own; with a key that sees its organization, all of it, and the places that are the 3PL's own."""
    asked = checked(LocationQuery, request.query_params.dict())
    return linked_page(request, Location.objects.for_principal(request).filter(**asked), shape=_shape)


@operation(
    "Create a location",
    tag=TAG,
    body=NewLocation,
    answers={201: LocationBody},
    errors=["location_already_exists"],
    writes=True,
)
def create_location(request: Call) -> Response:
    """Your integration is the one that fulfils from it. List first: a second one under the same id is refused with 409,
    whose `Location` leads to the first.
    """
    integration = request.user.integration
    made = Location(organization=integration.organization, integration=integration)
    for name, value in checked(NewLocation, request.data).items():
        setattr(made, name, value)
    try:
        with transaction.atomic():
            locating.make(made, actor=request.user.actor)
    except IntegrityError as error:
        raise _taken(request, made) from error
    return Response(_shape(made), status=201, headers={"Location": _address(request, made)})


def _address(request: Call, location: Location) -> str:
    return request.build_absolute_uri(f"{request.path}/{location.pk}")


def _taken(request: Call, wanted: Location) -> Problem:
    """Why it cannot be: an integration makes a location once (behaviour 69), and names tell them apart."""
    of_integration = Location.objects.filter(organization=wanted.organization_id, integration=wanted.integration_id)
    first = of_integration.filter(ext_location_id=wanted.ext_location_id).first()
    if first is None:
        return invalid("name", "Another location has this name.")
    found = f"You made it before: its id is {first.pk}."
    return Problem("location_already_exists", found, headers={"Location": _address(request, first)})


@operation("Read a location", tag=TAG, answers={200: LocationBody})
def read_location(request: Call, location_id: UUID) -> Response:
    return Response(_shape(_location(request, location_id)))


@operation("Update a location", tag=TAG, body=ChangedLocation, answers={200: LocationBody}, writes=True)
def update_location(request: Call, location_id: UUID) -> Response:
    """Its settings. Platforms are told at once what may be sold now."""
    location = _location(request, location_id)
    if location.organization_id is None:
        raise Problem("forbidden", "This place is the 3PL's own: only its own people change it.")
    changes = checked(ChangedLocation, request.data)
    try:
        with transaction.atomic():
            locating.change(location, changes, actor=request.user.actor)
    except IntegrityError as error:
        raise invalid("name", "Another location has this name.") from error
    location.refresh_from_db()
    return Response(_shape(location))
