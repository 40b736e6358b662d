"""What the README says there is, there is. Its calls are done in `tests/guide`."""

import re
from pathlib import Path

from django.core.management import get_commands

from .test_layers import ORDER, ROOT, SLUGS

README = (ROOT / "README.md").read_text()
TARGET = re.compile(r"^([a-z]+):", re.MULTILINE)


def table(heading: str) -> list[str]:
    """What is in the first column below this heading, as code."""
    rows = README.split(heading)[1].split("\n\n")[0]
    return [name for row in rows.splitlines() for name in re.findall(r"`([^`]+)`", row.split(" | ")[0])]


def source() -> str:
    return "\n".join(path.read_text() for folder in ("apps", "config") for path in (ROOT / folder).rglob("*.py"))


def test_every_room_is_named_in_the_order_of_the_layers():
    rooms = [line.split(":")[0].strip() for line in ORDER.splitlines() if re.match(r"    [a-z]+:", line)]
    assert table("| app | owns |") == ["apps/*.py", *rooms, "sandbox"]


def test_every_target_it_says_is_one_of_make():
    said = set(re.findall(r"`make ([a-z]+)", README)) | set(re.findall(r"^make ([a-z]+)", README, re.MULTILINE))
    assert said - set(TARGET.findall((ROOT / "Makefile").read_text())) == set()
    assert {"demo", "test", "messages"} < said


def test_every_command_it_says_is_one_of_manage_py():
    said = set(re.findall(r"manage\.py ([a-z_]+)", README))
    assert said - set(get_commands()) == set()
    assert {"migrate", "deliver"} < said


def test_every_variable_it_says_is_read():
    text = source()
    connectors = tuple(f"{slug.upper()}_" for slug in SLUGS)
    named = [name for name in table("| variable | |") if not name.startswith(connectors)]
    assert [name for name in named if f'"{name}"' not in text] == []


def test_every_file_it_shows_is_there():
    shown = re.findall(r"\]\(([^)#]+)\)", README)
    assert [path for path in shown if not path.startswith("http") and not Path(ROOT, path).exists()] == []
