import json
import os
import subprocess
import sys
from pathlib import Path

import psutil

OF_THE_TESTS = {"DATABASE_URL", "BROKER_URL", "PUBLIC_URL", "SECRET_KEY", "CREDENTIAL_KEYS", "DJANGO_SETTINGS_MODULE"}


def test_a_store_owner_connects_a_store_and_everything_it_sells_arrives(tmp_path: Path):
    env = {name: value for name, value in os.environ.items() if name not in OF_THE_TESTS}
    command = [sys.executable, "-m", "config.local.once", "--state", tmp_path]

    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=240)

    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said.pop("seconds") > 0
    assert said.pop("products") > 0
    assert said == {"ok": True, "store": said["store"], "missing": 0, "unexpected": 0, "different": 0}
    assert [process for process in psutil.process_iter(["cmdline"]) if str(tmp_path) in str(process.info)] == []
    assert not (tmp_path / "demo.json").exists()
