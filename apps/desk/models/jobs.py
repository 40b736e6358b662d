"""Work over all rows that a filter finds, done in the background."""

import uuid
from datetime import timedelta
from typing import Any, Self

from django.db import models
from django.db.models import Case, F, Q, When
from django.db.models.functions import Coalesce, Now
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.audit.trail import Actor

LEASE = timedelta(seconds=60)  # a batch takes a few seconds; nobody waits longer than that for a worker that died
RESULT_KEPT = timedelta(days=7)
KEPT = timedelta(days=90)
ENDED = {"finished_at": Now(), "lease_until": None, "fence": F("fence") + 1, "found": None}  # besides its state


class JobQuerySet(models.QuerySet):
    def for_person(self, user: User) -> Self:
        """All of them for whoever may look at jobs; for others their own."""
        return self if user.has_perm("desk.view_job") else self.filter(asked_by=user)

    def unfinished(self) -> Self:
        return self.filter(state__in=[Job.State.QUEUED, Job.State.RUNNING])

    def due(self) -> Self:
        """Those that are not over, and that nobody is at."""
        free = Q(lease_until=None) | Q(lease_until__lt=Now())
        return self.unfinished().filter(free)

    def claim(self, pk: Any) -> "Job | None":
        """Take a due one for LEASE. One UPDATE decides who gets it; the fence shuts out whoever had it before.

        Taking over from a worker that died counts as a try, so that a job that kills its workers comes to an end.
        """
        won = (
            self.due()
            .filter(pk=pk)
            .update(
                state=Job.State.RUNNING,
                lease_until=Now() + LEASE,
                fence=F("fence") + 1,
                tries=F("tries") + Case(When(lease_until=None, then=0), default=1),
                started_at=Coalesce("started_at", Now()),
            )
        )
        return Job.objects.select_related("asked_by").get(pk=pk) if won else None

    def with_old_results(self) -> Self:
        """Whose result file nobody fetches any more."""
        return self.filter(finished_at__lt=Now() - RESULT_KEPT)

    def old(self) -> Self:
        return self.filter(finished_at__lt=Now() - KEPT)


class Job(models.Model):
    """`model` is the label of the list, `query` what follows the "?" in its address: the filter is kept, and ids only
    until the end of a job over a search, of what it `found`: the same words would find others when these are done.

    `action` is a code of `bulk.DEEDS`, or export. `upto` is the newest id there was when it was asked for: what comes
    later is left alone; it is empty where ids do not grow with time, and the time of asking bounds the rows instead:
    `created_at`, when whoever asked was shown how many they are.
    `cursor` is the last id that is done; whoever holds the lease goes on from there. `tries` counts workers that died
    at the batch in hand.
    """

    class State(models.TextChoices):
        QUEUED = "queued", _("Waits for its turn")
        RUNNING = "running", _("At work")
        FINISHED = "finished", _("Finished")
        CANCELLED = "cancelled", _("Called off")
        FAILED = "failed", _("Broke off")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    model = models.CharField(max_length=100)
    action = models.CharField(max_length=50)
    query = models.CharField(max_length=4000, blank=True)
    found: Any = models.JSONField(null=True, blank=True, editable=False)
    values: Any = models.JSONField(default=dict, blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.QUEUED)
    upto = models.CharField(max_length=50, blank=True)
    cursor = models.CharField(max_length=50, blank=True)
    total = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    detail = models.TextField(blank=True)
    cancel_requested = models.BooleanField(default=False, editable=False)
    lease_until = models.DateTimeField(null=True, blank=True, editable=False)
    fence = models.PositiveBigIntegerField(default=0, editable=False)
    tries = models.PositiveSmallIntegerField(default=0)
    asked_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    address = models.GenericIPAddressField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    objects = JobQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "id"]
        indexes = [
            models.Index(
                fields=["created_at"], condition=Q(state__in=["queued", "running"]), name="jobs_that_are_not_over"
            ),
            models.Index(fields=["asked_by", "-created_at"], name="jobs_of_a_person"),
        ]
        verbose_name = _("job")

    def __str__(self) -> str:
        """The list and what is done to it, as the portal's code names them; its pages say it in words."""
        return f"{self.model.rpartition('.')[2]}: {self.action}"

    @property
    def is_over(self) -> bool:
        return self.state not in {self.State.QUEUED, self.State.RUNNING}

    @property
    def gone_through(self) -> int:
        """How many rows it is through with, whatever came of them."""
        return self.done + self.skipped + self.failed

    @property
    def gone(self) -> int:
        """How many rows had left the list before their turn came."""
        return max(self.total - self.gone_through, 0) if self.state == self.State.FINISHED else 0

    @property
    def percent(self) -> int:
        if self.state == self.State.FINISHED:
            return 100
        return min(self.gone_through * 100 // self.total, 100) if self.total else 0

    @property
    def mark(self) -> str:
        """Changes with all that its page shows of how it is going."""
        return f"{self.state}-{self.gone_through}-{int(self.cancel_requested)}"

    @property
    def actor(self) -> Actor:
        """Whoever asked for it, as the audit trail names them."""
        return Actor(self.asked_by.email, user_id=self.asked_by_id, address=self.address)

    @property
    def told(self) -> dict[str, Any]:
        """Which one it is, for the audit trail of what it does."""
        return {"job": str(self.pk), "filter": self.query}

    def counts(self) -> dict[str, Any]:
        """How it went, for the audit trail."""
        return {"state": self.state, "done": self.done, "skipped": self.skipped, "failed": self.failed}

    def mine(self) -> JobQuerySet:
        """This row, as long as no other worker has taken it over."""
        return Job.objects.filter(pk=self.pk, fence=self.fence, state=self.State.RUNNING)


class JobPart(models.Model):
    """A piece of a job's result file, in order. The database is all that every machine of a portal shares."""

    job = models.ForeignKey(Job, models.CASCADE, related_name="parts")
    number = models.PositiveIntegerField()
    text = models.TextField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["job", "number"], name="one_part_of_a_number")]

    def __str__(self) -> str:
        return f"{self.job_id} {self.number}"
