import pytest

from apps.shops.models import Connection
from tests.factories import make_draft


@pytest.fixture
def permitted(owner, platform):
    """A draft with the permission of Great Hats, and nothing chosen."""
    return make_draft(integration=platform.integration(owner.organization), created_by=owner)


@pytest.fixture
def branded(permitted, platform):
    """… and the brand Great Hats, with its stores."""
    brand = platform.store(permitted.integration).brand
    Connection.objects.update(brand=brand)
    return Connection.objects.get()
