import pytest

from apps.shops.models import Connection
from tests.factories import make_warehouse


@pytest.fixture
def warehouse(pio, db) -> Connection:
    return make_warehouse()
