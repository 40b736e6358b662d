"""Celery's side of the syncs: a doorbell. The rows say what is owed."""

from typing import Any

from celery import shared_task

from . import handing_over, opening, publishing, running, telling_parcels

RING_SECONDS = 15  # a ring nobody heard for so long is dropped: the sweep will have rung again


@shared_task
def work_on_run(run_id: str) -> None:
    if running.run(run_id):
        ring_for(run_id)


def ring_for(run_id: Any) -> None:
    work_on_run.apply_async([str(run_id)], expires=RING_SECONDS)


@shared_task(expires=15)
def open_receipts() -> None:
    if opening.open_waiting():
        open_receipts.apply_async(expires=RING_SECONDS)


@shared_task
def tell_stock(shop_id: str) -> None:
    if publishing.tell(shop_id):
        tell_soon(shop_id)


def tell_soon(shop_id: Any) -> None:
    tell_stock.apply_async([str(shop_id)], expires=RING_SECONDS)


@shared_task(expires=15)
def tell_parcels() -> None:
    if telling_parcels.tell_due():
        tell_parcels.apply_async(expires=RING_SECONDS)


@shared_task(expires=15)
def hand_orders_over() -> None:
    """Ring for each warehouse that is to be told something, so that a slow one holds up no other."""
    for integration in handing_over.due():
        hand_over_soon(integration)


@shared_task
def hand_orders_over_to(integration_id: str) -> None:
    if handing_over.hand_over(integration_id):
        hand_over_soon(integration_id)


def hand_over_soon(integration_id: Any) -> None:
    hand_orders_over_to.apply_async([str(integration_id)], expires=RING_SECONDS)
