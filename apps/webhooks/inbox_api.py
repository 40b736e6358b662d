"""The inbox of a custom integration over the API: where its sender sends webhooks to, and how it signs them."""

from datetime import timedelta
from uuid import UUID

from django.shortcuts import get_object_or_404
from rest_framework.response import Response

from apps.api.bodies import checked
from apps.api.principals import Call
from apps.api.routes import operation
from apps.integrations.custom_api import check_holds, visible_integrations
from apps.integrations.models import Integration

from . import inboxes
from .inbox_bodies import InboxRotation, InboxSetUp, InboxShape, NewSecretShape, OpenedShape

TAG = "Inboxes"
WORTH = {"orders:write", "inventory:write"}  # what a message can do, if its integration may


def _integration(request: Call, pk: UUID) -> Integration:
    return get_object_or_404(visible_integrations(request).filter(partner__kind="custom"), pk=pk)


def _given_away(request: Call, pk: UUID) -> Integration:
    """Whoever signs for it can do what it may. Raises Problem insufficient_scope."""
    integration = _integration(request, pk)
    check_holds(request, WORTH & set(integration.grants))
    return integration


@operation("Read an inbox", tag=TAG, answers={200: InboxShape})
def read_inbox(request: Call, pk: UUID) -> Response:
    """Where the integration's sender sends to. Nobody can guess the address; what is sent there is still checked."""
    return Response(InboxShape(inboxes.inbox_of(_integration(request, pk))).data)


@operation("Set up an inbox", tag=TAG, body=InboxSetUp, answers={200: OpenedShape}, writes=True)
def set_up_inbox(request: Call, pk: UUID) -> Response:
    """How its sender signs. The first time the secret it signs with comes along, and is shown this once."""
    asked = checked(InboxSetUp, request.data)
    inbox, secret = inboxes.set_up(_given_away(request, pk), **asked, actor=request.user.actor)
    return Response(InboxShape(inbox).data | ({"secret": secret} if secret else {}))


@operation("Rotate an inbox's secret", tag=TAG, body=InboxRotation, answers={201: NewSecretShape}, writes=True)
def rotate_inbox_secret(request: Call, pk: UUID) -> Response:
    """A new secret, shown this once. Those of now are accepted for the overlap, a day if you say nothing."""
    overlap = timedelta(seconds=checked(InboxRotation, request.data)["overlapSeconds"])
    inbox = inboxes.inbox_of(_given_away(request, pk))
    return Response({"secret": inboxes.rotate(inbox, overlap=overlap, actor=request.user.actor)}, status=201)
