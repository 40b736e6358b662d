"""Which runs need somebody now: those that failed and were not mended since, and those that nobody works on."""

from datetime import timedelta

from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now

from apps.shops.models import Connection

from .models import SyncRun, SyncRunQuerySet

OVERDUE = timedelta(minutes=1)


def failed() -> SyncRunQuerySet:
    """Runs that failed and are the last word on a connected store: a later run mends an earlier one.

    Found from the last failure of each store and kind, of which there are fewer than of runs by far.
    """
    failures = SyncRun.objects.filter(state=SyncRun.State.FAILED)
    last = failures.order_by("shop_id", "kind", "-created_at", "-id").distinct("shop_id", "kind")
    later = SyncRun.objects.filter(shop=OuterRef("shop"), kind=OuterRef("kind"), created_at__gt=OuterRef("created_at"))
    live = Connection.objects.live().filter(shop=OuterRef("shop"))
    return SyncRun.objects.filter(~Exists(later), Exists(live), pk__in=last.values("pk"))


def overdue() -> SyncRunQuerySet:
    """Runs that nobody works on though they could be worked on: the workers are down, or too few."""
    waiting = Q(state=SyncRun.State.QUEUED, next_attempt_at__lt=Now() - OVERDUE)
    abandoned = Q(state=SyncRun.State.RUNNING, lease_until__lt=Now() - OVERDUE)
    return SyncRun.objects.due().filter(waiting | abandoned)
