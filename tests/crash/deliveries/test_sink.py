"""The receiver of the drill, met as any sender meets it."""

from collections import Counter
from pathlib import Path

import pytest
import requests

from .day import sink
from .ledger import Ledger
from .sink import CUT, FAILING, LOST, TAKEN

MESSAGES = 300


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    (tmp_path / "log").mkdir()
    return Ledger(tmp_path / "ledger")


def answered(session: requests.Session, address: str, number: int) -> int | None:
    """The status, or none."""
    headers = {"webhook-id": f"msg_{number}", "webhook-timestamp": "1", "webhook-signature": "v1,x"}
    try:
        return session.post(f"{address}/one", data=f"body {number}", headers=headers).status_code
    except requests.ConnectionError:
        return None


def test_it_fails_as_it_should_and_its_ledger_says_what_the_sender_heard(tmp_path: Path, ledger: Ledger):
    with sink(tmp_path, ledger=ledger.path, seed=1) as address, requests.Session() as session:
        heard = [answered(session, address, number) for number in range(MESSAGES)]
    entries = list(ledger.entries())
    said = [None if entry.answer in (LOST, CUT) else entry.answer for entry in entries]
    assert (said, [entry.id for entry in entries]) == (heard, [f"msg_{number}" for number in range(MESSAGES)])
    assert [entry.body for entry in entries if entry.answer != CUT] == [
        f"body {number}" for number, entry in enumerate(entries) if entry.answer != CUT
    ]
    answers = Counter(entry.answer for entry in entries)
    failed = MESSAGES - answers[200]
    assert abs(failed / MESSAGES - FAILING) < 0.08
    assert abs(answers[LOST] / failed - 1 / 3) < 0.15
    assert set(answers) == {200, 500, 503, LOST, CUT}
    ledger.look()
    assert ledger.taken == sum(answers[answer] for answer in TAKEN)


def test_the_same_seed_is_the_same_receiver(tmp_path: Path, ledger: Ledger):
    heard = []
    for _ in range(2):
        with sink(tmp_path, ledger=ledger.path, seed=7) as address, requests.Session() as session:
            heard.append([answered(session, address, number % 20) for number in range(60)])
    assert heard[0] == heard[1]
