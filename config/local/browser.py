"""A Chromium for the browser tests: Debian's, or Playwright's own.

`python -m config.local.browser` makes sure that one is there. Failing is a warning, in CI (CI=true) an error.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

NAMES = ("chromium", "chromium-browser")


def chromium() -> str | None:
    """The path of the system's Chromium, or None: then Playwright launches its own."""
    return next((path for path in map(shutil.which, NAMES) if path), None)


def main() -> None:
    if chromium() or playwright_has_one():
        return
    print("Fetching Chromium for the browser tests …", file=sys.stderr)
    if not (installed_by_debian() or installed_by_playwright()):
        message = "No Chromium could be installed: the browser tests cannot run."
        sys.exit(message) if os.environ.get("CI") == "true" else print(message, file=sys.stderr)


def playwright_has_one() -> bool:
    with sync_playwright() as playwright:
        return Path(playwright.chromium.executable_path).exists()


def installed_by_debian() -> bool:
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return False
    packages = ["chromium", "fonts-liberation"]
    return runs("apt-get", "update", "-q") and runs("apt-get", "install", "-qy", "--no-install-recommends", *packages)


def installed_by_playwright() -> bool:
    return runs(sys.executable, "-m", "playwright", "install", "chromium")


def runs(*command: str) -> bool:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, stdout=sys.stderr, check=False)  # noqa: S603
    return done.returncode == 0


if __name__ == "__main__":
    main()
