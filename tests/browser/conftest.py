"""The product as `make demo` starts it, once for all tests here, and windows of Chromium in front of it."""

import os
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, BrowserType, Page

from config.local.browser import chromium
from config.local.guard import Guard
from config.local.run import Run, chosen_ports, running
from config.local.stopping import SIGNALS, StopSignals

from ..sandbox.driver import Sandbox
from .owner import DESKTOP, Owner

OF_THE_CALLER = ("DATABASE_URL", "BROKER_URL", "PUBLIC_URL", "OTTER_URL")
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
    state = Path(tempfile.mkdtemp(prefix="crossdock-browser-"))
    state.chmod(0o711)  # the database may run as another user, and must reach its own folder inside
    with ExitStack() as rooms:
        rooms.enter_context(Guard(deleting=state))
        with own_environment(), signals_given_back():
            ports = partial(chosen_ports, portal=0, sandbox=0)
            started = running(state, ports=ports, stop=StopSignals(), say=print, durable=False)
            run = rooms.enter_context(started)
        yield run


@contextmanager
def own_environment() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in OF_THE_CALLER:
            patch.delenv(name, raising=False)
        for name in ("PORT", "SANDBOX_PORT"):
            patch.setenv(name, "0")
        yield


@contextmanager
def signals_given_back() -> Iterator[None]:
    """Ctrl-C is for pytest again once everything is up."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    yield
    for number, action in before.items():
        signal.signal(number, action)


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
