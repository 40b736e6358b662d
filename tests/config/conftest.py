import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from config.local.child import Child
from config.local.guard import Guard

MakeChild = Callable[..., Child]


@pytest.fixture
def guard() -> Iterator[Guard]:
    with Guard() as guard:
        yield guard


@pytest.fixture
def make_child(tmp_path: Path) -> MakeChild:
    """A child that runs a piece of Python and writes into the test's own folder."""

    def make(script: str, *, name: str = "child", **options: object) -> Child:
        return Child(name=name, command=[sys.executable, "-c", script], log=tmp_path / f"{name}.log", **options)

    return make
