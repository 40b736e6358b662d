"""Housekeeping of the integrations app."""

from datetime import timedelta
from typing import Any

from celery import shared_task
from django.db.models import QuerySet
from django.utils import timezone

from .models import AuthorizationAttempt
from .oauth import issuing


@shared_task
def forget_old_attempts() -> None:
    """Attempts are kept 30 days, for support to see where owners got stuck."""
    AuthorizationAttempt.objects.filter(created_at__lt=timezone.now() - timedelta(days=30)).delete()


KEPT, BATCH = timedelta(days=1), 5_000


@shared_task
def forget_old_tokens() -> None:
    """Codes and tokens are kept a day after they can no longer be used; what a shop holds is kept."""
    before = timezone.now() - KEPT
    _delete(issuing.stale_codes(before=before))
    _delete(issuing.stale_refresh_tokens(before=before))
    _delete(issuing.stale_access_tokens(before=before))


def _delete(rows: QuerySet[Any]) -> None:
    """A batch at a time, so that nobody waits long for a row."""
    while keys := list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH]):
        rows.model._default_manager.filter(pk__in=keys).delete()
