"""A whole run of the product, as `make demo` starts it, on ports and servers of its own."""

import signal
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import pytest

from config.local.guard import Guard
from config.local.run import Run, chosen_ports, running
from config.local.stopping import SIGNALS, StopSignals

OF_THE_CALLER = ("DATABASE_URL", "BROKER_URL", "PUBLIC_URL", "OTTER_URL", "PIO_URL")


@contextmanager
def product(name: str) -> Iterator[Run]:
    """gunicorn, worker, beat, PostgreSQL, Valkey and the sandbox, in a folder that ends with the block."""
    state = Path(tempfile.mkdtemp(prefix=f"crossdock-{name}-"))
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
