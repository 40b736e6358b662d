"""Custom connectors and their integrations over the API (Pipe17: contracts 2.1 to 2.4)."""

from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from rest_framework import serializers
from rest_framework.response import Response

from apps.api.bodies import checked
from apps.api.errors import Problem
from apps.api.paging import LINKED_QUERY, linked_page
from apps.api.principals import Call, Kind
from apps.api.routes import operation
from apps.audit.trail import record

from . import configuration, customizing, exporting, switching
from .definitions import Change, Definition, suggested_grants
from .models import Integration, PartnerConnector
from .shapes import ConnectorShape, CustomizedShape, IntegrationShape

TAG = "Custom integrations"


def visible_connectors(request: Call) -> Any:
    """A person's key knows of all that belong to its organization; whoever is one connector's, of that one."""
    if request.user.kind == Kind.USER_KEY:
        return PartnerConnector.objects.for_principal(request).custom().active()
    return PartnerConnector.objects.filter(pk=request.user.connector.pk)


def visible_integrations(request: Call) -> Any:
    """An integration's key knows of its own, unless it sees all of its organization (behaviours 24 and 25)."""
    return Integration.objects.for_principal(request).select_related("partner")


def check_holds(request: Call, grants: Any) -> None:
    """Nobody gets more by a key than they have themselves. Raises Problem insufficient_scope."""
    if beyond := sorted(set(grants) - request.user.grants):
        raise Problem("insufficient_scope", f"Only who has them can give {', '.join(beyond)}.")


class ConnectorPage(serializers.Serializer):
    data = ConnectorShape(many=True)  # type: ignore[assignment]
    prev = serializers.URLField(allow_null=True)
    next = serializers.URLField(allow_null=True)
    per_page = serializers.IntegerField()


@operation("List custom connectors", tag=TAG, answers={200: ConnectorPage}, query=LINKED_QUERY)
def list_connectors(request: Call) -> Response:
    """Those of the organization; with a connector's own key that one only."""
    return linked_page(request, visible_connectors(request), shape=lambda row: ConnectorShape(row).data)


@operation("Add a custom integration", tag=TAG, body=Definition, answers={201: CustomizedShape}, writes=True)
def create_connector(request: Call) -> Response:
    """A private connector, its one integration, and a key for each, in one step. The two keys are shown this once.

    Left out, the grants are those suggested for the category. They cannot go beyond those of the key that asks.
    """
    definition = checked(Definition, request.data)
    grants = definition.setdefault("grants", suggested_grants(definition.get("category", "")))
    check_holds(request, grants)
    user = request.user
    made = customizing.customize(user.organization, definition=definition, by=user.user, actor=user.actor)
    return Response(CustomizedShape(made).data, status=201)


@operation("Read a connector", tag=TAG, answers={200: ConnectorShape})
def read_connector(request: Call, pk: UUID) -> Response:
    """Its definition, with the `version` that a change has to be based on."""
    return Response(ConnectorShape(get_object_or_404(visible_connectors(request), pk=pk)).data)


@operation(
    "Change a connector",
    tag=TAG,
    body=Change,
    answers={200: ConnectorShape},
    errors=["stale_version"],
    writes=True,
)
def change_connector(request: Call, pk: UUID) -> Response:
    """What is left out stays. More grants, or `orgWideAccess`, take effect when an admin of the 3PL applies them."""
    connector = get_object_or_404(visible_connectors(request), pk=pk)
    changes = checked(Change, request.data)
    version = changes.pop("version")
    changed = customizing.redefine(connector, version=version, changes=changes, actor=request.user.actor)
    return Response(ConnectorShape(changed).data)


@operation("Delete a connector", tag=TAG, answers={204: None}, writes=True)
def delete_connector(request: Call, pk: UUID) -> Response:
    """Its keys end at once, and its integration is disabled."""
    customizing.discard(get_object_or_404(visible_connectors(request), pk=pk), actor=request.user.actor)
    return Response(status=204)


@operation("Read an integration", tag=TAG, answers={200: IntegrationShape})
def read_integration(request: Call, pk: UUID) -> Response:
    """Its state, and what it may do."""
    return Response(IntegrationShape(get_object_or_404(visible_integrations(request), pk=pk)).data)


@operation("Enable an integration", tag=TAG, answers={200: IntegrationShape}, writes=True)
def enable_integration(request: Call, pk: UUID) -> Response:
    """Everything goes on as it was before it was disabled."""
    return _switch(request, pk, switching.enable)


@operation("Disable an integration", tag=TAG, answers={200: IntegrationShape}, writes=True)
def disable_integration(request: Call, pk: UUID) -> Response:
    """Its keys and tokens are refused and its syncs wait until it is enabled again. Nothing is lost."""
    return _switch(request, pk, switching.disable)


def _switch(request: Call, pk: UUID, work: Any) -> Response:
    integration = get_object_or_404(visible_integrations(request), pk=pk)
    work(integration, actor=request.user.actor)
    return Response(IntegrationShape(integration).data)


class Imported(serializers.Serializer):
    changes = configuration.Change(many=True)
    configuration = configuration.Document()


@operation("Export the configuration", tag=TAG, answers={200: configuration.Document})
def export_configuration(request: Call, pk: UUID) -> Response:
    """Everything that can be imported again, without secrets. It is written down who took it (behaviour 97)."""
    integration = get_object_or_404(visible_integrations(request), pk=pk)
    record(request.user.actor, "configuration.export", on=integration)
    return Response(exporting.export(integration))


@operation("Import a configuration", tag=TAG, body=configuration.Document, answers={200: Imported}, writes=True)
def import_configuration(request: Call, pk: UUID) -> Response:
    """All of it or, when anything does not fit, nothing. Says what changed."""
    integration = get_object_or_404(visible_integrations(request), pk=pk)
    user = request.user
    changes = configuration.apply(integration, request.data, actor=user.actor, may_give=user.grants)
    now = exporting.export(visible_integrations(request).get(pk=pk))
    return Response({"changes": changes, "configuration": now})
