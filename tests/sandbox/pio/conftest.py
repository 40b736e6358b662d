from collections.abc import Callable, Iterator

import pytest

from tests.sandbox.driver import Sandbox

from .driver import Client, Listener, Shop, listening


@pytest.fixture
def client(sandbox: Sandbox) -> Client:
    """An integration of this test's own."""
    return Client(sandbox).register()


@pytest.fixture
def shop(client: Client) -> Shop:
    return client.shop()


@pytest.fixture
def listener() -> Iterator[Listener]:
    with listening() as listener:
        yield listener


@pytest.fixture
def auto_pick(sandbox: Sandbox) -> Iterator[Callable[..., None]]:
    """Sets whether everything is picked by itself; afterwards nothing is."""
    yield lambda **wanted: sandbox.control("PUT", "pio/auto_pick", json=wanted)
    sandbox.control("PUT", "pio/auto_pick", json={})
