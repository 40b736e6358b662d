"""Telling one other system of many things: one sender at a time, which waits when the other side asks it to.

Times that decide are the database's.
"""

from datetime import timedelta
from typing import Any

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now


class Feeds:
    """What a QuerySet of feeds can do besides."""

    def free(self: Any) -> Any:
        """Those that nobody is at."""
        return self.filter(Q(lease_until=None) | Q(lease_until__lt=Now()))

    def ready(self: Any) -> Any:
        """Those that nobody is at, and that need not wait."""
        return self.free().filter(Q(next_attempt_at=None) | Q(next_attempt_at__lte=Now()))

    def take(self: Any, *, lease: timedelta) -> bool:
        """Claim these, of which there is one at most. One UPDATE decides who gets it."""
        free = self.model._default_manager.all().free()
        return bool(free.filter(pk__in=self.values("pk")).update(lease_until=Now() + lease, fence=F("fence") + 1))

    def wait(self: Any, *, seconds: float) -> int:
        return int(self.update(next_attempt_at=Now() + timedelta(seconds=seconds)))


class Feed(models.Model):
    """`error` is why the other side could not be told at all when it was tried last, `tries` how often in a row.

    `fence` grows with each claim, so that whoever lost their lease can no longer write.
    """

    told_at = models.DateTimeField(null=True, blank=True)
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(max_length=50, blank=True)
    detail = models.TextField(blank=True)
    lease_until = models.DateTimeField(null=True, blank=True, editable=False)
    fence = models.PositiveIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        abstract = True

    def mine(self) -> Any:
        """This feed, as long as nobody else has claimed it since."""
        return type(self)._default_manager.filter(pk=self.pk, fence=self.fence)
