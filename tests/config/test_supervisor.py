import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from config.local.child import Child, wait_until
from config.local.guard import Guard
from config.local.supervisor import Supervisor

from .conftest import MakeChild
from .test_child import POOL, SLEEP, STUBBORN, gone, printed


def tend_until(supervisor: Supervisor, condition, *, within: float = 5) -> bool:
    return wait_until(condition, within=within, meanwhile=supervisor.tend)


def test_a_killed_child_is_back_within_a_second(guard: Guard, make_child: MakeChild):
    said: list[str] = []
    child = make_child(SLEEP, name="worker")
    with Supervisor(guard, say=said.append) as supervisor:
        supervisor.start(child)
        killed = child.pid

        os.kill(killed, signal.SIGKILL)

        assert tend_until(supervisor, lambda: child.pid != killed and child.running(), within=1)
        assert said == [f"worker (process {killed}) ended with status -9; starting it again now."]


def test_what_a_killed_child_left_behind_is_gone_before_it_comes_back(guard: Guard, make_child: MakeChild):
    child = make_child(POOL)
    with Supervisor(guard, say=lambda line: None) as supervisor:
        supervisor.start(child)
        orphan = next(int(pid) for pid in printed(child.log, lines=2) if pid != "0")

        killed = child.pid

        os.kill(killed, signal.SIGKILL)

        assert tend_until(supervisor, lambda: child.pid != killed)
        assert gone(orphan)


def test_a_child_that_keeps_dying_waits_longer_each_time(guard: Guard, make_child: MakeChild):
    said: list[str] = []
    with Supervisor(guard, say=said.append) as supervisor:
        supervisor.start(make_child("raise SystemExit(3)"))

        tend_until(supervisor, lambda: len(said) == 3, within=10)

    assert [line.split("ended ")[1] for line in said] == [
        "with status 3; starting it again now.",
        "with status 3; starting it again in 1 s.",
        "with status 3; starting it again in 2 s.",
    ]


def test_groups_stop_in_the_opposite_order_of_their_start(guard: Guard, make_child: MakeChild, tmp_path: Path):
    ended = tmp_path / "ended"
    script = (
        "import pathlib, signal, sys, time\n"
        "def end(*_): pathlib.Path({ended!r}).open('a').write({name!r} + ' '); sys.exit()\n"
        "signal.signal(signal.SIGTERM, end); print('up', flush=True); time.sleep(60)"
    )
    database, web = (make_child(script.format(ended=str(ended), name=name), name=name) for name in ("database", "web"))
    with Supervisor(guard, say=lambda line: None) as supervisor:
        supervisor.start(database)
        supervisor.start(web)
        assert [printed(child.log) for child in (database, web)] == [["up"], ["up"]]

    assert ended.read_text() == "web database "


def test_children_of_a_group_are_asked_together(guard: Guard, make_child: MakeChild):
    stubborn = [make_child(STUBBORN, name=name) for name in ("one", "two", "three")]
    supervisor = Supervisor(guard, say=lambda line: None)
    supervisor.start(*stubborn)
    assert [printed(child.log) for child in stubborn] == [["up"]] * 3

    began = time.monotonic()
    supervisor.stop(within=0.5)

    assert time.monotonic() - began < 1.4
    assert not any(child.running() for child in stubborn)


def test_a_terminated_run_leaves_nothing(tmp_path: Path):
    script = f"""
import sys
from pathlib import Path
from config.local.child import Child, wait_until
from config.local.guard import Guard
from config.local.stopping import Stopped, StopSignals
from config.local.supervisor import Supervisor

stop = StopSignals()
try:
    with Guard() as guard, Supervisor(guard, say=print) as supervisor:
        log = Path({str(tmp_path / "log")!r})
        supervisor.start(Child(name="pool", command=[sys.executable, "-c", {POOL!r}], log=log))
        wait_until(lambda: False, within=60, meanwhile=stop.check)
except Stopped:
    print("stopped in order")
"""
    run = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    pids = printed(tmp_path / "log", lines=2)

    run.terminate()

    assert run.communicate(timeout=10) == ("stopped in order\n", None)
    assert run.returncode == 0
    assert wait_until(lambda: all(gone(int(pid)) for pid in pids), within=5)


def test_a_second_start_forgets_the_first_process(guard: Guard, make_child: MakeChild):
    child: Child = make_child(SLEEP)
    guard.start(child)
    guard.stop(child)
    guard.start(child)

    assert child.running()
    guard.stop(child)
    assert not child.running()
