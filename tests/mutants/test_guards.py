"""The table of `make mutants` still fits the code: each guard stands where it says, and its tests exist."""

import ast
from pathlib import Path

import pytest

from .table import ALL

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.parametrize("guard", ALL, ids=lambda guard: f"{guard.row} {guard.text[:40]}")
def test_a_guard_stands_once_and_what_takes_its_place_is_python(guard):
    text = (ROOT / guard.file).read_text()
    assert text.count(guard.text) == 1
    ast.parse(text.replace(guard.text, guard.becomes))


@pytest.mark.parametrize("test", sorted({test for guard in ALL for test in guard.tests}))
def test_a_test_that_has_to_see_it_exists(test):
    path, _, name = test.partition("::")
    assert f"def {name}(" in (ROOT / path).read_text()


def test_there_are_as_many_as_were_promised():
    assert len(ALL) >= 25
