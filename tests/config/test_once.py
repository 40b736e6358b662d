import json
import subprocess
import sys
from pathlib import Path

import psutil


def test_a_store_owner_connects_a_store_and_everything_it_sells_arrives(
    tmp_path: Path, clean_environment: dict[str, str]
):
    command = [sys.executable, "-m", "config.local.once", "--state", tmp_path]

    done = subprocess.run(command, env=clean_environment, capture_output=True, text=True, check=False, timeout=240)

    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said.pop("seconds") > 0
    assert said.pop("products") > 0
    assert said == {"ok": True, "store": said["store"], "missing": 0, "unexpected": 0, "different": 0}
    assert [process for process in psutil.process_iter(["cmdline"]) if str(tmp_path) in str(process.info)] == []
    assert not (tmp_path / "demo.json").exists()
