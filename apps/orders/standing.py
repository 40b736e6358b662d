"""Where an order stands, from what is known of it and nothing else (behaviour 79). Pure functions."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from .models import Fulfillment, Hindrance, Order, OrderLine

State = Order.State
# What holds an order without anybody having to do anything, the first that is there.
PATIENT = {
    Hindrance.Code.NOTHING_TO_SHIP: State.NOT_OURS,
    Hindrance.Code.BLOCKED: State.BLOCKED,
    Hindrance.Code.OUT_OF_STOCK: State.PENDING_STOCK,
}


def state_of(
    order: Order,
    *,
    lines: Sequence[OrderLine],
    fulfillments: Iterable[Fulfillment],
    hindrances: Iterable[Hindrance],
    now: datetime,
) -> str:
    """The state that follows. `now` tells whether the order is still held."""
    live = [one for one in fulfillments if not one.is_final]
    if order.cancelled_at:
        return State.CANCELLED
    if order.cancel_requested_at and live:
        return State.CANCELLING
    shipped = any(line.shipped for line in lines)
    if shipped and not any(line.wanted for line in lines):
        return State.FULFILLED
    if live:
        return _at_work(live, shipped=shipped)
    if shipped:
        return State.PARTLY_FULFILLED
    return _before(order, {one.code for one in hindrances if not one.is_flag}, now=now)


def _at_work(live: Sequence[Fulfillment], *, shipped: bool) -> str:
    states = {one.state for one in live}
    if Fulfillment.State.PICKING in states:
        return State.PICKING
    if shipped:
        return State.PARTLY_FULFILLED
    return State.SENT if states == {Fulfillment.State.SENT} else State.READY


def _before(order: Order, codes: Collection[str], *, now: datetime) -> str:
    if any(code not in PATIENT for code in codes):
        return State.WAITING
    for code, state in PATIENT.items():
        if code in codes:
            return state
    return State.HELD if order.release_at > now else State.NEW
