"""Celery's side of the jobs: a doorbell, and what beat starts regularly. The rows say what is owed."""

from celery import shared_task

from . import problems, working
from .models import Job, JobPart
from .starting import ring_for

OLD_AT_ONCE = 100


@shared_task
def work_on_job(job_id: str) -> None:
    if working.run(job_id):
        ring_for(job_id)


@shared_task(expires=5)
def ring_for_due_jobs() -> None:
    """Ring again for whatever is due: the broker may have lost the first ring, or a worker died at work."""
    for pk in Job.objects.due().order_by("created_at").values_list("pk", flat=True)[:100]:
        ring_for(pk)


@shared_task
def forget_old_jobs() -> None:
    """Result files after a week, jobs after a quarter. In pieces, so that nobody waits."""
    results = JobPart.objects.filter(job__in=Job.objects.with_old_results()).order_by("pk")
    while parts := list(results.values_list("pk", flat=True)[:OLD_AT_ONCE]):
        JobPart.objects.filter(pk__in=parts).delete()
    while jobs := list(Job.objects.old().values_list("pk", flat=True)[:OLD_AT_ONCE]):
        Job.objects.filter(pk__in=jobs).delete()


@shared_task(expires=300)
def let_go_of_dismissals() -> None:
    problems.let_go()
