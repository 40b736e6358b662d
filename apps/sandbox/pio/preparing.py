"""What Pio does by itself, in a thread of this process: it prepares orders, and where the port may, it picks them.

An order becomes a fulfilment some time after it was accepted, and only if every piece of it is available (contracts
1.7); else it waits until more is stored. Its rows outlive the process, so the next one goes on where this one stopped.
"""

import threading
import time
from datetime import timedelta

from django.utils import timezone

from apps.sandbox.pio import picking
from apps.sandbox.pio.delivering import forever
from apps.sandbox.pio.fulfillments import changed
from apps.sandbox.pio.models import AutoPick, Fulfillment, Hook, Order
from apps.sandbox.pio.moving import NotThere
from apps.sandbox.pio.prioritizing import judged
from apps.sandbox.pio.reserving import reserve
from apps.sandbox.pio.turns import writing

BATCH = 5  # of one transaction, for which others wait
LOOK_EVERY = 0.1  # seconds
CARRIER = "Pio Post"


def begin() -> None:
    """Start the thread. It ends with the process."""
    threading.Thread(target=forever, args=[look_round], daemon=True).start()


def look_round() -> None:
    """Prepare and pick what there is, or wait a little for it."""
    if prepare_some() + pick_some() == 0:
        time.sleep(LOOK_EVERY)


def prepare_some() -> int:
    """Take the oldest new orders one step further: how many."""
    new = Order.objects.filter(step=Order.Step.NEW)
    if not new.exists():  # without taking the write lock
        return 0
    with writing():
        found = list(new.order_by("pk").select_related("shop__organization").prefetch_related("lines")[:BATCH])
        for order in found:
            prepare(order)
    return len(found)


def prepare(order: Order) -> None:
    """Reserve the stock of the order and make its fulfilment, or let it wait for stock."""
    is_there = reserve(order.lines.all())
    order.step = Order.Step.PREPARED if is_there else Order.Step.WAITING
    order.save(update_fields=["step"])
    if is_there:
        made = Fulfillment(order=order, organization=order.shop.organization, created_at=timezone.now())
        changed(made, event=Hook.Event.FULFILLMENT_CREATED, **judged(order))


def pick_some() -> int:
    """Pick everything that has lain there for the delay, if the port picks by itself: how many."""
    auto = AutoPick.current()
    if not auto.enabled:
        return 0
    long_ago = timezone.now() - timedelta(seconds=auto.delay)
    ready = Fulfillment.objects.filter(state="open", is_blocked=False, is_closed=False, created_at__lte=long_ago)
    found = list(ready.order_by("-priority", "pk")[:BATCH])
    for fulfillment in found:
        pick(fulfillment)
    return len(found)


def pick(fulfillment: Fulfillment) -> None:
    """Send all of it, or reject it when it is not there. Whoever was faster at the port is left alone."""
    number = f"PIO{fulfillment.pk:09}"
    try:
        picking.send(fulfillment, carrier=CARRIER, number=number, url=f"https://track.pio.example/{number}")
    except NotThere as problem:
        picking.end(fulfillment, reason=str(problem))
    except picking.NotNow:
        pass
