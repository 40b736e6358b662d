"""Fulfilments over the API: for shops what left (Pio), for a warehouse what it is to ship, and its report (Pipe17).

A warehouse that we do not call asks for the shipments of its own locations, says that it has them, and reports each
parcel that leaves. Nobody else does: whoever may see a shipment and does not fulfil it is told so.
"""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.response import Response

from apps.api.bodies import checked
from apps.api.errors import Problem, invalid
from apps.api.paging import LINKED_QUERY, linked_page
from apps.api.principals import Call
from apps.api.routes import operation
from apps.audit.trail import record
from apps.catalog import mapping
from apps.integrations.connectors.base import LONGEST_ID
from apps.integrations.connectors.orders import Tracking
from apps.integrations.models import Integration

from . import fulfilling
from .fulfillment_bodies import (
    ASKED,
    STATUSES,
    ChangedShipment,
    FulfillmentBody,
    FulfillmentPage,
    FulfillmentQuery,
    NewFulfillment,
    Refusal,
    ReportedParcel,
    ShipmentBody,
    ShipmentPage,
    ShipmentQuery,
)
from .models import Fulfillment, FulfillmentLine, FulfillmentQuerySet, Parcel

State = Fulfillment.State
TAG, SHIPMENTS = "Fulfillments", "Shipments"
NARROWED = [
    OpenApiParameter("location_id", OpenApiTypes.UUID),
    OpenApiParameter(
        "ext_order_id", {"type": "string", "minLength": 1, "maxLength": LONGEST_ID}, description="Exactly this one."
    ),
    OpenApiParameter("updated_since", OpenApiTypes.DATETIME, description="Changed then or later."),
]
STATE = OpenApiParameter("state", {"type": "string", "enum": State.values})
ORDER = OpenApiParameter("order_id", OpenApiTypes.UUID)
STATUS = OpenApiParameter("status", {"type": "string", "enum": STATUSES, "default": str(State.READY)})
OF_WAREHOUSES = ["fulfillment_not_found", "location_of_another"]


def _seen(request: Call) -> FulfillmentQuerySet:
    rows = Fulfillment.objects.for_principal(request).select_related("order")
    return rows.prefetch_related("lines__order_line", "parcels")


@operation(
    "List fulfillments",
    tag=TAG,
    answers={200: FulfillmentPage},
    query=[*LINKED_QUERY, STATE, ORDER, *NARROWED],
)
def list_fulfillments(request: Call) -> Response:
    """Of your shops' orders and of your own locations, the newest first; with a key that sees its organization, all."""
    asked = checked(FulfillmentQuery, request.query_params.dict())
    return linked_page(request, _seen(request).filter(**asked), shape=lambda one: FulfillmentBody(one).data)


@operation("Read a fulfillment", tag=TAG, answers={200: FulfillmentBody}, errors=["fulfillment_not_found"])
def read_fulfillment(request: Call, fulfillment_id: UUID) -> Response:
    """Its lines, and the parcels that left, with their tracking."""
    found = _seen(request).filter(pk=fulfillment_id).first()
    if found is None:
        raise Problem("fulfillment_not_found")
    return Response(FulfillmentBody(found).data)


def _to_ship(request: Call) -> FulfillmentQuerySet:
    """What the caller's own locations are to ship."""
    own = Fulfillment.objects.for_principal(request).filter(integration=request.user.integration)
    stopping = fulfilling.asked_to_stop(Fulfillment.objects.filter(pk=OuterRef("pk")))
    shown = own.annotate(is_asked_to_stop=Exists(stopping)).select_related("order", "location")
    return shown.prefetch_related("lines__order_line", "lines__product")


@operation(
    "List shipments",
    tag=SHIPMENTS,
    answers={200: ShipmentPage},
    query=[*LINKED_QUERY, STATUS, *NARROWED],
)
def list_shipments(request: Call) -> Response:
    """For a warehouse's key: what its own locations are to ship, the most urgent first, then the oldest. Those that are
    ready to be taken, unless you ask for another `status`. SKUs are yours, where a mapping of yours names them.
    """
    asked = checked(ShipmentQuery, request.query_params.dict())
    status = asked.pop("status")
    of_status = {"is_asked_to_stop": True} if status == ASKED else {"is_asked_to_stop": False, "state": status}
    rows = _to_ship(request).filter(**asked, **of_status).order_by("-priority", "pk")
    page = linked_page(request, rows, shape=lambda one: ShipmentBody(one).data)
    _call_as_they_do(request.user.integration, page.data["data"])
    return page


def _call_as_they_do(integration: Integration, shipments: Iterable[dict[str, Any]]) -> None:
    """Name the SKUs of all these lines as the warehouse does; one statement."""
    lines = [line for shipment in shipments for line in shipment["lines"]]
    theirs = mapping.theirs(integration, {line["sku"] for line in lines})
    for line in lines:
        line["sku"] = theirs[line["sku"]]


def _shown(request: Call, shipment_id: UUID) -> Response:
    shipment = ShipmentBody(_to_ship(request).get(pk=shipment_id)).data
    _call_as_they_do(request.user.integration, [shipment])
    return Response(shipment)


def _own(request: Call, shipment_id: UUID) -> Fulfillment:
    """One that the caller fulfils. Raises Problem: fulfillment_not_found, location_of_another."""
    found = Fulfillment.objects.for_principal(request).filter(pk=shipment_id).first()
    if found is None:
        raise Problem("fulfillment_not_found")
    if found.integration_id != request.user.integration.pk:
        raise Problem("location_of_another", "Another warehouse, or people, ship from that location.")
    return found


@operation("Read a shipment", tag=SHIPMENTS, answers={200: ShipmentBody}, errors=OF_WAREHOUSES)
def read_shipment(request: Call, shipment_id: UUID) -> Response:
    """Where it goes, what it holds, and how far it is."""
    return _shown(request, _own(request, shipment_id).pk)


@operation(
    "Update a shipment",
    tag=SHIPMENTS,
    body=ChangedShipment,
    answers={200: ShipmentBody},
    errors=[*OF_WAREHOUSES, "stale_version", "fulfillment_is_final"],
    writes=True,
)
def update_shipment(request: Call, shipment_id: UUID) -> Response:
    """Say that you have it (`sent`), with your own id of it, and when you begin (`picking`).

    If it is `cancel_requested`, say `cancelled`, and its order is cancelled; or `picking`, and it goes on: the shop
    learns that it was too late. What you said before, you may say again.
    """
    own, asked = _own(request, shipment_id), checked(ChangedShipment, request.data)
    held = fulfilling.hold_open(own)
    if asked.get("version", held.version) != held.version:
        raise Problem("stale_version")
    record(request.user.actor, "shipment.change", on=own, after=dict(asked))
    _advance(held, asked, request)
    return _shown(request, own.pk)


def _advance(own: Fulfillment, asked: dict[str, Any], request: Call) -> None:
    """Do what the new status says. Raises Problem conflict."""
    by, is_asked = request.user.actor, fulfilling.asked_to_stop(Fulfillment.objects.filter(pk=own.pk)).exists()
    named = {"remote_id": asked.get("ext_shipment_id", ""), "remote_url": asked.get("ext_reference_url", "")}
    fulfilling.acknowledge(own, by=by, **named)
    if asked["status"] == State.CANCELLED:
        if not is_asked:
            raise Problem("conflict", "Nobody asked you to stop: reject it instead.")
        fulfilling.confirm_cancelled(own, by=by)
    elif asked["status"] == State.PICKING:
        if is_asked:
            fulfilling.refuse_cancel(own, by=by, code="picking_in_progress")
        fulfilling.start_picking(own, by=by)


@operation(
    "Reject a shipment",
    tag=SHIPMENTS,
    body=Refusal,
    answers={200: ShipmentBody},
    errors=[*OF_WAREHOUSES, "fulfillment_is_final"],
    writes=True,
)
def reject_shipment(request: Call, shipment_id: UUID) -> Response:
    """You do not ship it, or no more of it: its stock is free again, and people see why. What left stays shipped."""
    own, reason = _own(request, shipment_id), checked(Refusal, request.data)["reason"]
    record(request.user.actor, "shipment.reject", on=own, reason=reason)
    fulfilling.reject(own, by=request.user.actor, reason=reason)
    return _shown(request, own.pk)


@operation(
    "Report what was shipped",
    tag=TAG,
    body=NewFulfillment,
    answers={200: ReportedParcel},
    errors=[*OF_WAREHOUSES, "fulfillment_is_final", "more_than_ordered"],
    writes=True,
)
def create_fulfillment(request: Call) -> Response:
    """For a warehouse's key, and shipments of its own: a parcel has left. By this its pieces leave the stock; do not
    report them as a change as well. What stays open when it is final is free again.
    """
    asked = checked(NewFulfillment, request.data)
    own = _own(request, asked["shipment_id"])
    pieces = _pieces(own, asked["lines"]) if "lines" in asked else None
    record(request.user.actor, "fulfillment.create", on=own, after={"entry": asked["ext_fulfillment_id"]})
    parcel = fulfilling.ship(
        own,
        by=request.user.actor,
        pieces=pieces,
        tracking=Tracking(*(asked.get(name, "") for name in ("carrier", "tracking_number", "tracking_url"))),
        shipped_at=asked.get("shipped_at"),
        entry=asked["ext_fulfillment_id"],
        is_final=asked.get("is_final"),
    )
    return Response(ReportedParcel(Parcel.objects.select_related("fulfillment").get(pk=parcel.pk)).data)


def _pieces(own: Fulfillment, said: Sequence[dict[str, Any]]) -> dict[int, int]:
    """Pieces by the id of the order's line. Raises Problem validation_error."""
    lines = list(own.lines.select_related("product"))
    theirs = mapping.theirs(own.integration, {line.product.sku for line in lines}) if own.integration else {}
    pieces: dict[int, int] = {}
    for row in said:
        for pk, number in _of_row(row, lines, theirs, pieces):
            pieces[pk] = pieces.get(pk, 0) + number
    return pieces


def _of_row(
    row: dict[str, Any], lines: Sequence[FulfillmentLine], theirs: dict[str, str], pieces: dict[int, int]
) -> list[tuple[int, int]]:
    """A SKU's pieces fill its lines one after the other; what is too many stays with the last."""
    if "line_id" in row:
        return [(row["line_id"], row["quantity"])]
    named = [line for line in lines if theirs[line.product.sku] == row["sku"]]
    if not named:
        raise invalid("lines", f"Nothing of it is called {row['sku']}.")
    found, left = [], row["quantity"]
    for line in named[:-1]:
        taken = max(0, min(left, line.open - pieces.get(line.order_line_id, 0)))
        found.append((line.order_line_id, taken))
        left -= taken
    return [*found, (named[-1].order_line_id, left)]
