"""Housekeeping of the integrations app."""

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from .models import AuthorizationAttempt


@shared_task
def forget_old_attempts() -> None:
    """Attempts are kept 30 days, for support to see where owners got stuck."""
    AuthorizationAttempt.objects.filter(created_at__lt=timezone.now() - timedelta(days=30)).delete()
