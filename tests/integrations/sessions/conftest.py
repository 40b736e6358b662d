import pytest

from tests.factories import APPLICATION_TOKEN, OWNER_TOKEN, make_application_token

from .platform import Platform


@pytest.fixture
def platform(otter, db) -> Platform:
    """Otter, where the owner's token and our application's are good."""
    make_application_token()
    platform = Platform(otter)
    platform.good = {OWNER_TOKEN, APPLICATION_TOKEN}
    return platform
