"""The pytest plugin that gives the tests their environment and a PostgreSQL of their own.

The server is private to one run, in a temporary directory, and not durable: several runs in one checkout,
and a demo beside them, do not meet. Enabled with `-p config.local.testing`; what the caller's environment
sets is kept.
"""

import os
import subprocess
import sys
import tempfile
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from config.local.broker import broker
from config.local.child import Child
from config.local.guard import Guard
from config.local.postgres import postgres

ENVIRONMENT = {
    "SECRET_KEY": "only for tests, and as long as a real one has to be",
    "CREDENTIAL_KEYS": "test:" + b64encode(bytes(range(32))).decode(),
    "PUBLIC_URL": "http://testserver",
    "BROKER_URL": "memory://",
}


@pytest.hookimpl(wrapper=True)  # around pytest-django, which reads the settings in the same hook
def pytest_load_initial_conftests(early_config: pytest.Config) -> Iterator[None]:
    rooms = ExitStack()
    early_config.add_cleanup(rooms.close)
    rooms.enter_context(environment())
    return (yield)


def main() -> None:
    """`python -m config.local.testing COMMAND …` runs a command in the environment of the tests."""
    with environment():
        done = subprocess.run(sys.argv[1:], check=False)  # noqa: S603
    sys.exit(done.returncode)


@contextmanager
def environment() -> Iterator[None]:
    """Completes the process environment, and serves the database it names."""
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    with ExitStack() as rooms:
        if "DATABASE_URL" not in os.environ:
            os.environ["DATABASE_URL"] = rooms.enter_context(private_database())
        yield


@contextmanager
def private_database() -> Iterator[str]:
    """The DATABASE_URL of a server that ends with the block, or with this process however it dies."""
    with _private(lambda folder, log: postgres(folder, log=log, durable=False)) as url:
        yield url


@contextmanager
def private_broker() -> Iterator[str]:
    """The BROKER_URL of a server that ends with the block, or with this process however it dies."""
    with _private(lambda folder, log: broker(folder, log=log)) as url:
        yield url


@contextmanager
def _private(make: Callable[[Path, Path], tuple[Child, str]]) -> Iterator[str]:
    directory = Path(tempfile.mkdtemp(prefix="crossdock-test-"))
    directory.chmod(0o711)  # the server may run as another user, and must reach its own folder inside
    with Guard(deleting=directory) as guard:
        server, url = make(directory / "data", directory / "log")
        with guard.running(server):
            yield url


if __name__ == "__main__":
    main()
