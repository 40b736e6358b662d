"""What beat starts regularly."""

from celery import shared_task

from . import queueing
from .models import SyncRun
from .tasks import ring_for


@shared_task(expires=30)
def ring_for_due_runs() -> None:
    """Ring again for whatever is due: the broker may have lost the first ring, or a worker died at work."""
    for pk in SyncRun.objects.due().order_by("next_attempt_at").values_list("pk", flat=True)[:500]:
        ring_for(pk)


@shared_task(expires=30)
def queue_regular_runs() -> None:
    queueing.owe_regular_runs()
