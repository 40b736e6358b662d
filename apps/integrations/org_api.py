"""The integrations of an organization, and their settings (pack.cloud: contracts 4.1)."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from rest_framework import serializers
from rest_framework.response import Response

from apps.api.bodies import Flag, Strict, Text, checked
from apps.api.errors import Problem
from apps.api.paging import LINKED_QUERY, linked_page
from apps.api.principals import Call
from apps.api.routes import operation
from apps.moments import in_utc

from . import configuring
from .adding import add
from .changing import LONGEST_HOLD, change
from .configuration import one_line
from .connectors import UnknownConnector
from .connectors.base import Category
from .fields import TYPES
from .models import Integration, IntegrationQuerySet, Revision
from .revising import revisions_of
from .showing import shown

TAG = "Integrations"
SHOWN_AS = {Category.LOGISTICS: "shipping", Category.ERP: "shop"}  # pack.cloud knows three categories (behaviour 33)
READ_ONLY = ("id", "category", "order_sync_updated_at", "product_sync_updated_at", "created_at", "updated_at")

NOT_AS_READ = "It cannot be changed, and is not what it was."


class Moment(serializers.DateTimeField):
    """ISO 8601, in UTC whatever the portal's own time zone is."""

    def __init__(self, **options: Any) -> None:
        super().__init__(default_timezone=UTC, **options)


class ToldMoment(Moment):
    """When something was so, as whoever calls has it: a moment that can be kept."""

    def to_internal_value(self, data: Any) -> datetime:
        try:
            return in_utc(super().to_internal_value(data))
        except ValueError:
            self.fail("overflow")


class Seconds(serializers.IntegerField):
    """A number, and not a text that looks like one."""

    def to_internal_value(self, data: Any) -> int:
        if type(data) is not int:
            self.fail("invalid")
        return int(super().to_internal_value(data))


class CategoryShown(serializers.ChoiceField):
    """Of an integration. One whose connector the operator has removed is shown as a shop."""

    def __init__(self, **options: Any) -> None:
        super().__init__(choices=["payment", "shop", "shipping"], **options)

    def to_representation(self, value: Integration) -> str:  # type: ignore[override]
        try:
            category = value.kind.category
        except UnknownConnector:
            category = Category.SHOP
        return SHOWN_AS.get(category, category.value)


class IntegrationBody(serializers.Serializer):
    """The `…_sync_updated_at` are the last known changes at the other side, null before the first sync.

    A platform that does not date its products: when the last sync that found a change began to read.
    `order_hold_seconds` is how long its new orders can still be changed, before they go to a warehouse.
    """

    id = serializers.UUIDField()
    category = CategoryShown(source="*")
    name = serializers.CharField()
    order_sync_enabled = serializers.BooleanField()
    order_sync_updated_at = Moment(allow_null=True)
    product_sync_enabled = serializers.BooleanField()
    product_sync_updated_at = Moment(allow_null=True)
    stock_sync_enabled = serializers.BooleanField()
    order_hold_seconds = serializers.IntegerField()
    created_at = Moment()
    updated_at = Moment()


class IntegrationPage(serializers.Serializer):
    data = IntegrationBody(many=True)  # type: ignore[assignment]
    prev = serializers.URLField(allow_null=True)
    next = serializers.URLField(allow_null=True)
    per_page = serializers.IntegerField()


class NewIntegration(Strict):
    """`connector_id`: a platform that is offered here, by its short name; or the organization's own connector."""

    name = Text(max_length=200, validators=[one_line])
    connector_id = Text(max_length=50)
    settings = serializers.DictField(required=False)


class ChangedIntegration(Strict):
    """What is left out stays. The whole of what was read may come back: then the rest must be as it was read."""

    name = Text(max_length=200, validators=[one_line], required=False)
    order_sync_enabled = Flag(required=False)
    product_sync_enabled = Flag(required=False)
    stock_sync_enabled = Flag(required=False)
    order_hold_seconds = Seconds(min_value=0, max_value=LONGEST_HOLD, required=False)
    settings = serializers.DictField(required=False)
    id = serializers.UUIDField(required=False)
    category = serializers.CharField(required=False)
    order_sync_updated_at = Moment(required=False, allow_null=True)
    product_sync_updated_at = Moment(required=False, allow_null=True)
    created_at = Moment(required=False)
    updated_at = Moment(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        shown = IntegrationBody(self.context["integration"]).data
        came = {name: self._shown(name, attrs.pop(name)) for name in READ_ONLY if name in attrs}
        if wrong := {name: [NOT_AS_READ] for name, value in came.items() if value != shown[name]}:
            raise serializers.ValidationError(wrong)
        return attrs

    def _shown(self, name: str, value: Any) -> Any:
        return None if value is None else self.fields[name].to_representation(value)


class Option(serializers.Serializer):
    title = serializers.CharField()
    value = serializers.CharField()


class FieldBody(serializers.Serializer):
    """One thing that can be set. `data_type` is free, for whoever reads the value."""

    key = serializers.CharField()
    title = serializers.CharField()
    data_type = serializers.CharField(allow_null=True)
    type = serializers.ChoiceField(choices=TYPES)
    default = serializers.JSONField(allow_null=True)
    required = serializers.BooleanField()  # type: ignore[assignment]
    options = Option(many=True)


class SettingBody(FieldBody):
    """`value` is the default while nothing `is_set`; a secret's value is always null."""

    value = serializers.JSONField(allow_null=True)
    is_set = serializers.BooleanField()


class Settings(serializers.Serializer):
    data = SettingBody(many=True)  # type: ignore[assignment]


class Difference(serializers.Serializer):
    """One thing that is not what it was. Of a secret it says `set`, `not set` or `changed`."""

    attribute = serializers.CharField()
    before = serializers.JSONField(allow_null=True)
    after = serializers.JSONField(allow_null=True)


class RevisionBody(serializers.Serializer):
    """One change of an integration's configuration, and how it came about."""

    number = serializers.IntegerField()
    origin = serializers.ChoiceField(choices=Revision.Origin.values)
    changes = Difference(many=True)
    created_at = Moment()


class RevisionPage(serializers.Serializer):
    data = RevisionBody(many=True)  # type: ignore[assignment]
    prev = serializers.URLField(allow_null=True)
    next = serializers.URLField(allow_null=True)
    per_page = serializers.IntegerField()


def integrations_of(request: Call, organization_id: UUID) -> IntegrationQuerySet:
    """Those of the organization its caller may know of. Raises Problem not_found for any but the caller's own."""
    if organization_id != request.user.organization.pk:
        raise Problem("not_found")
    return Integration.objects.for_principal(request).select_related("partner")


def integration_of(request: Call, organization_id: UUID, integration_id: UUID) -> Integration:
    """Raises Problem not_found and Http404."""
    return get_object_or_404(integrations_of(request, organization_id), pk=integration_id)


def _shape(integration: Integration) -> dict[str, Any]:
    return IntegrationBody(integration).data


@operation("List integrations", tag=TAG, answers={200: IntegrationPage}, query=LINKED_QUERY)
def list_integrations(request: Call, organization_id: UUID) -> Response:
    """Newest first. A credential made for one integration sees that one, unless it was given the organization's."""
    return linked_page(request, integrations_of(request, organization_id), shape=_shape)


@operation(
    "Create an integration",
    tag=TAG,
    body=NewIntegration,
    answers={201: IntegrationBody},
    errors=["unknown_connector"],
    writes=True,
)
def create_integration(request: Call, organization_id: UUID) -> Response:
    """Of a platform: not configured until a person logs in there; the action `reconnect-link` says where.

    Only for credentials that see their whole organization.
    """
    integrations_of(request, organization_id)
    if request.user.own is not None:
        raise Problem("forbidden", "Only a credential that sees its whole organization adds integrations.")
    body = checked(NewIntegration, request.data)
    made = add(
        body["connector_id"],
        organization=request.user.organization,
        name=body["name"],
        settings=body.get("settings", {}),
        actor=request.user.actor,
        by=request.user.user,
    )
    location = {"Location": request.build_absolute_uri(f"{request.path}/{made.pk}")}
    return Response(_shape(made), status=201, headers=location)


@operation("Read an integration", tag=TAG, answers={200: IntegrationBody})
def read_integration(request: Call, organization_id: UUID, integration_id: UUID) -> Response:
    """Settings have an address of their own."""
    return Response(_shape(integration_of(request, organization_id, integration_id)))


@operation("Update an integration", tag=TAG, body=ChangedIntegration, answers={200: IntegrationBody}, writes=True)
def update_integration(request: Call, organization_id: UUID, integration_id: UUID) -> Response:
    """Its name, its settings, which of its syncs are on, and how long orders that come from now on are held."""
    integration = integration_of(request, organization_id, integration_id)
    change(integration, checked(ChangedIntegration, request.data, integration=integration), actor=request.user.actor)
    return Response(_shape(integration))


@operation("Read the settings", tag=TAG, answers={200: Settings})
def read_settings(request: Call, organization_id: UUID, integration_id: UUID) -> Response:
    """Every field its connector has, with its value. Secrets are never shown: only whether they are set."""
    return _settings(integration_of(request, organization_id, integration_id))


@operation("Change settings", tag=TAG, body=OpenApiTypes.OBJECT, answers={200: Settings}, writes=True)
def write_settings(request: Call, organization_id: UUID, integration_id: UUID) -> Response:
    """Values by key, each as its field's type wants it. What is left out stays; null takes a value away."""
    integration = integration_of(request, organization_id, integration_id)
    configuring.write(integration, request.data, actor=request.user.actor, attribute="")
    return _settings(integration)


def _settings(integration: Integration) -> Response:
    return Response({"data": shown(integration)})


@operation(
    "List the history of the settings",
    tag=TAG,
    answers={200: RevisionPage},
    query=LINKED_QUERY,
)
def list_revisions(request: Call, organization_id: UUID, integration_id: UUID) -> Response:
    """Newest first. Each change of its name, flags, settings, grants or definition, by whatever way it was made."""
    rows = revisions_of(integration_of(request, organization_id, integration_id)).order_by("-number", "id")
    return linked_page(request, rows, shape=lambda row: RevisionBody(row).data)
