from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial

import pytest

from config.local.run import chosen_ports, running
from config.local.stopping import StopSignals
from tests.sandbox.driver import Sandbox

from .otter import Otter, connected, serving
from .world import World

OF_THE_TESTS = ("DATABASE_URL", "BROKER_URL", "PUBLIC_URL", "SECRET_KEY", "CREDENTIAL_KEYS", "PORT")
OF_THE_TESTS += ("OTTER_URL", "PIO_URL")


class NeverStopped(StopSignals):
    """Leaves the signals to pytest, which ends the fixtures in order."""

    def __init__(self) -> None:
        self.received = False


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Real processes on free ports, in a folder of their own: web server, worker, beat, PostgreSQL, broker, sandbox."""
    state = tmp_path_factory.mktemp("drills") / "state"
    ports = partial(chosen_ports, portal=0, sandbox=0)
    with ExitStack() as rooms:
        with pytest.MonkeyPatch.context() as environment:  # while they start: what comes after needs it again
            for name in (*OF_THE_TESTS, "SANDBOX_PORT"):
                environment.delenv(name, raising=False)
            started = running(state, ports=ports, stop=NeverStopped(), say=print, durable=False)
            run = rooms.enter_context(started)
        yield World(run)


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with serving(tmp_path_factory.mktemp("otter")) as sandbox:
        yield sandbox


@pytest.fixture
def otter(sandbox: Sandbox, settings) -> Iterator[Otter]:
    """A store that sells 250 products on three pages, connected and not imported yet."""
    application = sandbox.application()
    known = {"URL": sandbox.url, "CLIENT_ID": application.client_id, "CLIENT_SECRET": application.secret}
    settings.CONNECTOR_ENVIRONMENT = settings.CONNECTOR_ENVIRONMENT | {"otter": known}
    yield connected(sandbox, application)
    sandbox.control("DELETE", "faults")
