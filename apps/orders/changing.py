"""Changing an order or a fulfilment: locked, its state derived anew, and its event written, all in one transaction."""

from collections.abc import Collection, Iterable
from typing import Any
from uuid import UUID

from django.utils import timezone

from apps.webhooks.models import Event

from . import standing
from .models import Fulfillment, Order


def lock(order_id: UUID) -> Order:
    """The order as it is now, nobody else's until the transaction ends. Before any stock level and any of its parts."""
    return Order.objects.select_for_update(no_key=True).get(pk=order_id)


def settle(order: Order, *, event: str = Event.Type.ORDER_UPDATED, **changes: Any) -> None:
    """Write these changes of a locked order, and the state that now follows. Without any there is no new version.

    `due_at` and what else only we see may be among the changes: alone they make no event.
    """
    for name, value in changes.items():
        setattr(order, name, value)
    become(order, state_now(order), changes=changes, event=event)


def become(order: Order, state: str, *, changes: Collection[str], event: str = Event.Type.ORDER_UPDATED) -> None:
    """`settle`, for who has set these fields already, and knows the state that follows from all that is stored now."""
    before, order.state = order.state, state
    quiet = order.state == before and set(changes) <= QUIET
    if quiet and not changes:
        return
    if not quiet:
        order.version += 1
        order.updated_at = timezone.now()
    order.save(update_fields=[*changes, "state", "version", "updated_at"])
    if not quiet:
        tell(order, event, before=before)


QUIET = {"due_at", "tries", "digest", "changed_there_at"}  # nobody is told of these


def state_now(order: Order) -> str:
    """By what is stored now."""
    return standing.state_of(
        order,
        lines=list(order.lines.all()),
        fulfillments=order.fulfillments.all(),
        hindrances=order.hindrances.all(),
        now=timezone.now(),
    )


def tell(order: Order, event: str, *, before: str) -> None:
    Event.objects.create(
        organization_id=order.organization_id,
        type=event,
        entity="order",
        entity_id=str(order.pk),
        sequence=order.version,
        data={"state": order.state, "before": before, "shop_id": str(order.shop_id)},
    )


def advance(fulfillment: Fulfillment, **changes: Any) -> None:
    """Write these changes of a fulfilment of a locked order. What it `owes`, and how that went, makes no event."""
    before = fulfillment.state
    for name, value in changes.items():
        setattr(fulfillment, name, value)
    names = [*changes, "updated_at"]
    fulfillment.updated_at = timezone.now()
    if set(changes) & TOLD:
        fulfillment.version += 1
        names.append("version")
    fulfillment.save(update_fields=names)
    if set(changes) & TOLD:
        announce([fulfillment], Event.Type.FULFILLMENT_UPDATED, before=before)


TOLD = {"state", "remote_id", "service", "reason"}


def announce(fulfillments: Iterable[Fulfillment], event: str, *, before: str = "") -> None:
    """Events of fulfilments, new or changed."""
    Event.objects.bulk_create(
        Event(
            organization_id=one.organization_id,
            type=event,
            entity="fulfillment",
            entity_id=str(one.pk),
            sequence=one.version,
            data={"state": one.state, "before": before, "order_id": str(one.order_id)},
        )
        for one in fulfillments
    )
