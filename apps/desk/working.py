"""Doing a job: claimed by one worker, batch after batch, each in one transaction with how far it is and what came of
it.

So kill -9 neither loses a row nor does one twice: the batch in hand is undone by the database, and whoever takes the
job over goes on after the last one that was kept.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from django.core.exceptions import PermissionDenied
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils import translation
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.api.errors import Problem
from apps.audit.trail import record

from . import bulk, exporting, selecting
from .bulk import EXPORT, Asked, Deed
from .models import Job, JobPart
from .models.jobs import ENDED, LEASE
from .selecting import Selection

log = structlog.get_logger(__name__)

BATCH = 200  # rows that are done at once
ONES = 20  # rows that are done one by one: each stays locked until the last is done, and others wait 5 seconds at most
LINES = 500  # of a file
TURN = 20.0  # seconds; then other jobs have theirs
MOST_TRIES = 5
MOST_NAMED = 200  # letters of a row


class LostLease(Exception):
    """Somebody else has this job now; what was in hand is dropped."""


class Over(Exception):
    """The job ends here, in this state and with this sentence."""

    def __init__(self, state: Job.State, detail: str = "") -> None:
        super().__init__(detail)
        self.state, self.detail = state, detail


@dataclass(slots=True)
class Piece:
    """What came of a batch, as a part of the result file."""

    cursor: str
    text: str
    done: int = 0
    skipped: int = 0
    failed: int = 0


# ---- Doing it


def run(job_id: Any) -> bool:
    """Work on a job until it ends or has had its turn. True when it can go on at once.

    Does nothing when somebody else is at it, or it is over.
    """
    job = Job.objects.claim(job_id)
    if job is None:
        return False
    try:
        with translation.override(job.values.get("language")):
            _work(job)
        return bool(job.mine().update(lease_until=None))
    except Over as over:
        _end(job, over)
    except LostLease:
        log.info("job taken over", job=str(job.pk))
    except (OperationalError, InterfaceError):
        raise  # our database is in trouble: the lease runs out, and the job goes on after its last batch
    except Exception as error:
        log.exception("job hit a bug", job=str(job.pk))
        _end(job, Over(Job.State.FAILED, repr(error)))
    return False


def _work(job: Job) -> None:
    """Batch after batch. Raises Over when none is left, LostLease."""
    if job.tries > MOST_TRIES:
        raise Over(Job.State.FAILED, _("Workers died at it again and again."))
    until = time.monotonic() + TURN
    while time.monotonic() < until:
        _look_again(job)
        if job.cancel_requested:
            raise Over(Job.State.CANCELLED)
        with transaction.atomic():
            _keep(job, _next(job))


def _look_again(job: Job) -> None:
    """At a job that is still ours: the fence of whoever has it now must never become ours. Raises LostLease."""
    try:
        job.refresh_from_db(from_queryset=job.mine())
    except Job.DoesNotExist:
        raise LostLease from None


def _next(job: Job) -> Piece:
    """Do the next batch, with what whoever asked may do at this moment. Raises Over."""
    user = User.objects.get(pk=job.asked_by_id)
    if not (user.is_active and user.is_staff):
        raise Over(Job.State.FAILED, _("%(person)s may not work here any more.") % {"person": user})
    try:
        selection = selecting.select(job.model, job.query, user=user, found=job.found)
        selection = selection.until(job.upto, asked_at=job.created_at)
        piece = _exported(job, selection) if job.action == EXPORT else _done(job, selection, user)
    except PermissionDenied:
        raise Over(Job.State.FAILED, _("%(person)s may not see this list any more.") % {"person": user}) from None
    except Problem as problem:
        raise Over(Job.State.FAILED, problem.detail or problem.title) from None
    if piece is None:
        raise Over(Job.State.FINISHED)
    return piece


def _keep(job: Job, piece: Piece) -> None:
    """Comes last in the transaction. Whoever has lost the job keeps nothing."""
    JobPart.objects.create(job=job, number=job.gone_through, text=piece.text)
    kept = job.mine().update(
        cursor=piece.cursor,
        done=F("done") + piece.done,
        skipped=F("skipped") + piece.skipped,
        failed=F("failed") + piece.failed,
        lease_until=Now() + LEASE,
        tries=0,
    )
    if not kept:
        raise LostLease


@transaction.atomic
def _end(job: Job, over: Over) -> None:
    if job.mine().update(state=over.state, detail=over.detail, **ENDED):
        job.refresh_from_db()
        record(job.actor, "job.end", on=job, after=job.counts(), reason=over.detail)


# ---- A batch of a file


def _exported(job: Job, selection: Selection) -> Piece | None:
    rows = selection.after(job.cursor, most=LINES)
    if not rows:
        return None
    columns = exporting.columns(selection.pages, selection.request)
    text = exporting.shown(columns, rows)
    return Piece(str(rows[-1].pk), text if job.cursor else exporting.header(columns) + text, done=len(rows))


# ---- A batch of a deed


def _done(job: Job, selection: Selection, user: User) -> Piece | None:
    deed = bulk.deed_of(selection.rows.model, job.action, user=user)
    rows = selection.after(job.cursor, most=BATCH if deed.at_once else ONES)
    if not rows:
        return None
    titles = [[_("id"), _("what"), _("what came of it"), _("why")]] if not job.cursor else []
    names = {row.pk: str(row)[:MOST_NAMED] for row in rows}
    came = outcomes(deed, list(names), Asked(user, job.actor, job.values, job.told))
    lines = [[pk, name, OUTCOMES[came[pk][0]](), came[pk][1]] for pk, name in names.items()]
    kinds = [kind for kind, _why in came.values()]
    numbers = {kind: kinds.count(kind) for kind in OUTCOMES}
    return Piece(str(rows[-1].pk), exporting.lines(titles + lines), **numbers)


type Outcomes = dict[Any, tuple[str, str]]

OUTCOMES: dict[str, Callable[[], str]] = {
    "done": lambda: _("done"),
    "skipped": lambda: _("left alone"),
    "failed": lambda: _("failed"),
}


def outcomes(deed: Deed, pks: Sequence[Any], asked: Asked) -> Outcomes:
    """Do it to these rows: what came of each, and why not. Inside a transaction.

    Many at once where the deed can; when it was not true of all of them, one by one, so that each has its own reason.
    """
    suited = set(deed.suits(_rows(deed, pks)).order_by().values_list("pk", flat=True))
    came: Outcomes = {pk: ("skipped", str(deed.otherwise)) for pk in pks if pk not in suited}
    if deed.at_once and suited and _at_once(deed, suited, asked):
        return came | dict.fromkeys(suited, ("done", ""))
    return came | {pk: _one(deed, pk, asked) for pk in pks if pk in suited}


def _at_once(deed: Deed, pks: set[Any], asked: Asked) -> bool:
    """Whether it was true of all. If not, nothing was done."""
    try:
        with transaction.atomic():
            if deed.do(_rows(deed, pks), asked) == len(pks):
                return True
            raise Problem("conflict")
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        return False


def _one(deed: Deed, pk: Any, asked: Asked) -> tuple[str, str]:
    try:
        with transaction.atomic():
            done = deed.do(_rows(deed, [pk]), asked)
    except Problem as problem:
        return "skipped", problem.detail or problem.title
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        log.exception("a row of a job hit a bug", row=str(pk))
        return "failed", type(error).__name__
    return ("done", "") if done else ("skipped", str(deed.otherwise))


def _rows(deed: Deed, pks: Any) -> Any:
    return deed.model._default_manager.filter(pk__in=list(pks))
