import secrets
from collections.abc import Iterator
from typing import Any

import pytest

from tests.sandbox.driver import Sandbox
from tests.sandbox.pio.driver import Client, Listener, listening

from .pio import Pio


@pytest.fixture(scope="session")
def listener() -> Iterator[Listener]:
    """Stands at our public address, and answers Pio, which looks whether anybody is there."""
    with listening() as listener:
        yield listener


@pytest.fixture
def warehouse(running_sandbox: Sandbox, listener: Listener, settings) -> Pio:
    return offer_warehouse(running_sandbox, portal=listener.url.removesuffix("/hooks"), settings=settings)


def offer_warehouse(sandbox: Sandbox, *, portal: str, settings: Any) -> Pio:
    """Let owners choose this sandbox as Pio, by an integration made for this test."""
    sandbox.control("DELETE", "faults")
    client = Client(sandbox, secret=secrets.token_hex(16))
    known = {"client_id": client.client_id, "client_secret": client.secret}
    sandbox.control("POST", "pio/integrations", json=known | {"redirect_uris": [f"{portal}/connect/callback/"]})
    environment = {"URL": sandbox.url, "CLIENT_ID": client.client_id, "CLIENT_SECRET": client.secret}
    settings.CONNECTOR_ENVIRONMENT = settings.CONNECTOR_ENVIRONMENT | {"pio": environment}
    settings.PUBLIC_URL = portal
    admin, picker = people(sandbox)
    return Pio(sandbox, client, portal, admin, picker)


def people(sandbox: Sandbox) -> list[tuple[str, str]]:
    """The admin and the picker of a new warehouse: e-mail and password of each."""
    name = secrets.token_hex(4)
    organization = sandbox.control("POST", "pio/organizations", json={"name": name}).json()["id"]
    accounts = [(f"{role}@{name}.example", "grid-and-shelf") for role in ("admin", "picker")]
    for email, password in accounts:
        user = {"organization": organization, "email": email, "password": password, "role": email.split("@")[0]}
        sandbox.control("POST", "pio/users", json=user)
    return accounts
