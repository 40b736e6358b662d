"""A chapter of the guide as a program: its blocks of shell, what each answers, and what is kept of the answer.

In Markdown: a block of `sh`, perhaps with the status that is expected (else any 2xx); then perhaps a block of `json`,
the answer, in which … stands for any text; then perhaps `<!-- keep NAME=path -->`, for the blocks that follow.
"""

import json
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FENCE = re.compile(
    r"^```(?P<words>[^\n]*)\n(?P<text>.*?)^```$|^<!-- keep (?P<keeps>[^\n]*) -->$", re.DOTALL | re.MULTILINE
)
SETTINGS = 'silent\nshow-error\nwrite-out = "%{stderr}%{http_code}\\n"\n'


@dataclass
class Block:
    """One block of shell at a line of its chapter."""

    line: int
    text: str
    status: str = ""
    answer: Any = None
    keeps: dict[str, str] = field(default_factory=dict)

    @property
    def calls(self) -> bool:
        return "curl" in self.text


def read(chapter: Path) -> list[Block]:
    """Its blocks of shell."""
    text, blocks = chapter.read_text(), []
    for found in FENCE.finditer(text):
        language, *words = (found["words"] or "").split()[:2] or [""]
        if language == "sh":
            blocks.append(Block(text.count("\n", 0, found.start()) + 1, found["text"], *words))
        elif language == "json" and blocks and blocks[-1].calls:
            blocks[-1].answer = json.loads(found["text"])
        elif found["keeps"]:
            blocks[-1].keeps = dict(pair.split("=") for pair in found["keeps"].split())
    return blocks


def run(blocks: list[Block], *, known: dict[str, str], home: Path) -> list[str]:
    """Runs them in order, as a reader would, in the folder `home`. What went wrong, a sentence each.

    A block without a call sets variables, for all that follow.
    """
    (home / ".curlrc").write_text(SETTINGS)
    variables, wrong = "", []
    for block in blocks:
        if not block.calls:
            variables += block.text
            continue
        done = _run(variables + block.text, known=known, home=home)
        if complaint := _complaint(block, done):
            return [*wrong, f"line {block.line}: {complaint}\n{block.text}{done.stdout}{done.stderr}"]
        known |= {name: _at(json.loads(done.stdout), path) for name, path in block.keeps.items()}
    return wrong


def _run(script: str, *, known: dict[str, str], home: Path) -> subprocess.CompletedProcess[str]:
    env = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(home), **known}
    return subprocess.run(
        ["sh", "-euc", script], env=env, cwd=home, capture_output=True, text=True, check=False, timeout=60
    )


def _complaint(block: Block, done: subprocess.CompletedProcess[str]) -> str:
    statuses = re.findall(r"^\d{3}$", done.stderr, re.MULTILINE)
    if done.returncode != 0 or not statuses:
        return "it failed"
    if not all(re.fullmatch(block.status or r"2\d\d", status) for status in statuses):
        return f"answered {statuses}"
    if block.answer is not None and (other := differs(block.answer, json.loads(done.stdout))):
        return f"the answer is not as the guide says: {other}"
    return ""


def differs(told: Any, given: Any, at: str = "") -> str:
    """Where an answer is not what was told, or empty. … is any text or number, and as a list's last item any more."""
    if isinstance(told, dict) and isinstance(given, dict):
        if told.keys() != given.keys():
            return f"{at} has {sorted(given)}"
        return next(filter(None, (differs(told[key], given[key], f"{at}.{key}") for key in told)), "")
    if isinstance(told, list) and isinstance(given, list):
        return _items_differ(told, given, at)
    if told == "…" and type(given) is int:
        return ""
    if isinstance(told, str) and isinstance(given, str):
        pattern = ".*".join(map(re.escape, told.split("…")))
        return "" if re.fullmatch(pattern, given, re.DOTALL) else f"{at} is {given!r}"
    return "" if type(told) is type(given) and told == given else f"{at} is {given!r}"


def _items_differ(told: list[Any], given: list[Any], at: str) -> str:
    if told and told[-1] == "…":
        told = told[:-1]
        given = given[: len(told)]
    if len(told) != len(given):
        return f"{at} has {len(given)} items"
    pairs = enumerate(zip(told, given, strict=True))
    return next(filter(None, (differs(one, other, f"{at}[{n}]") for n, (one, other) in pairs)), "")


def _at(answer: Any, path: str) -> str:
    """The value at a path like data.0.id."""
    for name in path.split("."):
        answer = answer[int(name) if name.isdecimal() else name]
    return str(answer)
