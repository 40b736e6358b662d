"""Every way a run or an item can fail has a sentence for its owner."""

import ast
from pathlib import Path

import pytest

from apps.integrations.connectors.apart import ABOUT_ROWS
from apps.integrations.connectors.base import ConnectorError, Rejected, Unauthorized, Unreachable
from apps.integrations.connectors.pio import mapping as pio
from apps.integrations.connectors.vendure import ordering as vendure
from apps.syncs import sentences, telling_parcels
from apps.syncs.models import SyncRun
from apps.syncs.publishing import OverBudget
from tests.factories import make_run

ROOT = Path(__file__).parents[2] / "apps"
CONNECTORS = ROOT / "integrations/connectors"
WORKING = [*(ROOT / "syncs").glob("*.py"), ROOT / "integrations/sessions.py", CONNECTORS / "http.py"]
WORKING += [*CONNECTORS.glob("*/client.py"), *CONNECTORS.glob("*/mapping.py")]
# A refusal that says nothing to an owner, and what only signing in can meet, have one sentence for all.
REFUSED = {"rejected", "conflict", "bad_cursor", "address_refused", "token_refused", "no_session_token"}
CONNECTING = {"id_taken"}  # no run meets it, only who opens a store at its platform: onboarding has a sentence for it


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
    errors = {"Unreachable", "Rejected", "Unauthorized", "_refused_as"}
    raised = set().union(*(codes_of(path, functions=errors, keyword="code") for path in WORKING))
    ended = set().union(*(codes_of(path, functions={"end"}, keyword="error") for path in WORKING))
    by_status = {"forbidden", "not_found", "conflict"}
    by_default = {error.default_code for error in (Unreachable, Rejected, Unauthorized, OverBudget)}
    assert {"garbled", "rate_limited", "too_much_gone", "bug"} <= raised | ended
    assert (
        raised | ended | by_status | by_default
    ) - REFUSED - CONNECTING - sentences.PARCEL.keys() == sentences.RUN.keys()


def codes_returned(path: Path, *, functions: set[str]) -> set[str]:
    """The literal codes that these functions of a file return, be it as one side of a condition; "" is none."""
    defined = [node for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef)]
    named = [function for function in defined if function.name in functions]
    assert {function.name for function in named} == functions
    returned = [node.value for function in named for node in ast.walk(function) if isinstance(node, ast.Return)]
    conditions = [value for value in returned if isinstance(value, ast.IfExp)]
    sides = [*returned, *(side for either in conditions for side in (either.body, either.orelse))]
    return {side.value for side in sides if isinstance(side, ast.Constant)} - {""}


def codes_of_bad_items(path: Path) -> set[str]:
    """The literal codes that a file gives to what it leaves out."""
    calls = (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call))
    bad = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "BadItem"]
    return {call.args[1].value for call in bad if isinstance(call.args[1], ast.Constant)}


def test_every_code_of_an_item_has_a_sentence():
    unstorable = codes_returned(ROOT / "catalog/importing.py", functions={"_problem", "_wrong_value"})
    untold = codes_returned(CONNECTORS / "vendure/mapping.py", functions={"_why_untold"})
    mapped = [*CONNECTORS.glob("*/mapping.py"), *CONNECTORS.glob("*/ordering.py")]
    unread = set().union(*(codes_of_bad_items(path) for path in mapped))
    unkept = codes_of_bad_items(ROOT / "syncs/pulling_orders.py")
    assert (untold, unread) == ({"not_found", "not_counted"}, {"unreadable", "unreadable_order", "no_sku"})
    assert unstorable | untold | unread | unkept | set(ABOUT_ROWS) == sentences.ITEM.keys()


def test_every_code_of_a_parcel_that_a_platform_does_not_take_has_a_sentence():
    refused = codes_of(CONNECTORS / "vendure/ordering.py", functions={"Rejected"}, keyword="code")
    refused |= codes_of(CONNECTORS / "otter/client.py", functions={"Rejected"}, keyword="code")
    refused |= set(vendure.REFUSED.values()) | {"may_not_change_orders"}
    assert refused - REFUSED == sentences.PARCEL.keys()
    assert set(telling_parcels.FOR_GOOD) < sentences.PARCEL.keys()


@pytest.mark.parametrize("code", [*sentences.PARCEL, "unreachable", "never heard of"])
def test_why_a_platform_was_not_told_is_a_whole_sentence(code):
    why = sentences.why_parcel(code, platform="Vendure", portal="Fast Freight")
    assert why.endswith(".")
    assert "%" not in why
    assert sentences.why_parcel("", platform="Vendure", portal="Fast Freight") == ""


def test_a_warehouses_refusals_have_sentences_by_the_names_it_gives_them():
    """Every code of Pio's that we call something else, unless only connecting meets it."""
    assert set(pio.CODES.values()) - CONNECTING <= sentences.REFUSED.keys()


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


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("error", "why", "next_"),
    [
        ("never heard of", "Otter refused to send the orders.", ""),
        (
            "unauthorized",
            "Otter no longer lets us in. Log in there again to go on.",
            "New orders come in when you have done so.",
        ),
    ],
)
def test_a_reading_of_orders_speaks_of_orders(error, why, next_):
    run = make_run(error=error, kind=SyncRun.Kind.ORDERS)
    assert sentences.why(run, portal="Fast Freight") == why
    assert sentences.what_next(run) == (next_ or "We try again by ourselves. You need not do anything.")
