"""A worker of one job as a process of its own, on the database of the tests.

`python -m tests.drills.job_worker JOB` works on it until it is over.
"""

import sys
from datetime import timedelta
from importlib import import_module
from typing import Any

import django

LEASE = timedelta(seconds=2)


def main(job: str) -> None:
    django.setup()
    modules: Any = [import_module(f"apps.desk.{name}") for name in ("working", "models.jobs")]
    for module in modules:
        module.LEASE = LEASE
    while modules[0].run(job):
        pass


if __name__ == "__main__":
    main(*sys.argv[1:])
