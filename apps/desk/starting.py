"""Asking for a job, and calling one off."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from celery import current_app
from django.core import signing
from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.api.errors import Problem
from apps.audit.trail import Actor, record

from . import selecting
from .models import Job
from .models.jobs import ENDED, JobQuerySet

WORK = "apps.desk.tasks.work_on_job"
MOST = 10  # jobs of one person at a time: files take room
TICKET = timedelta(hours=1)  # whoever leaves the page for longer is asked again
RING_SECONDS = 15  # a ring nobody heard for so long is dropped: the sweep will have rung again


@dataclass(frozen=True, slots=True)
class Ticket:
    """Of the page that asks first: the job that a yes to it makes, of what was there by then. `upto` as in Job."""

    upto: str
    job: UUID = field(default_factory=uuid4)
    at: datetime = field(default_factory=timezone.now)

    @classmethod
    def of(cls, label: str) -> "Ticket":
        """A new one. Raises Problem not_found for no list."""
        return cls(selecting.newest(selecting.listed(label).model))

    @classmethod
    def read(cls, text: str, *, about: str) -> "Ticket | None":
        """None for what was not signed for this lately."""
        try:
            upto, job, at = signing.loads(text, salt=about, max_age=TICKET)
        except signing.BadSignature:
            return None
        return cls(upto, UUID(job), datetime.fromisoformat(at))

    def signed(self, *, about: str) -> str:
        """For who and what it is `about`."""
        return signing.dumps([self.upto, str(self.job), self.at.isoformat()], salt=about)


def ring_for(job_id: Any) -> None:
    """Tell a worker of a job, after commit. A broker that is down costs seconds only: the sweep rings again."""
    current_app.send_task(WORK, [str(job_id)], expires=RING_SECONDS)


@transaction.atomic
def start(
    label: str,
    query: str,
    *,
    action: str,
    user: User,
    values: dict[str, Any],
    total: int,
    address: str | None,
    ticket: Ticket | None = None,
) -> Job:
    """A new job for all rows that this list showed when the ticket was made, or now; or the one that was made of this
    ticket before. The doorbell rings after commit.

    Raises Problem: conflict when MOST of theirs are not over, validation_error for a search that finds too many.
    """
    ticket = ticket or Ticket.of(label)
    theirs = _unfinished_of(user)
    if made := Job.objects.filter(pk=ticket.job).first():
        return made
    if theirs.count() >= MOST:
        text = _("%(n)d of your jobs are not over yet. Wait for one, or call one off.")
        raise Problem("conflict", text % {"n": MOST})
    job = Job.objects.create(
        pk=ticket.job,
        model=label,
        query=query,
        found=_found(label, query, user, ticket),
        action=action,
        values=values | {"language": translation.get_language()},
        total=total,
        upto=ticket.upto,
        created_at=ticket.at,
        asked_by=user,
        address=address,
    )
    facts = {"list": label, "action": action, "filter": query, "rows": total}
    record(job.actor, "job.start", on=job, after=facts, reason=values.get("reason", ""))
    transaction.on_commit(lambda: ring_for(job.pk), robust=True)
    return job


def _found(label: str, query: str, user: User, ticket: Ticket) -> list[str] | None:
    selection = selecting.select(label, query, user=user).until(ticket.upto, asked_at=ticket.at)
    return selecting.found(selection)


def _unfinished_of(user: User) -> JobQuerySet:
    """Their jobs, while nobody else asks for one in their name: two tabs wait for each other here."""
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    return Job.objects.unfinished().filter(asked_by=user)


@transaction.atomic
def cancel(job: Job, *, actor: Actor) -> bool:
    """One that nobody works on ends here; one at work stops before its next batch. False when it was over."""
    if Job.objects.due().filter(pk=job.pk).update(state=Job.State.CANCELLED, **ENDED):
        record(actor, "job.cancel", on=job, after=Job.objects.get(pk=job.pk).counts())
        return True
    asked = Job.objects.filter(pk=job.pk, state=Job.State.RUNNING).update(cancel_requested=True)
    if asked:
        record(actor, "job.cancel", on=job)
    return bool(asked)
