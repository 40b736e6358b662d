"""Cancelling an order: at once what nobody works on yet, by asking the warehouse for what it has (behaviour 77)."""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from django.db import transaction
from django.utils import timezone

from apps.api.errors import Problem
from apps.audit.trail import Actor, record
from apps.catalog import stocking
from apps.catalog.models import StockMovement
from apps.catalog.stocking import By, Change
from apps.integrations.connectors import UnknownConnector
from apps.integrations.connectors.orders import TakesOrders
from apps.integrations.models import Integration
from apps.webhooks.models import Event

from . import changing, timeline
from .models import Fulfillment, FulfillmentLine, Order
from .ringing import HAND_OVER, ring

State, Owes = Fulfillment.State, Fulfillment.Owes


@transaction.atomic
def cancel(order: Order, *, by: Actor, reason: str = "") -> Order:
    """The order as it is then: cancelled, and its stock free again; or asked of the warehouses that have it, which say
    later whether they could stop (state cancelling). Asking again changes nothing.

    Raises Problem: order_already_fulfilled as soon as anything has left, picking_in_progress.
    """
    locked = changing.lock(order.pk)
    if locked.state in (Order.State.CANCELLED, Order.State.CANCELLING):
        return locked
    live = live_of(locked)
    _check(locked, live)
    sent = [one for one in live if may_be_there(one)]
    drop(locked, [one for one in live if one not in sent], by=by)
    for one in sent:
        ask(one, Owes.CANCEL)
    _note(locked, "cancel_asked" if sent else "cancelled", by=by, reason=reason)
    (_await if sent else _end)(locked, cancel_requested_at=timezone.now(), cancel_reason=reason[:255])
    return locked


def live_of(order: Order) -> list[Fulfillment]:
    """Those of a locked order that are not over, locked as well: nobody begins to send one meanwhile."""
    rows = order.fulfillments.live().select_related("integration", "location")
    return list(rows.select_for_update(of=("self",), no_key=True).order_by("pk"))


def _check(order: Order, live: Iterable[Fulfillment]) -> None:
    """Raises Problem: order_already_fulfilled, picking_in_progress."""
    if order.lines.filter(shipped__gt=0).exists():
        raise Problem("order_already_fulfilled")
    if any(one.state == State.PICKING for one in live):
        raise Problem("picking_in_progress")


def may_be_there(fulfillment: Fulfillment) -> bool:
    """Whether its warehouse may know of it. One that was claimed for sending once may have arrived."""
    return fulfillment.integration_id is not None and (fulfillment.state != State.READY or fulfillment.fence > 0)


def ask(fulfillment: Fulfillment, owes: str) -> None:
    """Have its warehouse told, after whatever it is being told just now: that call's outcome counts no more.

    A warehouse that is not called learns of it by the event, and asks what there is to do.
    """
    if is_called(fulfillment.integration):
        told: dict[str, Any] = {"owes": owes, "due_at": timezone.now(), "tries": 0, "error": "", "detail": ""}
        changing.advance(fulfillment, **told, fence=fulfillment.fence + 1)
        transaction.on_commit(partial(ring, HAND_OVER), robust=True)
    else:
        changing.advance(fulfillment, reason=fulfillment.reason)


def is_called(integration: Integration | None) -> bool:
    """Whether we hand orders over there, or it fetches them."""
    try:
        return integration is not None and integration.kind.can(TakesOrders)
    except UnknownConnector:
        return False


def drop(order: Order, fulfillments: Sequence[Fulfillment], *, by: Actor) -> None:
    """End what nobody has begun, and give back its stock."""
    if not fulfillments:
        return
    pieces: dict[tuple[int, Any], int] = {}
    lines = FulfillmentLine.objects.filter(fulfillment__in=fulfillments)
    for product, location, quantity in lines.values_list("product", "fulfillment__location", "quantity"):
        pieces[product, location] = pieces.get((product, location), 0) + quantity
    held = [Change(*place, reserved=quantity) for place, quantity in pieces.items()]
    cause = By(StockMovement.Cause.ORDER, by.text[:255], reference=str(order.pk))
    stocking.release(order.organization, held, by=cause)
    for one in fulfillments:
        changing.advance(one, state=State.CANCELLED, owes=Owes.NOTHING, due_at=None, finished_at=timezone.now())


def _note(order: Order, kind: str, *, by: Actor, reason: str) -> None:
    timeline.record(order, kind, by=by, reason=reason)
    record(by, "order.cancel", on=order, before={"state": order.state}, reason=reason)


def _await(order: Order, **asked: Any) -> None:
    changing.settle(order, **asked)


def _end(order: Order, **asked: Any) -> None:
    """Nothing is left to be done about it."""
    order.hindrances.all().delete()
    changing.settle(order, event=Event.Type.ORDER_CANCELLED, cancelled_at=timezone.now(), due_at=None, **asked)
