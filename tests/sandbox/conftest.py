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
def sandbox(running: Sandbox) -> Sandbox:
    """The running sandbox without faults and with every switch as at the start."""
    if running.steered:
        running.control("DELETE", "faults")
        switches = {"refresh_tokens": False, "rate_limits": False, "published_inventory_names": False}
        running.control("PATCH", "switches", json=switches | {"token_seconds": 2_627_999})
        running.steered = False
    return running


@pytest.fixture
def application(sandbox: Sandbox) -> Application:
    """An application of this test's own: connections and tokens of other tests are not its."""
    return sandbox.application()
