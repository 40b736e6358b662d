import pytest

from apps.egress import OutboundOAuthSession
from apps.integrations.connectors.pio.client import PioClient
from tests.conftest import PIO


@pytest.fixture
def client() -> PioClient:
    session = OutboundOAuthSession("crossdock", token={"access_token": "a-shops-token", "token_type": "Bearer"})
    return PioClient(session, address=PIO)
