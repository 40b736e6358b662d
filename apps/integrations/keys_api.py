"""The keys of an integration over the API (Pipe17: contracts 2.3)."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from rest_framework import serializers
from rest_framework.response import Response

from apps.api.bodies import Strict, Text, checked
from apps.api.paging import LINKED_QUERY, linked_page
from apps.api.principals import Call
from apps.api.routes import operation

from . import keying
from .custom_api import check_holds, visible_integrations
from .definitions import Grants
from .models import LONGEST_OVERLAP, ApiKey, Integration
from .shapes import IssuedShape, KeyShape

TAG = "Keys"


class NewKey(Strict):
    """A key that names no grants may do whatever its integration may, now and later. A connector key names none."""

    name = Text(max_length=200)
    kind = serializers.ChoiceField(choices=["integration", "connector"], default="integration")
    grants = Grants(required=False)


class KeyRotation(Strict):
    """How long the old key still works: 0 (not at all) to 604800 seconds (7 days)."""

    overlapSeconds = serializers.IntegerField(min_value=0, max_value=int(LONGEST_OVERLAP.total_seconds()), default=0)


class KeyPage(serializers.Serializer):
    data = KeyShape(many=True)  # type: ignore[assignment]
    prev = serializers.URLField(allow_null=True)
    next = serializers.URLField(allow_null=True)
    per_page = serializers.IntegerField()


def _keys(request: Call, pk: UUID) -> Any:
    integration = get_object_or_404(visible_integrations(request), pk=pk)
    return ApiKey.objects.filter(organization=integration.organization_id).of_integration(integration).with_use()


def _key(request: Call, pk: UUID, key: UUID) -> ApiKey:
    return get_object_or_404(_keys(request, pk).select_related("integration", "connector"), pk=key)


def _needs(key: ApiKey) -> set[str]:
    """What somebody must have to be given this key anew."""
    return {"connectors:write"} if key.connector_id else set(key.may)


@operation("List keys", tag=TAG, answers={200: KeyPage}, query=LINKED_QUERY)
def list_keys(request: Call, pk: UUID) -> Response:
    """Those of an integration and, of a custom one, those of its definition, with how much each is used."""
    rows = _keys(request, pk).select_related("integration")
    return linked_page(request, rows, shape=lambda row: KeyShape(row).data)


@operation("Make a key", tag=TAG, body=NewKey, answers={201: IssuedShape}, writes=True)
def create_key(request: Call, pk: UUID) -> Response:
    """The key is shown this once. Its grants are among its integration's, and among those of the key that asks."""
    integration = get_object_or_404(visible_integrations(request), pk=pk)
    new = checked(NewKey, request.data)
    owner: Any = integration.partner if new["kind"] == "connector" else integration
    check_holds(request, _asked(new, integration))
    user = request.user
    made = keying.issue(owner, name=new["name"], grants=new.get("grants"), by=user.user, actor=user.actor)
    return Response(IssuedShape(made).data, status=201)


def _asked(new: dict[str, Any], integration: Integration) -> Any:
    return ["connectors:write"] if new["kind"] == "connector" else new.get("grants", integration.grants)


@operation("Read a key", tag=TAG, answers={200: KeyShape})
def read_key(request: Call, pk: UUID, key: UUID) -> Response:
    """How often it was used, and when last; after a rotation, how often since."""
    return Response(KeyShape(_key(request, pk, key)).data)


@operation("Terminate a key", tag=TAG, answers={204: None}, writes=True)
def terminate_key(request: Call, pk: UUID, key: UUID) -> Response:
    """It stops working at once."""
    keying.terminate(_key(request, pk, key), actor=request.user.actor)
    return Response(status=204)


@operation("Rotate a key", tag=TAG, body=KeyRotation, answers={201: IssuedShape}, writes=True)
def rotate_key(request: Call, pk: UUID, key: UUID) -> Response:
    """A new key that may do the same, shown this once. The old one works for the overlap, its calls being counted."""
    found = _key(request, pk, key)
    check_holds(request, _needs(found))
    return _rotated(request, found)


def _rotated(request: Call, key: ApiKey) -> Response:
    overlap = timedelta(seconds=checked(KeyRotation, request.data)["overlapSeconds"])
    made = keying.rotate(key, overlap=overlap, by=request.user.user, actor=request.user.actor)
    return Response(IssuedShape(made).data, status=201)


def _own(request: Call) -> ApiKey:
    return ApiKey.objects.with_use().select_related("integration").get(pk=request.user.usage_key.removeprefix("key:"))


@operation("Read the key that calls", tag=TAG, answers={200: KeyShape})
def read_own_key(request: Call) -> Response:
    """Whose it is and what it may do: from a key alone, this says which integration's or connector's it is."""
    return Response(KeyShape(_own(request)).data)


@operation("Rotate the key that calls", tag=TAG, body=KeyRotation, answers={201: IssuedShape}, writes=True)
def rotate_own_key(request: Call) -> Response:
    """So that connection code can replace its own key, on a schedule, without anybody's help."""
    return _rotated(request, _own(request))
