from collections.abc import Iterator

import pytest

from apps.accounts.models import User
from apps.shops.models import Connection
from tests.sandbox.driver import Sandbox, start, stop

from .platform import Platform, register


@pytest.fixture(scope="session")
def running_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    process, url = start(tmp_path_factory.mktemp("otter") / "sandbox.sqlite3")
    sandbox = Sandbox(url)
    yield sandbox
    sandbox.close()
    assert stop(process) == 0


@pytest.fixture
def platform(running_sandbox: Sandbox, settings) -> Platform:
    """Otter is offered, and answers without faults. What other tests connected, they connected as others."""
    running_sandbox.control("DELETE", "faults")
    application = register(running_sandbox)
    known = {"URL": running_sandbox.url, "CLIENT_ID": application.client_id, "CLIENT_SECRET": application.secret}
    settings.CONNECTOR_ENVIRONMENT = settings.CONNECTOR_ENVIRONMENT | {"otter": known}
    settings.PUBLIC_URL = "http://testserver"
    return Platform(running_sandbox, application)


@pytest.fixture
def draft(platform: Platform, owner: User) -> Connection:
    """Everything is chosen: the store Great Hats Online, under the id hats-1. Only Connect is left to press."""
    return platform.draft(owner)
