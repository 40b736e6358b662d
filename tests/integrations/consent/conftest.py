import pytest
import responses

from tests.conftest import OTTER

from ..connectors.otter import ORGANIZATION, TOKEN, recorded


@pytest.fixture
def platform(otter) -> responses.RequestsMock:
    """Otter exchanges any code for a token of Great Hats."""
    otter.post(OTTER + TOKEN, json=recorded("token"))
    otter.get(OTTER + ORGANIZATION, json=recorded("organization"))
    return otter
