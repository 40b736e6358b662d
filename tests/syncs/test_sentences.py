"""Every way a run or an item can fail has a sentence for its owner."""

import ast
from pathlib import Path

import pytest

from apps.integrations.connectors.base import ConnectorError, Rejected, Unauthorized, Unreachable
from apps.syncs import sentences
from apps.syncs.models import SyncRun
from tests.factories import make_run

ROOT = Path(__file__).parents[2] / "apps"
CONNECTORS = ROOT / "integrations/connectors"
WORKING = [*(ROOT / "syncs").glob("*.py"), ROOT / "integrations/sessions.py", CONNECTORS / "http.py"]
WORKING += [*CONNECTORS.glob("*/client.py"), *CONNECTORS.glob("*/mapping.py")]
# A refusal that says nothing to an owner, and what only signing in can meet, have one sentence for all.
REFUSED = {"rejected", "conflict", "bad_cursor", "address_refused", "token_refused", "no_session_token"}


def codes_of(path: Path, *, functions: set[str], keyword: str) -> set[str]:
    """The literal codes that calls of these functions are given in a file."""
    calls = (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call))
    return {
        given.value.value
        for call in calls
        if isinstance(call.func, ast.Name) and call.func.id in functions
        for given in call.keywords
        if given.arg == keyword and isinstance(given.value, ast.Constant)
    }


def test_every_code_a_run_can_end_with_has_a_sentence():
    errors = {"Unreachable", "Rejected", "Unauthorized"}
    raised = set().union(*(codes_of(path, functions=errors, keyword="code") for path in WORKING))
    sources = (ROOT / "syncs/running.py", ROOT / "syncs/pulling.py")
    ended = set().union(*(codes_of(path, functions={"end"}, keyword="error") for path in sources))
    by_status = {"forbidden", "not_found", "conflict"}
    by_default = {error.default_code for error in (Unreachable, Rejected, Unauthorized)}
    assert {"garbled", "rate_limited", "too_much_gone", "bug"} <= raised | ended
    assert (raised | ended | by_status | by_default) - sentences.RUN.keys() - REFUSED == set()


def test_every_code_of_an_item_has_a_sentence():
    problems = {
        node.value.value
        for node in ast.walk(ast.parse((ROOT / "catalog/importing.py").read_text()))
        if isinstance(node, ast.Return) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    }
    assert problems - {""} | {"unreadable"} == sentences.ITEM.keys()


@pytest.mark.parametrize("code", [*sentences.RUN, *sorted(REFUSED), "never heard of"])
@pytest.mark.django_db
def test_a_sentence_is_whole_and_free_of_our_jargon(code):
    run = make_run(error=code, state=SyncRun.State.FAILED)
    why = sentences.why(run, portal="Fast Freight")
    assert why.endswith(".")
    assert "%" not in why
    for text in (why, sentences.what_next(run)):
        assert not {"oauth", "scope", "token", "api", "sync"} & set(text.lower().replace(".", " ").split())


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("error", "state", "why", "next_"),
    [
        ("", "queued", "", ""),
        ("", "succeeded", "", ""),
        (
            "rate_limited", "queued",
            "Otter asked us to slow down.", "We try again by ourselves. You need not do anything.",
        ),
        (
            "unauthorized", "queued",
            "Otter no longer lets us in. Log in there again to go on.", "Your products stay as they are until then.",
        ),
        (
            "application_refused", "failed",
            "Otter does not accept Fast Freight at the moment. We look after it.",
            "What had arrived is kept, and nothing was removed. We try again later, or you can try now.",
        ),
        (
            "too_much_gone", "failed",
            "Otter suddenly listed far fewer products than before. We kept what we have, to be safe.",
            "If the shorter list is right, you can accept it below.",
        ),
    ],
)  # fmt: skip
def test_an_owner_reads_what_happened_and_what_happens_now(error, state, why, next_):
    run = make_run(error=error, state=state)
    assert (sentences.why(run, portal="Fast Freight"), sentences.what_next(run)) == (why, next_)


def test_an_item_with_an_unknown_code_has_a_sentence_too():
    assert sentences.why_item("never heard of") == sentences.why_item("unreadable")


def test_the_errors_of_the_seam_have_codes():
    codes = {error.default_code for error in ConnectorError.__subclasses__()}
    assert codes == {"unreachable", "rejected", "unauthorized"}
