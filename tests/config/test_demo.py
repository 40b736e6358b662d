import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from config.local.child import wait_until
from config.local.ports import HOST
from config.local.postgres import remove

COMMAND = [sys.executable, "-m", "config.local.demo", "--state"]


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    remove(tmp_path / "postgres")


def working_in(state: Path) -> list[str]:
    """The programs of a demo, known by what it put into their environment and their command lines."""
    found = psutil.process_iter(["cmdline", "environ", "status"])
    return [str(p.info["cmdline"]) for p in found if str(state) in str(p.info) and p.info["status"] != "zombie"]


@pytest.mark.parametrize("variable", ["PORT", "SANDBOX_PORT"])
def test_a_taken_port_is_one_clear_sentence(state: Path, clean_environment: dict[str, str], variable: str):
    with socket.create_server((HOST, 0)) as server:
        taken = str(server.getsockname()[1])
        env = clean_environment | {"PORT": "0", "SANDBOX_PORT": "0", variable: taken}
        done = subprocess.run([*COMMAND, state], env=env, capture_output=True, text=True, check=False, timeout=60)

    assert done.stderr == f"Port {taken} is in use by another program: set {variable} to a free one.\n"
    assert done.returncode == 1
    assert working_in(state) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_demo_that_is_stopped_while_it_starts_leaves_nothing(
    state: Path, clean_environment: dict[str, str], number: signal.Signals
):
    env = clean_environment | {"PORT": "0", "SANDBOX_PORT": "0"}
    demo = subprocess.Popen([*COMMAND, state], env=env, stdout=subprocess.PIPE, text=True)
    assert wait_until((state / "log" / "prepare.log").exists, within=60)
    assert len(working_in(state)) > 2

    demo.send_signal(number)

    said, _ = demo.communicate(timeout=30)
    assert (demo.returncode, said.splitlines()[-1]) == (0, "Stopped.")
    assert wait_until(lambda: working_in(state) == [], within=5)
    assert not (state / "demo.json").exists()
