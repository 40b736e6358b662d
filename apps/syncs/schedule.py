"""What beat starts regularly."""

from celery import shared_task

from apps.catalog.models import StockFeed
from apps.webhooks.models import Receipt

from . import queueing
from .models import SyncRun
from .tasks import ring_for, tell_soon

OLD_AT_ONCE = 1_000


@shared_task(expires=30)
def ring_for_due_runs() -> None:
    """Ring again for whatever is due: the broker may have lost the first ring, or a worker died at work."""
    for pk in SyncRun.objects.due().order_by("next_attempt_at").values_list("pk", flat=True)[:500]:
        ring_for(pk)


@shared_task(expires=5)
def tell_due_stock() -> None:
    """Ring for each shop whose platform is owed stock: the change's own ring was lost, or a wait is over."""
    for shop in StockFeed.objects.due().values_list("shop", flat=True)[:500]:
        tell_soon(shop)


@shared_task
def forget_old_runs() -> None:
    """A store is read many times a day; without this the table would only grow. In pieces, so that nobody waits."""
    while pks := SyncRun.objects.old().values_list("pk", flat=True)[:OLD_AT_ONCE]:
        SyncRun.objects.filter(pk__in=list(pks)).delete()


@shared_task(expires=30)
def queue_regular_runs() -> None:
    queueing.owe_regular_runs()
    queueing.owe_regular_services()


@shared_task(expires=10)
def queue_regular_orders() -> None:
    queueing.owe_regular_orders()


@shared_task(expires=30)
def queue_pushes() -> None:
    queueing.owe_pushes()


@shared_task(expires=30)
def queue_regular_comparisons() -> None:
    queueing.owe_regular_comparisons()


@shared_task(expires=30)
def queue_regular_reconciliations() -> None:
    queueing.owe_regular_reconciliations()


@shared_task
def forget_old_receipts() -> None:
    while pks := Receipt.objects.old().values_list("pk", flat=True)[:OLD_AT_ONCE]:
        Receipt.objects.filter(pk__in=list(pks)).delete()
