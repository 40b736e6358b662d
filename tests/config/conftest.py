import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from config.local.child import Child
from config.local.guard import Guard

OF_THE_TESTS = {"DATABASE_URL", "BROKER_URL", "PUBLIC_URL", "SECRET_KEY", "CREDENTIAL_KEYS", "DJANGO_SETTINGS_MODULE"}
MakeChild = Callable[..., Child]


@pytest.fixture
def guard() -> Iterator[Guard]:
    with Guard() as guard:
        yield guard


@pytest.fixture
def clean_environment() -> dict[str, str]:
    """The environment as it was before the tests completed it."""
    return {name: value for name, value in os.environ.items() if name not in OF_THE_TESTS}


@pytest.fixture
def make_child(tmp_path: Path) -> MakeChild:
    """A child that runs a piece of Python and writes into the test's own folder."""

    def make(script: str, *, name: str = "child", **options: object) -> Child:
        return Child(name=name, command=[sys.executable, "-c", script], log=tmp_path / f"{name}.log", **options)

    return make
