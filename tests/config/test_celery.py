"""A worker keeps its connection to the database from task to task, as long as that works."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from celery.fixups.django import DjangoWorkerFixup
from celery.signals import task_prerun
from django.db import connection, connections

from config.celery import app


def ask(sql: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        [(found,)] = cursor.fetchall()
    return found


@pytest.fixture
def worker(transactional_db, monkeypatch):
    """Does what a worker's process does, on a connection of its own."""
    monkeypatch.setitem(connections.settings["default"], "CONN_MAX_AGE", 600)
    with ThreadPoolExecutor(1) as thread:
        yield lambda work, *args: thread.submit(work, *args).result()
        thread.submit(connections.close_all).result()


def run(sql: str) -> Any:
    """What Celery does around a task that asks the database this."""
    fixup = DjangoWorkerFixup(app)
    task = app.tasks["celery.backend_cleanup"]
    task_prerun.send(sender=task, task_id="1", task=task)
    fixup.close_database()
    found = ask(sql)
    fixup.close_database()
    return found


def test_two_tasks_share_a_connection(worker):
    assert worker(run, "SELECT pg_backend_pid()") == worker(run, "SELECT pg_backend_pid()")


def test_a_connection_that_broke_is_replaced_before_the_next_task(worker):
    broken = worker(run, "SELECT pg_backend_pid()")
    assert ask(f"SELECT pg_terminate_backend({broken}, 5000)")
    assert worker(run, "SELECT pg_backend_pid()") != broken
