"""Programs from npm, as locked beside this file, in a folder that later runs find again."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from config.local.child import Child, ChildFailed
from config.local.guard import Guard
from config.local.stopping import StopSignals

OLDEST_NODE = 20  # asked for by Vendure's own dependencies
WITHIN = 300.0  # seconds


def install(package: Path, folder: Path, *, guard: Guard, stop: StopSignals) -> None:
    """Makes `folder` hold the package and what its lock file names; quick when it does. Raises ChildFailed."""
    check_node()
    stamp = folder / "installed"
    lock = (package / "package-lock.json").read_text()
    shutil.copytree(package, folder, dirs_exist_ok=True)
    if stamp.exists() and stamp.read_text() == lock:
        return
    stamp.unlink(missing_ok=True)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    npm = Child(name="npm ci", command=command, log=folder / "npm.log", env=dict(os.environ), cwd=folder)
    run_to_the_end(npm, guard=guard, stop=stop, within=WITHIN)
    stamp.write_text(lock)


def check_node() -> None:
    """Raises ChildFailed unless there is a Node.js that Vendure runs on, and npm."""
    if not (shutil.which("node") and shutil.which("npm")):
        raise ChildFailed(f"make live needs Node.js {OLDEST_NODE} or newer with npm: install both and try again.")
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    major = re.match(r"v(\d+)\.", version)
    if not major or int(major[1]) < OLDEST_NODE:
        raise ChildFailed(f"make live needs Node.js {OLDEST_NODE} or newer; this one is {version}.")


def run_to_the_end(child: Child, *, guard: Guard, stop: StopSignals, within: float) -> None:
    """Raises ChildFailed unless the child ends by itself with status 0 within so many seconds."""
    guard.start(child)
    try:
        child.wait_until_ended(within=within, meanwhile=stop.check)
    finally:
        status = guard.bury(child)
    if status != 0:
        raise ChildFailed(f"{child.name} failed; see {child.log}.")
