"""The product as `make demo` starts it, once for all tests here, and windows of Chromium in front of it."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, BrowserType, Page

from config.local.browser import chromium
from config.local.run import Run

from ..running import product
from ..sandbox.driver import Sandbox
from .owner import DESKTOP, Owner

QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
VIOLATIONS = "addEventListener('securitypolicyviolation', e => console.error(`policy: ${e.violatedDirective}`))"

OpenWindow = Callable[..., Owner]


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any], browser_type: BrowserType) -> dict[str, Any]:
    path = chromium()
    if not path and not Path(browser_type.executable_path).exists():
        missing = "There is no Chromium on this machine: `make browser` fetches one."
        pytest.fail(missing) if os.environ.get("CI") else pytest.skip(missing)
    return browser_type_launch_args | {"executable_path": path, "args": QUIET}


@pytest.fixture(scope="package")
def run(browser: Browser) -> Iterator[Run]:
    """gunicorn, worker, beat, PostgreSQL, Valkey and the sandbox. After `browser`: without one nothing is started."""
    with product("browser") as run:
        yield run


@pytest.fixture
def sandbox(run: Run) -> Iterator[Sandbox]:
    """The simulated platform, steered from outside; without faults when the test ends."""
    sandbox = Sandbox(run.facts["sandbox_url"])
    yield sandbox
    sandbox.control("DELETE", "faults")
    sandbox.close()


@pytest.fixture(scope="package")
def signed_in(browser: Browser, run: Run) -> dict[str, Any]:
    """The cookies of a browser in which the owner has signed in."""
    context = browser.new_context(locale="en-GB")
    Owner(context.new_page(), facts=run.facts).sign_in()
    cookies = context.storage_state()
    context.close()
    return cookies


@pytest.fixture
def open_window(
    new_context: Callable[..., BrowserContext], run: Run, signed_in: dict[str, Any]
) -> Iterator[OpenWindow]:
    """Opens windows, with the owner signed in unless asked not to. What Chromium complains of fails the test."""
    complaints: list[str] = []

    def open_one(*, size: dict[str, int] = DESKTOP, scripts: bool = True, is_signed_in: bool = True) -> Owner:
        context = new_context(
            viewport=size,
            java_script_enabled=scripts,
            storage_state=signed_in if is_signed_in else None,
            locale="en-GB",
            reduced_motion="reduce",
        )
        context.add_init_script(VIOLATIONS)
        page = context.new_page()
        listen(page, complaints)
        return Owner(page, facts=run.facts, scripts=scripts)

    yield open_one
    assert complaints == []


def listen(page: Page, complaints: list[str]) -> None:
    page.set_default_timeout(20_000)
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
