import pytest

from tests.factories import make_connection


@pytest.fixture
def connection(owner):
    """A connected store of the owner's."""
    return make_connection(organization=owner.organization, name="Hats", connected_by=owner)
