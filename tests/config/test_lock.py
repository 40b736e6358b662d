import json
import subprocess
import sys
from pathlib import Path

import pytest

from config.local.child import ChildFailed
from config.local.lock import only_run


def test_a_second_run_is_refused_and_told_where_the_first_one_is(tmp_path: Path):
    (tmp_path / "demo.json").write_text(json.dumps({"portal_url": "http://127.0.0.1:8000"}))

    with (
        only_run(tmp_path),
        pytest.raises(
            ChildFailed, match=r"^A demo of this checkout already runs at http://127\.0\.0\.1:8000: stop it first"
        ),
        only_run(tmp_path),
    ):
        pass


def test_the_lock_is_free_after_the_run(tmp_path: Path):
    with only_run(tmp_path):
        pass
    with only_run(tmp_path) as descriptor:
        assert descriptor > 2


def test_a_run_waits_for_the_guard_of_a_killed_one(tmp_path: Path):
    script = f"""
import os, signal, subprocess, sys
from pathlib import Path
from config.local.lock import only_run

with only_run(Path({str(tmp_path)!r})) as lock:
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1)"], pass_fds=(lock,))
    os.kill(os.getpid(), signal.SIGKILL)
"""
    subprocess.run([sys.executable, "-c", script], check=False)

    with only_run(tmp_path) as descriptor:
        assert descriptor > 2
