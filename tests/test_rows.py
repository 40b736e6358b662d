"""Which test shows which behaviour and which row of the threat model: each has one, and each that is named exists.

Every room keeps its own `rows*.py` with ROWS: the row's name, then "path::test" of those that show it. Behaviours are
the numbers of research/contracts.md 5.3; AS-…, TN-…, WO-…, WI-… and IN-… rows of research/reliability.md, part B.
"""

import ast
import importlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def numbered(prefix: str, *numbers: int) -> list[str]:
    return [f"{prefix}-{number:02}" for number in numbers]


# What is left out here comes with its own issue.
NEEDED = [str(number) for number in (*range(1, 89), 94, 95, 96)]
NEEDED += numbered("AS", *range(1, 15), *range(17, 21)) + numbered("TN", *range(1, 8), 15, 16)
NEEDED += numbered("AD", *range(1, 9))
NEEDED += numbered("IN", 4, 5) + numbered("WO", *range(1, 20)) + numbered("WI", *range(1, 12))


def tables() -> Iterator[tuple[str, dict[str, list[str]]]]:
    for path in sorted(HERE.rglob("rows*.py")):
        module = ".".join(path.relative_to(HERE.parent).with_suffix("").parts)
        yield module, importlib.import_module(module).ROWS


def rows() -> dict[str, list[str]]:
    """The tests of each row, from all tables."""
    found: dict[str, list[str]] = {}
    for _, table in tables():
        for row, tests in table.items():
            found.setdefault(row, []).extend(tests)
    return found


@cache
def names_in(path: str) -> set[str]:
    tree = ast.parse((HERE.parent / path).read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


@pytest.mark.parametrize("row", NEEDED)
def test_a_row_has_a_test(row):
    assert rows().get(row)


def test_every_test_that_is_named_exists():
    named = {test for tests in rows().values() for test in tests}
    split = [test.partition("::") for test in named]
    assert [f"{path}::{name}" for path, _, name in split if name not in names_in(path)] == []


def test_no_table_names_a_row_that_nobody_knows():
    known = {*NEEDED, *map(str, range(1, 122)), *numbered("AS", *range(1, 21)), *numbered("TN", *range(1, 17))}
    known |= {*numbered("WI", *range(1, 21)), *numbered("IN", *range(1, 13))}
    assert {module: extra for module, table in tables() if (extra := set(table) - known)} == {}
