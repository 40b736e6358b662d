"""The Celery app. Tasks carry row ids only; what is owed stands in PostgreSQL."""

import os
from typing import Any

from celery import Celery
from celery.signals import task_prerun
from django.db import close_old_connections

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("crossdock")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.autodiscover_tasks(related_name="schedule")

# Celery would connect to the database anew for each task, which takes longer than most of them. As Django does between
# two requests, a connection is kept as long as it works and is not too old.
app.conf.CELERY_DB_REUSE_MAX = 1_000_000_000


@task_prerun.connect
def look_at_connections(**_: Any) -> None:
    close_old_connections()
