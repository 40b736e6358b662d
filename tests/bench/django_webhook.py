"""The peer from PyPI: django-webhook, in a project, an environment and a database of its own.

It asks for an older Django than ours, so it cannot live in our environment.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from django.db import connection

from config.local.child import Child
from config.local.programs import CHECKOUT

from .sink import Sink

HOME = CHECKOUT / ".dev" / "peers" / "django-webhook"
PYTHON = HOME / "bin" / "python"
LOCKED = CHECKOUT / "requirements" / "peer-django-webhook.txt"
UV = CHECKOUT / ".dev" / "uv" / "bin" / "uv"
PROJECT = Path(__file__).parent / "peers"


def install() -> None:
    """What is locked, unless it is there already."""
    done = HOME / "installed"
    if done.exists() and done.stat().st_mtime > LOCKED.stat().st_mtime:
        return
    subprocess.run([UV, "venv", "-q", "--clear", "--python", sys.executable, HOME], check=True)
    subprocess.run([UV, "pip", "install", "-q", "--python", PYTHON, "--require-hashes", "-r", LOCKED], check=True)
    done.touch()


def make_database() -> str:
    name = f"{connection.settings_dict['NAME']}_peer"
    connection.cursor().execute(f"CREATE DATABASE {name}")
    return name


def took(receiver: Sink, broker: str, number: int, *, database: str) -> float:
    """The seconds from the first save to the last webhook that is on record as sent."""
    place = connection.get_connection_params()
    env = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "PYTHONPATH"}}
    env |= {"PGDATABASE": database, "PGUSER": place["user"], "PGHOST": place["host"], "BROKER_URL": broker}
    env |= {"PYTHONPATH": str(PROJECT), "DJANGO_SETTINGS_MODULE": "hats.settings", "PYTHONWARNINGS": "ignore"}
    saving = [PYTHON, "-m", "hats.saving", receiver.url("ok", "django-webhook"), "50", str(number)]
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat", "-l", "ERROR"]
    command = [str(PYTHON), "-m", "celery", "-A", "hats.settings", "worker", "-c", "2", *quiet]
    with tempfile.TemporaryDirectory() as folder:
        worker = Child(name="worker", command=command, log=Path(folder) / "log", env=env, cwd=PROJECT)
        worker.start()
        try:
            done = subprocess.run(saving, env=env, cwd=PROJECT, stdout=subprocess.PIPE, text=True, check=True)
        finally:
            worker.bury()
    return float(done.stdout.split()[-1])
