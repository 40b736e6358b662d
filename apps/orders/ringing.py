"""The doorbells of whoever works on orders. Many changes at once ring once: what is due stands in the rows."""

import time
from collections import defaultdict
from threading import Lock

from celery import current_app

SORT = "apps.orders.tasks.sort_orders"
HAND_OVER = "apps.syncs.tasks.hand_orders_over"
TELL_PARCELS = "apps.syncs.tasks.tell_parcels"
RING_SECONDS = 15  # a ring nobody heard for so long is dropped: a sweep will have rung again
QUIET_SECONDS = 0.25  # of one process between two rings at one door

_lock = Lock()
_rung: dict[str, float] = defaultdict(float)


def ring(task: str = SORT) -> None:
    """Call after commit. A ring too soon after the last one is left out: the sweep finds what came in between."""
    with _lock:
        now = time.monotonic()
        if now - _rung[task] < QUIET_SECONDS:
            return
        _rung[task] = now
    current_app.send_task(task, expires=RING_SECONDS)
