import pytest

from apps.shops.models import Connection
from apps.syncs.models import SyncRun
from tests.factories import make_application_token, make_connection, make_run

from .platform import Platform, item


@pytest.fixture
def platform(otter) -> Platform:
    """Lists seven products on three pages, until the test says otherwise."""
    listing = Platform([[item(1), item(2), item(3)], [item(4), item(5), item(6)], [item(7)]])
    listing.serve(otter)
    return listing


@pytest.fixture
def connection(platform, db) -> Connection:
    """A connected store of that platform."""
    make_application_token()
    return make_connection()


@pytest.fixture
def run(connection) -> SyncRun:
    """A run that is due."""
    return make_run(connection=connection)
