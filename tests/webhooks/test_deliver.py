"""The command that sends webhooks."""

import resource
from collections.abc import Iterator

import pytest

from apps.webhooks.management.commands.deliver import MOST_FILES, open_as_many_as_we_may


@pytest.fixture
def limits() -> Iterator[tuple[int, int]]:
    found = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield found
    resource.setrlimit(resource.RLIMIT_NOFILE, found)


def test_it_opens_as_many_connections_as_the_machine_lets_it(limits):
    _soft, hard = limits
    resource.setrlimit(resource.RLIMIT_NOFILE, (512, hard))
    open_as_many_as_we_may()
    most = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (most, hard)
