"""Registering an application over the API, and what it may know and do about itself (Pio: contracts 1.2)."""

from typing import Any

from django.conf import settings
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api import limits
from apps.api.bodies import Strict, Text, checked
from apps.api.errors import Problem
from apps.api.principals import Call, address_of
from apps.api.routes import operation
from apps.audit.trail import Actor

from . import registering
from .configuration import one_line
from .connectors.base import Category
from .models import PartnerConnector

TAG = "Registration"


class Registration(Strict):
    """`category` decides which grants are asked for when an authorization request names none."""

    name = Text(max_length=200, validators=[one_line])
    email = serializers.EmailField(max_length=254)
    callback_url = Text(trim_whitespace=False, validators=[registering.check_callback_url])
    category = serializers.ChoiceField(choices=Category.choices, default=Category.SHOP)


class Registered(serializers.Serializer):
    id = serializers.UUIDField()
    name = serializers.CharField()
    email = serializers.EmailField()
    callback_url = serializers.CharField(source="application.redirect_uris")
    client_id = serializers.CharField(source="application.client_id")
    created_at = serializers.DateTimeField()


class NewlyRegistered(Registered):
    """`client_secret` is shown this once."""

    client_secret = serializers.CharField()

    def to_representation(self, instance: tuple[PartnerConnector, str]) -> dict[str, Any]:
        connector, secret = instance
        return dict(Registered(connector).data) | {"client_secret": secret}


@operation(
    "Register an application",
    tag=TAG,
    body=Registration,
    answers={201: NewlyRegistered},
    errors=["registration_closed"],
    writes=True,
)
def register(request: Request) -> Response:
    """The client id and secret of a new application. It reaches nothing until an organization's admin consents."""
    address = address_of(request)
    if not settings.OPEN_REGISTRATION:
        raise Problem("registration_closed")
    limits.spend(f"registration:{address}", rate=limits.REGISTRATIONS)
    found = checked(Registration, request.data)
    actor = Actor(text=f"{found['name']} <{found['email']}>", address=address)
    made = registering.register(found.pop("name"), actor=actor, **found)
    return Response(NewlyRegistered(made).data, status=201)


@operation("Read one's own registration", tag=TAG, answers={200: Registered})
def read_registration(request: Call) -> Response:
    """With the application's own client credentials. Never holds the secret."""
    return Response(Registered(request.user.connector).data)


@operation("End one's own registration", tag=TAG, answers={204: None}, writes=True)
def end_registration(request: Call) -> Response:
    """Deactivates the application in every organization, and every token and key that was issued to it."""
    registering.deactivate(request.user.connector, actor=request.user.actor)
    return Response(status=204)
