"""What the guide and the README tell a partner's developer, done to the letter with a product like `make demo`'s."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import browser
import crossdock
import pytest

from config.local.pages import Visitor
from config.local.programs import CHECKOUT
from config.local.run import Run
from config.local.walk import connect_a_store

from ..running import product
from .chapters import read, run
from .reader import Reader

GUIDE = sorted((CHECKOUT / "docs").glob("*.md"))
pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="There is no curl on this machine.")


@pytest.fixture(scope="module")
def demo() -> Iterator[Run]:
    """In which the owner has connected a store at the simulated platform."""
    with product("guide") as demo:
        facts = demo.facts
        account = facts["sandbox_users"]["great-shoes"]
        owner, portal = facts["users"]["owner"], facts["portal_url"]
        connect_a_store(Visitor(), portal, owner=owner, platform="otter", account=account, meanwhile=demo.tend)
        yield demo


@pytest.fixture(scope="module")
def partner(demo: Run) -> Iterator[dict[str, Any]]:
    with browser.listening() as callback:
        portal = crossdock.Crossdock(demo.facts["portal_url"])
        registered = portal.register("Reader", email="reader@partner.example", callback_url=callback.url)
        yield {"registered": registered, "callback": callback}


@pytest.mark.parametrize("chapter", [CHECKOUT / "README.md", *GUIDE], ids=lambda path: path.stem)
def test_every_call_of_a_chapter_answers_what_it_says(
    chapter: Path, demo: Run, partner: dict[str, Any], tmp_path: Path
):
    (tmp_path / ".dev").symlink_to(demo.state)
    reader = Reader(demo.facts, **partner)
    assert run(read(chapter), known=reader.variables(chapter.read_text()), home=tmp_path) == []


def test_no_call_of_the_guide_stands_where_the_tests_do_not_look():
    told = {chapter.name: len(re.findall(r"\bcurl +[-\"'$h]", chapter.read_text())) for chapter in GUIDE}
    done = {chapter.name: sum(block.text.count("curl ") for block in read(chapter)) for chapter in GUIDE}
    assert told == done and sum(done.values()) > 60


def test_the_reference_partner_goes_the_whole_way(demo: Run):
    command = [sys.executable, "docs/partner", "--auto", "--demo", demo.state / "demo.json"]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False, timeout=90)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("Done: every step did what it should.\n")
    assert "Left out" not in done.stdout
    assert json.loads((demo.state / "demo.json").read_text())["integration_key"] not in done.stdout
