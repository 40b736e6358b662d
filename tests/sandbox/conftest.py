from collections.abc import Iterator

import pytest

from tests.sandbox.driver import Application, Sandbox, start, stop


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    process, url = start(tmp_path_factory.mktemp("sandbox") / "sandbox.sqlite3")
    sandbox = Sandbox(url)
    yield sandbox
    sandbox.close()
    assert stop(process) == 0


@pytest.fixture
def sandbox(running: Sandbox) -> Iterator[Sandbox]:
    """The running sandbox as at the start, without faults; it is left so to the fixtures of the next module."""
    as_at_the_start(running)
    yield running
    as_at_the_start(running)


def as_at_the_start(running: Sandbox) -> None:
    if running.steered:
        running.control("DELETE", "faults")
        switches = {"refresh_tokens": False, "rate_limits": False, "published_inventory_names": False}
        running.control("PATCH", "switches", json=switches | {"token_seconds": 2_627_999})
        running.steered = False


@pytest.fixture
def application(sandbox: Sandbox) -> Application:
    """An application of this test's own: connections and tokens of other tests are not its."""
    return sandbox.application()
