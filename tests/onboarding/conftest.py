from collections.abc import Iterator

import pytest

from apps.accounts.models import User
from apps.shops.models import Connection
from tests.sandbox.driver import Sandbox, start, stop

from .platform import Platform, offer, seen_at_the_start


@pytest.fixture(scope="session")
def running_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    process, url = start(tmp_path_factory.mktemp("otter") / "sandbox.sqlite3")
    sandbox = Sandbox(url)
    yield sandbox
    sandbox.close()
    assert stop(process) == 0


@pytest.fixture(scope="session")
def world(running_sandbox: Sandbox) -> dict[str, dict]:
    return seen_at_the_start(running_sandbox)


@pytest.fixture
def platform(running_sandbox: Sandbox, world: dict[str, dict], settings) -> Platform:
    """Otter is offered, and answers without faults. What other tests connected, they connected as others."""
    running_sandbox.control("DELETE", "faults")
    return offer(running_sandbox, world=world, settings=settings)


@pytest.fixture
def draft(platform: Platform, owner: User) -> Connection:
    """Everything is chosen: the store Great Hats Online, under the id hats-1. Only Connect is left to press."""
    return platform.draft(owner)
