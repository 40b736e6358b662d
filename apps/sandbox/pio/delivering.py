"""Hook deliveries: rows that threads of this process send, try again for 24 hours, and then give up.

The rows outlive the process, so what was waiting when it stopped is sent by the next one, with the same delivery id.
Nothing keeps the order of a shop's messages: several threads send.
"""

import logging
import queue
import random
import threading
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from django.db import DatabaseError, transaction
from django.db.models import F
from django.utils import timezone

from apps.sandbox.faults import take_for_delivery
from apps.sandbox.outgoing import unless_hurried
from apps.sandbox.pio.models import Delivery, Hook
from apps.sandbox.pio.sending import send
from apps.sandbox.pio.turns import writing

# The vendor does not publish the spacing; after the last one it stays at that.
GAPS = [timedelta(seconds=seconds) for seconds in (5, 30, 120, 600, 3600)]
GIVE_UP_AFTER = timedelta(hours=24)
SENDERS = 8
LOOK_EVERY = 0.25  # seconds

QUEUE: queue.Queue[Delivery] = queue.Queue(maxsize=SENDERS)
SENT_NOW: set[str] = set()
WAKE = threading.Event()
LOG = logging.getLogger(__name__)


def post(messages: Iterable[tuple[Hook, str]]) -> None:
    """Put each body in its hook's post, to be sent once this transaction is committed. Faults may have it otherwise."""
    now = timezone.now()
    Delivery.objects.bulk_create(made(hook, body, now=now) for hook, body in messages)
    transaction.on_commit(WAKE.set)


def made(hook: Hook, body: str, *, now: datetime) -> Delivery:
    delivery = Delivery(hook=hook, body=body, created_at=now, next_attempt_at=now)
    fault = take_for_delivery(hook.event_type, "hook_dropped", "hook_late", "hook_shuffled")
    if fault and fault.kind == "hook_dropped":
        delivery.state = Delivery.State.DROPPED
    elif fault:
        part = random.random() if fault.kind == "hook_shuffled" else 1  # noqa: S311
        delivery.next_attempt_at += timedelta(seconds=fault.delay * part)
    return delivery


def begin() -> None:
    """Start the threads. They end with the process."""
    for work in [look_out, *[send_next] * SENDERS]:
        threading.Thread(target=forever, args=[work], daemon=True).start()


def forever(work: Callable[[], None]) -> None:
    while True:
        try:
            work()
        except DatabaseError:
            LOG.exception("%s is left for later", work.__name__)
            WAKE.wait(LOOK_EVERY)


def look_out() -> None:
    """Hand over what is due, or wait a little for it."""
    WAKE.clear()
    due = Delivery.objects.filter(state="waiting", next_attempt_at__lte=timezone.now())
    free = due.exclude(pk__in=SENT_NOW.copy()).select_related("hook__shop__integration")
    for delivery in (found := list(free.order_by("next_attempt_at")[: 2 * SENDERS])):
        SENT_NOW.add(delivery.pk)
        QUEUE.put(delivery)
    if not found:
        WAKE.wait(LOOK_EVERY)


def send_next() -> None:
    """Take the next delivery of the queue to its end."""
    delivery = QUEUE.get()
    try:
        attempt(delivery)
    finally:
        SENT_NOW.discard(delivery.pk)


def attempt(delivery: Delivery) -> None:
    """Send the delivery once and write down what came of it."""
    status = send(delivery)
    if status and 200 <= status < 300:
        write_down(delivery, state="delivered", last_status=status)
        if take_for_delivery(delivery.hook.event_type, "hook_duplicated"):
            send(delivery)
        return
    gap = GAPS[min(delivery.attempts, len(GAPS) - 1)]
    following = timezone.now() + gap
    given_up = following > delivery.created_at + GIVE_UP_AFTER
    state = "given_up" if given_up else "waiting"
    write_down(delivery, state=state, last_status=status, next_attempt_at=unless_hurried(delivery, following))


def write_down(delivery: Delivery, **columns: object) -> None:
    """One attempt more, with its outcome, unless the delivery was ended meanwhile."""
    waiting = Delivery.objects.filter(pk=delivery.pk, state="waiting")
    with writing():
        waiting.update(attempts=delivery.attempts + 1, **columns)


def pass_time(seconds: float) -> None:
    """Let every waiting delivery become older, and nearer to its next attempt."""
    past = timedelta(seconds=seconds)
    waiting = Delivery.objects.filter(state="waiting")
    waiting.update(created_at=F("created_at") - past, next_attempt_at=F("next_attempt_at") - past)
    WAKE.set()


def retry_now() -> int:
    """Make every waiting delivery due: how many."""
    count = Delivery.objects.filter(state="waiting").update(next_attempt_at=timezone.now())
    WAKE.set()
    return count
