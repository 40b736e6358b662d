import pytest

from apps.integrations.models import Application
from tests.factories import make_partner

from .flow import Flow


@pytest.fixture
def application(db) -> Application:
    return make_partner(name="Pickwise").application


@pytest.fixture
def flow(application, owner_client) -> Flow:
    """The application's trip with the owner of Great Hats."""
    return Flow(application, owner_client)
