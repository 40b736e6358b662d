"""Celery's side of the sorting: a doorbell. The rows say which orders are due."""

from celery import shared_task

from . import sorting
from .ringing import RING_SECONDS


@shared_task(expires=RING_SECONDS)
def sort_orders() -> None:
    with sorting.alone() as is_alone:
        is_due = is_alone and sorting.sort_due() and sorting.is_anything_due()
    if is_due:
        sort_orders.apply_async(expires=RING_SECONDS)


@shared_task(expires=30)
def sweep_orders() -> None:
    sorting.sweep()
