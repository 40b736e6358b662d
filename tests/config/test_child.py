import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from config.local.child import ChildFailed, wait_until
from config.local.guard import Guard

from .conftest import MakeChild

SLEEP = "import time; time.sleep(60)"
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
# A pool like Celery's: the leader forks, and its child stays when the leader is killed.
POOL = "import os, time; print(os.fork(), flush=True); time.sleep(60)"


def printed(log: Path, *, lines: int = 1) -> list[str]:
    assert wait_until(lambda: log.exists() and log.read_text().count("\n") == lines, within=10)
    return log.read_text().split()


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_a_child_that_ignores_its_signal_is_killed(guard: Guard, make_child: MakeChild):
    child = make_child(STUBBORN)
    guard.start(child)
    assert printed(child.log) == ["up"]

    guard.stop(child, within=0.2)

    assert not child.running()
    assert child.process.returncode == -signal.SIGKILL


def test_stopping_ends_the_whole_group(guard: Guard, make_child: MakeChild):
    child = make_child(POOL)
    guard.start(child)
    pids = printed(child.log, lines=2)

    guard.stop(child)

    assert wait_until(lambda: all(gone(int(pid)) for pid in pids), within=5)


def test_a_child_that_dies_before_it_serves_says_why(guard: Guard, make_child: MakeChild):
    child = make_child("raise SystemExit('no such table')", ready=lambda: False)
    guard.start(child)

    with pytest.raises(ChildFailed, match=r"(?s)^child did not start; .*no such table$"):
        child.wait_until_ready()

    guard.stop(child)


def test_a_child_that_never_serves_is_given_up(guard: Guard, make_child: MakeChild):
    child = make_child(SLEEP, ready=lambda: False)
    guard.start(child)

    with pytest.raises(ChildFailed, match="child did not start"):
        child.wait_until_ready(within=0.1)

    guard.stop(child)


def test_no_child_and_no_folder_outlives_a_parent_that_was_killed(tmp_path: Path):
    log, folder = tmp_path / "log", tmp_path / "folder"
    (folder / "inside").mkdir(parents=True)
    script = f"""
import sys, time
from pathlib import Path
from config.local.child import Child
from config.local.guard import Guard

with Guard(deleting=Path({str(folder)!r})) as guard:
    guard.start(Child(name="pool", command=[sys.executable, "-c", {POOL!r}], log=Path({str(log)!r})))
    time.sleep(60)
"""
    parent = subprocess.Popen([sys.executable, "-c", script])
    pids = printed(log, lines=2)

    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()

    assert wait_until(lambda: all(gone(int(pid)) for pid in pids), within=10)
    assert wait_until(lambda: not folder.exists(), within=5)
