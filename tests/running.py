"""A whole run of the product, as `make demo` starts it, on ports and servers of its own; or web servers alone."""

import os
import signal
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from urllib.parse import quote

import pytest
from django.db import connection

from config.local.guard import Guard
from config.local.ports import HOST, port
from config.local.programs import Programs
from config.local.run import Run, chosen_ports, running
from config.local.stopping import SIGNALS, StopSignals
from config.local.testing import ENVIRONMENT

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


@contextmanager
def web_servers(count: int, *, logs: Path) -> Iterator[list[str]]:
    """gunicorn so many times, at the tests' own database, by their addresses."""
    env = ENVIRONMENT | os.environ | {"DATABASE_URL": database_url(), "ALLOWED_HOSTS": "*", "DEMO": "1"}
    programs = Programs(env=env, logs=logs)
    ports = [port("NO_SUCH_VARIABLE", default=0) for _ in range(count)]
    children = [programs.web(number) for number in ports]
    try:
        for child in children:
            child.start()
        for child in children:
            child.wait_until_ready(within=60)
        yield [f"http://{HOST}:{number}" for number in ports]
    finally:
        for child in children:
            child.ask_to_stop()
            child.bury()


def database_url() -> str:
    """Of the tests' own database."""
    known = connection.settings_dict
    password = f":{quote(known['PASSWORD'])}" if known["PASSWORD"] else ""
    place = f"{known['USER']}{password}@:{known['PORT']}" if known["PORT"] else f"{known['USER']}{password}@"
    return f"postgresql://{place}/{known['NAME']}?host={quote(known['HOST'], safe='')}"
