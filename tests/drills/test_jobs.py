"""kill -9 in the middle of a job over hundreds of rows: none is lost, none is done twice."""

import csv
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from io import StringIO
from pathlib import Path

import pytest

from apps.audit.models import Entry
from apps.desk import exporting, working
from apps.desk.models import Job
from apps.orders.models import Order
from config.local.child import Child, wait_until
from config.local.guard import Guard
from config.local.programs import CHECKOUT
from tests.factories import make_job, make_order, make_shop

from .dispatcher import environment
from .job_worker import LEASE

pytestmark = pytest.mark.django_db(transaction=True)
ROWS, EARLY = 400, 100
PATIENCE = 60


@pytest.fixture
def workers(transactional_db, tmp_path: Path) -> Iterator[Callable[[Job], Child]]:
    """Starts one at this job; it is ended with the test."""
    with Guard() as guard, ExitStack() as rooms:

        def start(job: Job) -> Child:
            command = [sys.executable, "-m", "tests.drills.job_worker", str(job.pk)]
            name = f"worker-{time.monotonic_ns()}"
            child = Child(name=name, command=command, log=tmp_path / name, env=environment(), cwd=CHECKOUT)
            rooms.callback(guard.stop, child, within=0)
            guard.start(child)
            return child

        yield start


def reaches(job: Job, rows: int) -> bool:
    def is_there() -> bool:
        job.refresh_from_db()
        return job.gone_through >= rows or job.is_over

    return wait_until(is_there, within=PATIENCE)


def test_a_worker_killed_in_the_middle_neither_loses_a_row_nor_does_one_twice(workers):
    shop = make_shop()
    orders = [make_order(shop=shop, state=Order.State.HELD, number=f"H-{n}") for n in range(ROWS)]
    job = make_job(action="release", total=ROWS)
    first = workers(job)
    assert reaches(job, EARLY)
    first.process.kill()
    first.process.wait()
    job.refresh_from_db()
    kept = job.gone_through
    assert EARLY <= kept < ROWS
    assert Entry.objects.filter(action="order.release").count() == kept, "what was in hand is undone"
    time.sleep(LEASE.total_seconds())
    workers(job)
    assert reaches(job, ROWS)
    assert wait_until(lambda: job.refresh_from_db() or job.is_over, within=PATIENCE)
    assert (job.state, job.done, job.skipped, job.failed) == (Job.State.FINISHED, ROWS, 0, 0)
    text = "".join(exporting.download(job)).removeprefix("\ufeff")
    lines = list(csv.reader(StringIO(text, newline="")))[1:]
    assert [line[0] for line in lines] == [str(order.pk) for order in orders]
    released = Entry.objects.filter(action="order.release").values_list("target_id", flat=True)
    assert sorted(released) == sorted(str(order.pk) for order in orders)
    assert job.parts.count() == ROWS // working.ONES


def test_two_workers_at_one_job_are_one(workers):
    shop = make_shop()
    for n in range(100):
        make_order(shop=shop, state=Order.State.HELD, number=f"H-{n}")
    job = make_job(action="release", total=100)
    workers(job)
    workers(job)
    assert reaches(job, 100)
    assert wait_until(lambda: job.refresh_from_db() or job.is_over, within=PATIENCE)
    assert (job.done, Entry.objects.filter(action="order.release").count()) == (100, 100)
