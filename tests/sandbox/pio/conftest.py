from collections.abc import Iterator

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
