"""Making a parcel of what left a warehouse: what it holds, what becomes of the stock, and who is to be told."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from django.db import transaction
from django.utils import timezone

from apps.api.errors import Problem, invalid
from apps.audit.trail import Actor
from apps.catalog import stocking
from apps.catalog.models import StockMovement
from apps.catalog.stocking import By, Change
from apps.integrations.connectors import UnknownConnector
from apps.integrations.connectors.base import CountsStock
from apps.integrations.connectors.orders import TakesParcels, Tracking

from .models import Fulfillment, FulfillmentLine, Order, OrderLine, Parcel
from .ringing import TELL_PARCELS, ring
from .timeline import record

type Pieces = Sequence[tuple[FulfillmentLine, int]]  # of each line, at least one


def chosen(lines: Iterable[FulfillmentLine], pieces: Mapping[int, int] | None) -> Pieces:
    """Those of an order line's id, or all that are open. Raises Problem: more_than_ordered, validation_error."""
    known = {line.order_line_id: line for line in lines}
    if pieces is None:
        pieces = {pk: line.open for pk, line in known.items()}
    for pk, number in pieces.items():
        _check(known.get(pk), pk, number)
    if not any(pieces.values()):
        raise invalid("lines", "No piece of it is named.")
    return [(known[pk], number) for pk, number in pieces.items() if number]


def _check(line: FulfillmentLine | None, pk: int, number: int) -> None:
    if line is None:
        raise invalid("lines", f"{pk} is no line of this fulfillment.")
    if number < 0:
        raise invalid("lines", "Less than nothing.")
    if number > line.open:
        raise Problem("more_than_ordered", f"Of line {pk}, {line.open} are still to be shipped.")


def pack(
    own: Fulfillment, leaving: Pieces, *, tracking: Tracking, shipped_at: datetime | None, entry: str, by: Actor
) -> Parcel:
    """Store the parcel, raise what was shipped of its lines, and take it off the stock, in this order of locks."""
    order, now = own.order, timezone.now()
    parcel = Parcel.objects.create(
        organization_id=own.organization_id,
        fulfillment=own,
        order=order,
        shop_id=order.shop_id,
        ext_parcel_id=entry,
        carrier=tracking.carrier,
        tracking_number=tracking.number,
        tracking_url=tracking.url,
        lines=[[line.order_line_id, number] for line, number in leaving],
        shipped_at=shipped_at or now,
        due_at=now if _is_told(order) else None,
    )
    _raise_shipped(leaving)
    gone = _changes(leaving, entry=str(parcel.pk), occurred_at=_since(own, parcel))
    stocking.ship(own.organization, gone, by=_stockist(own, by))
    told: dict[str, Any] = {"carrier": tracking.carrier, "tracking": tracking.number, "location": own.location.name}
    record(order, "parcel", by=by, pieces=sum(number for _, number in leaving), **told)
    if parcel.due_at:
        transaction.on_commit(partial(ring, TELL_PARCELS), robust=True)
    return parcel


def _is_told(order: Order) -> bool:
    """Whether the order's platform wants to know of parcels."""
    try:
        return order.integration.kind.can(TakesParcels)
    except UnknownConnector:
        return False


def _raise_shipped(leaving: Pieces) -> None:
    for line, number in leaving:
        line.shipped += number
        line.order_line.shipped += number
    FulfillmentLine.objects.bulk_update([line for line, _ in leaving], ["shipped"])
    OrderLine.objects.bulk_update([line.order_line for line, _ in leaving], ["shipped"])


def _since(own: Fulfillment, parcel: Parcel) -> datetime:
    """When the pieces left the shelf. Who tells its stock with each pick has done so long before the parcel leaves, so
    whatever it counted since it was asked for them holds that already, or soon will.
    """
    return own.created_at if _counts(own) else parcel.shipped_at


def _counts(own: Fulfillment) -> bool:
    """Whether its warehouse tells us its own numbers, as we ask it to."""
    try:
        return own.integration is not None and own.integration.kind.can(CountsStock)
    except UnknownConnector:
        return False


def _changes(leaving: Pieces, **told: Any) -> list[Change]:
    """As they were reserved, one of each product; with when they left, by whose name of it."""
    sums: dict[int, int] = {}
    for line, number in leaving:
        sums[line.product_id] = sums.get(line.product_id, 0) + number
    place = leaving[0][0].fulfillment.location_id
    return [Change(product, place, reserved=number, **told) for product, number in sums.items()]


def _stockist(own: Fulfillment, by: Actor) -> By:
    return By(StockMovement.Cause.FULFILLMENT, by.text[:255], own.integration, reference=str(own.pk))


def give_back(own: Fulfillment, lines: Iterable[FulfillmentLine], *, by: Actor) -> int:
    """Let go of what is reserved for it and will not leave. Returns how many pieces."""
    rest = [(line, line.open) for line in lines if line.open]
    if rest:
        stocking.release(own.organization, _changes(rest), by=_stockist(own, by))
    return sum(number for _, number in rest)
