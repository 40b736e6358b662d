"""What beat starts regularly."""

from celery import shared_task

from apps.webhooks.models import Receipt

from . import queueing
from .models import SyncRun
from .tasks import ring_for

OLD_AT_ONCE = 1_000


@shared_task(expires=30)
def ring_for_due_runs() -> None:
    """Ring again for whatever is due: the broker may have lost the first ring, or a worker died at work."""
    for pk in SyncRun.objects.due().order_by("next_attempt_at").values_list("pk", flat=True)[:500]:
        ring_for(pk)


@shared_task
def forget_old_runs() -> None:
    """A store is read many times a day; without this the table would only grow. In pieces, so that nobody waits."""
    while pks := SyncRun.objects.old().values_list("pk", flat=True)[:OLD_AT_ONCE]:
        SyncRun.objects.filter(pk__in=list(pks)).delete()


@shared_task(expires=30)
def queue_regular_runs() -> None:
    queueing.owe_regular_runs()


@shared_task(expires=30)
def queue_regular_comparisons() -> None:
    queueing.owe_regular_comparisons()


@shared_task
def forget_old_receipts() -> None:
    while pks := Receipt.objects.old().values_list("pk", flat=True)[:OLD_AT_ONCE]:
        Receipt.objects.filter(pk__in=list(pks)).delete()
