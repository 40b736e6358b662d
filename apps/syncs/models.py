"""Sync runs: outbound jobs as rows. Who may work on one is decided by a lease; whose writes count, by a fence.

Times that decide are the database's: workers whose clocks disagree do not take each other's runs.
"""

import uuid
from datetime import timedelta
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Case, F, OuterRef, Q, Subquery, When
from django.db.models.functions import Coalesce, Now
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Organization, TenantQuerySet
from apps.integrations.models import Integration
from apps.shops.models import Connection, Shop
from apps.tenancy import SameOrganization

LEASE = timedelta(seconds=30)
KEPT = timedelta(days=30)
WAITING = Q(state="queued", next_attempt_at__lte=Now())
ABANDONED = Q(state="running", lease_until__lt=Now())


class SyncRunQuerySet(TenantQuerySet):
    def unfinished(self) -> Self:
        return self.filter(state__in=SyncRun.UNFINISHED)

    def allowed(self) -> Self:
        """Those whose organization is active, integration has permission and store is connected and not paused."""
        return self.filter(
            organization__is_active=True,
            integration__state=Integration.State.CONNECTED,
            shop__connections__state=Connection.State.ACTIVE,
        )

    def held(self) -> Self:
        """Waiting for a person: to log in again, to resume, or to activate. Nothing else holds a run."""
        return self.filter(state=SyncRun.State.QUEUED).exclude(pk__in=SyncRun.objects.allowed())

    def due(self) -> Self:
        """What can be worked on now: queued and its time has come, or abandoned by a worker that died.

        One that was abandoned after it was called off is due whether or not it is allowed: it has to end.
        """
        called_off = Q(ABANDONED, cancel_requested=True)
        return self.filter(Q(WAITING | ABANDONED, pk__in=SyncRun.objects.allowed().values("pk")) | called_off)

    def claim(self, pk: Any) -> "SyncRun | None":
        """Take a due run for LEASE. One UPDATE decides who gets it; the fence shuts out whoever had it before.

        Taking over from a worker that died counts as a try, so that a run that kills its workers comes to an end.
        """
        won = (
            self.due()
            .filter(pk=pk)
            .update(
                state=SyncRun.State.RUNNING,
                lease_until=Now() + LEASE,
                fence=F("fence") + 1,
                tries=F("tries") + Case(When(state=SyncRun.State.RUNNING, then=1), default=0),
                started_at=Coalesce("started_at", Now()),
            )
        )
        return SyncRun.objects.select_related("organization", "integration", "shop").get(pk=pk) if won else None

    def old(self) -> Self:
        """Ended longer ago than anybody asks about, except each shop's newest."""
        newest = SyncRun.objects.filter(shop=OuterRef("shop")).newest_first().values("pk")[:1]
        return self.filter(finished_at__lt=Now() - KEPT).exclude(pk=Subquery(newest))

    def newest_first(self) -> Self:
        return self.order_by("-created_at", "-id")


class SyncRun(models.Model):
    """One outbound job: which integration, which kind, from which cursor, how far, how it ended.

    `tries` counts attempts since the last page that got through. `look` is 2 when the list lacked something we know,
    and is therefore being read a second time before anything is removed. `error` is a short code; owners read the
    sentence that `sentences.py` has for it, admins read `detail` too.
    """

    class Kind(models.TextChoices):
        PRODUCTS = "products", _("Products")
        STOCK = "product-stocks", _("Stock to the platform")
        ITEMS = "items", _("Products to the warehouse")
        COMPARE = "compare", _("Comparison of stock")

    class State(models.TextChoices):
        QUEUED = "queued", _("Waiting")
        RUNNING = "running", _("Running")
        SUCCEEDED = "succeeded", _("Complete")
        PARTIAL = "partial", _("Complete, with items left out")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Cancelled")

    UNFINISHED = [State.QUEUED, State.RUNNING]

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="sync_runs")
    integration = models.ForeignKey(Integration, models.CASCADE, related_name="sync_runs")
    shop = models.ForeignKey(Shop, models.CASCADE, related_name="sync_runs")
    kind = models.CharField(max_length=20, choices=Kind)
    state = models.CharField(max_length=20, choices=State, default=State.QUEUED)
    cursor = models.TextField(blank=True)
    pages = models.PositiveIntegerField(default=0)
    look = models.PositiveSmallIntegerField(default=1, editable=False)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(null=True, blank=True)
    created_count = models.PositiveIntegerField(default=0)
    updated_count = models.PositiveIntegerField(default=0)
    removed_count = models.PositiveIntegerField(default=0)
    failed_count = models.PositiveIntegerField(default=0)
    tries = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(max_length=50, blank=True)
    detail = models.TextField(blank=True)
    accepts_removals = models.BooleanField(default=False)
    cancel_requested = models.BooleanField(default=False)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    next_attempt_at = models.DateTimeField(db_default=Now())
    lease_until = models.DateTimeField(null=True, blank=True, editable=False)
    fence = models.PositiveIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    objects = SyncRunQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["integration", "shop", "kind"],
                condition=Q(state__in=["queued", "running"]),
                name="one_unfinished_run_per_shop_and_kind",
            ),
            models.UniqueConstraint(fields=["id", "organization"], name="a_run_and_its_organization"),
            SameOrganization("integration", name="a_runs_integration_is_of_its_organization"),
            SameOrganization("shop", name="a_runs_shop_is_of_its_organization"),
        ]
        indexes = [
            models.Index(fields=["organization", "shop", "-created_at"], name="runs_of_a_shop"),
            models.Index(fields=["integration", "-created_at", "-id"], name="runs_of_an_integration"),
            models.Index(fields=["-created_at", "-id"], name="newest_runs"),
            models.Index(
                fields=["next_attempt_at"],
                condition=Q(state__in=["queued", "running"]),
                name="unfinished_runs",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.shop}, {self.created_at:%Y-%m-%d %H:%M}"

    @property
    def is_finished(self) -> bool:
        return self.state not in self.UNFINISHED

    @property
    def is_complete(self) -> bool:
        return self.state in {self.State.SUCCEEDED, self.State.PARTIAL}

    @property
    def percent(self) -> int | None:
        """How far, when the platform told us how much there is."""
        return min(100, self.done * 100 // self.total) if self.total else None

    def mine(self) -> SyncRunQuerySet:
        """This run, as long as nobody else has claimed it since."""
        return SyncRun.objects.filter(pk=self.pk, fence=self.fence, state=self.State.RUNNING)


class SyncFailure(models.Model):
    """One item a run could not bring in, with why. `ref` is the item's own name at the platform."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    run = models.ForeignKey(SyncRun, models.CASCADE, related_name="failures")
    ref = models.CharField(max_length=255)
    code = models.CharField(max_length=50)
    detail = models.TextField(blank=True)
    objects = TenantQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [SameOrganization("run", name="a_failures_run_is_of_its_organization")]
        indexes = [models.Index(fields=["organization", "run"], name="failures_of_a_run")]

    def __str__(self) -> str:
        return f"{self.ref}: {self.code}"
