"""What went out and what came in over the API: deliveries as Standard Webhooks has them, events as Pipe17 has."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.response import Response

from apps.api.bodies import checked
from apps.api.errors import Problem
from apps.api.paging import LINKED_QUERY, linked_page
from apps.api.principals import Call
from apps.api.routes import operation

from . import log, receiving, replaying
from .log_bodies import (
    Count,
    DeliveryBody,
    DeliveryInFull,
    DeliveryPage,
    EventQuery,
    Found,
    MessageBody,
    MessageInFull,
    MessagePage,
    ReceiptBody,
    Replayed,
    asked_of,
    in_full,
    words_of,
)
from .models import Delivery, Message, Receipt
from .models.deliveries import DeliveryQuerySet, MessageQuerySet

DELIVERIES, EVENTS = "Deliveries", "Events"
ATTEMPTS = 100  # the newest of one delivery that are shown
LARGEST = 2**63 - 1
NOT_YOURS = "It is another integration's: only that one, and people of the organization, have it sent again."


def _word(name: str, text: str, *, most: int = 50) -> OpenApiParameter:
    return OpenApiParameter(name, {"type": "string", "maxLength": most}, description=text)


def _choice(name: str, values: list[str]) -> OpenApiParameter:
    return OpenApiParameter(name, {"type": "string", "enum": values})


WHEN = [
    OpenApiParameter("since", OpenApiTypes.DATETIME, description="Those of this moment or later."),
    OpenApiParameter("until", OpenApiTypes.DATETIME, description="Those before this moment."),
]
OF_DELIVERIES = [
    OpenApiParameter("endpoint_id", OpenApiTypes.UUID),
    OpenApiParameter("hook_id", OpenApiTypes.UUID),
    _word("event", "Those of hooks of this event."),
    _choice("state", Delivery.State.values),
    _word("entity", "Such as order or product.", most=20),
    _word("entity_id", "Those about the entity of this id.", most=36),
    *WHEN,
]
OF_EVENTS = [
    OpenApiParameter("integration_id", OpenApiTypes.UUID),
    OpenApiParameter("shop_id", OpenApiTypes.UUID),
    _choice("direction", Message.Direction.values),
    _choice("status", Message.Status.values),
    _word("entity", "Such as order or product.", most=20),
    _word("search", "The id of a message or of what it is about, an order's number, or an SKU.", most=255),
    *WHEN,
]

# ---- Deliveries


def _deliveries(request: Call) -> DeliveryQuerySet:
    """With all that is shown of them."""
    rows = Delivery.objects.for_principal(request)
    return rows.select_related("event", "hook", "endpoint__shop").order_by("-created_at", "-pk")


def _delivery(request: Call, delivery_id: int) -> Delivery:
    """Raises Problem delivery_not_found."""
    found = _deliveries(request).filter(pk=delivery_id).first() if delivery_id <= LARGEST else None
    if found is None:
        raise Problem("delivery_not_found")
    return found


def _own(request: Call) -> DeliveryQuerySet:
    """Those that the caller may have sent again: a machine's own alone, whatever else it sees."""
    rows, integration = Delivery.objects.for_principal(request), request.user.integration
    return rows.filter(hook__integration=integration) if integration else rows


def _check_own(request: Call, delivery: Delivery) -> None:
    """Raises Problem forbidden."""
    integration = request.user.integration
    if integration and delivery.hook.integration_id != integration.pk:
        raise Problem("forbidden", NOT_YOURS)


@operation("List deliveries", tag=DELIVERIES, answers={200: DeliveryPage}, query=[*LINKED_QUERY, *OF_DELIVERIES])
def list_deliveries(request: Call) -> Response:
    """What hooks that you may know of are owed, and what became of it; the newest first."""
    asked = asked_of(checked(Found, request.query_params.dict()))
    rows = log.deliveries(_deliveries(request), asked, of=request.user.organization)
    return linked_page(request, rows, shape=lambda one: DeliveryBody(one).data)


@operation("Read a delivery", tag=DELIVERIES, answers={200: DeliveryInFull}, errors=["delivery_not_found"])
def read_delivery(request: Call, delivery_id: int) -> Response:
    """With what is sent, and each try with what came back, the oldest first."""
    return Response(_in_full(_delivery(request, delivery_id)))


def _in_full(delivery: Delivery) -> dict[str, Any]:
    return in_full(delivery, list(delivery.attempts.order_by("-pk")[:ATTEMPTS])[::-1])


@operation(
    "Replay a delivery",
    tag=DELIVERIES,
    answers={200: DeliveryBody},
    errors=["delivery_not_found", "hook_not_found", "conflict"],
    writes=True,
)
def replay_delivery(request: Call, delivery_id: int) -> Response:
    """Send it once more, whatever became of it: with the same id, as a new attempt. Its hook must be there still."""
    delivery = _delivery(request, delivery_id)
    _check_own(request, delivery)
    _replay_one(delivery, request)
    return Response(DeliveryBody(_delivery(request, delivery_id)).data)


def _replay_one(delivery: Delivery, request: Call) -> None:
    """Raises Problem: hook_not_found, conflict."""
    if not replaying.replay(Delivery.objects.filter(pk=delivery.pk), actor=request.user.actor):
        raise Problem("conflict", "It has still to arrive: there is nothing to send again.")


@operation(
    "Replay deliveries",
    tag=DELIVERIES,
    body=Replayed,
    answers={200: Count},
    errors=["more_than_expected", "hook_not_found"],
    writes=True,
)
def replay_deliveries(request: Call) -> Response:
    """Send all of them once more that came to their end. Count them first, with `dry_run`.

    When more match than were counted, nothing is done, and the answer says how many there are.
    """
    given = checked(Replayed, request.data)
    asked = asked_of(given)
    found = log.deliveries(_own(request), asked, of=request.user.organization)
    matching = replaying.count(found)
    if given["dry_run"] or not matching:
        return Response({"matching": matching, "replayed": 0})
    sent = replaying.replay(found, actor=request.user.actor, asked=asked, expected=given["expected"])
    return Response({"matching": sent, "replayed": sent})


# ---- Events


def _messages(request: Call) -> MessageQuerySet:
    return Message.objects.for_principal(request)


def _message(request: Call, event_id: str) -> Message:
    """Raises Problem not_found."""
    found = log.message(_messages(request), event_id)
    if found is None:
        raise Problem("not_found")
    return found


@operation("List events", tag=EVENTS, answers={200: MessagePage}, query=[*LINKED_QUERY, *OF_EVENTS])
def list_events(request: Call) -> Response:
    """What came in and what went out, side by side; the newest first."""
    words = words_of(checked(EventQuery, request.query_params.dict()))
    rows = log.messages(_messages(request), words, of=request.user.organization)
    return linked_page(request, rows, shape=lambda message: MessageBody(message).data)


@operation("Read an event", tag=EVENTS, answers={200: MessageInFull}, errors=["delivery_not_found"])
def read_event(request: Call, event_id: str) -> Response:
    """With what came in, or with what went out and each try."""
    return Response(_shown(request, _message(request, event_id)))


def _shown(request: Call, message: Message) -> dict[str, Any]:
    receipt, delivery = None, None
    if message.delivery_id:
        delivery = _in_full(_delivery(request, message.delivery_id))
    else:
        receipt = ReceiptBody(Receipt.objects.for_principal(request).get(pk=message.row_id)).data
    return MessageBody(message).data | {"receipt": receipt, "delivery": delivery}


@operation(
    "Rerun an event",
    tag=EVENTS,
    answers={200: MessageInFull},
    errors=["delivery_not_found", "hook_not_found", "conflict"],
    writes=True,
)
def rerun_event(request: Call, event_id: str) -> Response:
    """One that came in is opened again, when it was parked or failed; one that went out is sent once more."""
    message = _message(request, event_id)
    if message.delivery_id:
        delivery = _delivery(request, message.delivery_id)
        _check_own(request, delivery)
        _replay_one(delivery, request)
    else:
        _open_again(request, message)
    return Response(_shown(request, _message(request, event_id)))


def _open_again(request: Call, message: Message) -> None:
    """Raises Problem: forbidden, conflict."""
    integration = request.user.integration
    if integration and message.integration_id != integration.pk:
        raise Problem("forbidden", NOT_YOURS)
    if not receiving.replay(Receipt.objects.filter(pk=message.row_id), actor=request.user.actor):
        raise Problem("conflict", "Only what was parked or failed can be opened again.")
