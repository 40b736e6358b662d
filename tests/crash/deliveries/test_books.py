"""The books themselves: each kind of wrong is seen, and what is right is not called wrong."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook

from apps.webhooks.signing import new_key

from .books import Books, balance
from .ledger import Entry, Ledger
from .sink import CUT, LOST
from .warehouse import Fact

SECRET = new_key()
NOW = 1_800_000_000
number = count(1)


def message(of: str, sequence: int, *, answer: int | str = 200, delivery: str = "", secret: str = SECRET) -> Entry:
    """Level `of`, counted for the `sequence`th time."""
    known = delivery or f"msg_{of}{sequence}"
    data = {"location_id": "harbour", "sku": of, "in_stock": sequence}
    body = "" if answer == CUT else json.dumps({"entity_id": f"of {of}", "sequence": sequence, "data": data})
    signature = Webhook(secret).sign(known, datetime.fromtimestamp(NOW, UTC), body)
    return Entry("/one", known, NOW + 0.5, str(NOW), signature, answer, body)


def facts(*named: tuple[str, int]) -> set[Fact]:
    return {("harbour", sku, pieces) for sku, pieces in named}


def counted(*entries: Entry, acknowledged: set[Fact], **more: Any) -> Books:
    return balance(acknowledged, entries=entries, secrets={"/one": SECRET}, **more)


def wrong(books: Books) -> dict[str, int]:
    """Whatever is not zero, except what is as it should be."""
    names = ("lost", "duplicated", "invented", "disordered", "unsigned", "undone")
    return {name: getattr(books, name) for name in names if getattr(books, name)}


def test_failures_and_repeats_with_their_own_id_are_right():
    said = [("a", 1, 500), ("b", 1, LOST), ("a", 1, CUT), ("a", 1, LOST), ("a", 1, 503), ("a", 1, 200), ("b", 1, 200)]
    entries = [message(of, sequence, answer=answer) for of, sequence, answer in [*said, ("a", 2, 200)]]
    books = counted(*entries, acknowledged=facts(("a", 1), ("b", 1), ("a", 2)))
    assert (books.balance, wrong(books)) == (True, {})
    assert str(books).splitlines() == [
        "8 messages came to 1 endpoints, 2 repeats, all with their own id; 0 out of order, 0 badly signed; "
        "0 not delivered by our own log.",
        "acknowledged 3, lost 0, duplicated 0, invented 0",
    ]


@pytest.mark.parametrize("answer", [500, 503, CUT])
def test_what_was_never_taken_is_lost(answer):
    books = counted(message("a", 1), message("a", 2, answer=answer), acknowledged=facts(("a", 1), ("a", 2)))
    assert (books.balance, wrong(books)) == (False, {"lost": 1})
    assert books.notes[0] == "lost, /one: 1, such as ('harbour', 'a', 2)"


def test_what_one_of_two_endpoints_did_not_hear_is_lost():
    books = balance(facts(("a", 1)), entries=[message("a", 1)], secrets={"/one": SECRET, "/two": SECRET})
    assert wrong(books) == {"lost": 1}


def test_the_same_event_under_two_ids_is_duplicated():
    again = message("a", 1, delivery="msg_9")
    books = counted(message("a", 1), again, acknowledged=facts(("a", 1)))
    assert wrong(books) == {"duplicated": 1, "disordered": 1}


def test_the_same_id_with_another_body_is_duplicated():
    first, other = message("a", 1, answer=500), message("a", 1)
    changed = other.body.replace("{", "{ ", 1)
    other = replace(other, body=changed, signature=Webhook(SECRET).sign(other.id, moment(other), changed))
    assert wrong(counted(first, other, acknowledged=facts(("a", 1)))) == {"duplicated": 1}


def test_what_nobody_was_told_is_taken_is_invented():
    books = counted(message("a", 1), message("a", 2), acknowledged=facts(("a", 1)))
    assert wrong(books) == {"invented": 1}


def test_an_older_message_after_a_newer_one_is_out_of_order():
    books = counted(message("a", 2), message("a", 1), acknowledged=facts(("a", 1), ("a", 2)))
    assert (books.balance, wrong(books)) == (False, {"disordered": 1})


def test_a_repeat_of_what_is_not_the_newest_is_out_of_order():
    entries = [message("a", 1), message("a", 2, answer=LOST), message("a", 1)]
    assert wrong(counted(*entries, acknowledged=facts(("a", 1), ("a", 2)))) == {"disordered": 1}


def test_what_was_refused_may_come_again_whenever():
    entries = [message("a", 1), message("b", 1), message("a", 2, answer=500), message("b", 2), message("a", 2)]
    acknowledged = facts(("a", 1), ("a", 2), ("b", 1), ("b", 2))
    assert wrong(counted(*entries, acknowledged=acknowledged)) == {}


@pytest.mark.parametrize(
    "change",
    [
        {"signature": ""},
        {"timestamp": ""},
        {"timestamp": str(NOW + 1)},
        {"at": NOW + 3600.0},
        {"signature": Webhook(new_key()).sign("msg_a1", datetime.fromtimestamp(NOW, UTC), message("a", 1).body)},
    ],
)
def test_a_message_that_is_not_signed_for_now_is_not_ours(change):
    books = counted(replace(message("a", 1), **change), acknowledged=facts(("a", 1)))
    assert (books.balance, wrong(books)) == (False, {"unsigned": 1})


def test_what_our_own_log_does_not_call_delivered_is_told():
    books = counted(message("a", 1), acknowledged=facts(("a", 1)), undone=2)
    assert (books.balance, wrong(books)) == (False, {"undone": 2})


def test_a_ledger_is_read_on_from_where_it_was_left(tmp_path: Path):
    lines = [json.dumps(vars(message("a", sequence))) + "\n" for sequence in (1, 2, 2)]
    path = tmp_path / "ledger"
    path.write_text(lines[0] + lines[1][:40])
    ledger = Ledger(path)
    ledger.look()
    assert ledger.taken == 1
    path.write_text("".join(lines))
    ledger.look()
    assert ledger.taken == 2
    assert [entry.id for entry in ledger.entries()] == ["msg_a1", "msg_a2", "msg_a2"]


def moment(entry: Entry) -> datetime:
    return datetime.fromtimestamp(int(entry.timestamp), UTC)
