"""Pairs written down and read again, and everything that is wrong in what people type or upload."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.api.errors import Problem
from apps.catalog import pairs
from apps.catalog.pairs import Pair

texts = st.one_of(
    st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=20),
    st.text("'\"=+-@:,;\t\r\n 07aA[{\ufeff帽", min_size=1, max_size=8),
).filter(str.strip)


@st.composite
def mappings(draw):
    firsts = draw(st.lists(texts, unique=True, max_size=8))
    seconds = draw(st.lists(texts, unique=True, min_size=len(firsts), max_size=len(firsts)))
    return [Pair(*both) for both in zip(firsts, seconds, strict=True)]


@given(mappings())
def test_whatever_is_written_in_any_form_is_read_as_it_was(mapping):
    assert pairs.typed(pairs.written(mapping)) == mapping
    assert pairs.read(pairs.written(mapping)) == mapping
    assert pairs.from_csv("".join(pairs.as_csv(mapping))) == mapping
    assert pairs.from_file("".join(pairs.as_csv(mapping)).encode()) == mapping
    assert pairs.read(json.dumps([list(pair) for pair in mapping])) == mapping
    assert pairs.from_json(dict(mapping)) == mapping


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("A:B,C:D", [("A", "B"), ("C", "D")]),
        (" A : B ,\n\nC:D\r\nE:F,", [("A", "B"), ("C", "D"), ("E", "F")]),
        ('"a:b":"c,d","say ""hi""":X', [("a:b", "c,d"), ('say "hi"', "X")]),
        ('" A ":B', [(" A ", "B")]),
        ("A B:C D", [("A B", "C D")]),
        ("[A:B", [("[A", "B")]),
        ("first,second\r\nA,B\r\n", [("A", "B")]),
        ("\ufeffFirst;Second\nA;B", [("A", "B")]),
        ("A\tB\nC\tD", [("A", "B"), ("C", "D")]),
        ("A,B\n\n\nC,D", [("A", "B"), ("C", "D")]),
        ('"A,1","B:2"', [("A,1", "B:2")]),
        ("'=A,'007", [("=A", "007")]),
        ("A, B", [("A", " B")]),
        ('{"A": "B"}', [("A", "B")]),
        ('[{"first": "A", "second": "B"}]', [("A", "B")]),
        ("A:B,B:A", [("A", "B"), ("B", "A")]),
        ("", []),
        (" \n", []),
    ],
)
def test_pairs_are_read_in_every_form(text, found):
    assert pairs.read(text) == [Pair(*pair) for pair in found]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_file_is_read_in_the_encodings_of_spreadsheets(encoding):
    assert pairs.from_file("first,second\nä,帽子\n".encode(encoding)) == [Pair("ä", "帽子")]


def refused(read, value):
    with pytest.raises(Problem) as caught:
        read(value)
    assert caught.value.code == "validation_error"
    return caught.value.details or caught.value.detail


NOT_A_PAIR = "This is not a pair of two SKUs."


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("A:B,C", [("Pair 2", NOT_A_PAIR)]),
        ("A:B:C", [("Pair 1", NOT_A_PAIR)]),
        ("A::B", [("Pair 1", NOT_A_PAIR)]),
        ('A:"B', [("Pair 1", "A SKU is missing."), ("Pair 2", NOT_A_PAIR)]),
        ('A:x"B"', [("Pair 1", NOT_A_PAIR)]),
        ("A:", [("Pair 1", "A SKU is missing.")]),
        (":", [("Pair 1", "A SKU is missing.")]),
        ("A:B,A:C", [("Pair 2", "A has a partner already, in: Pair 1.")]),
        ("A:B,C:B", [("Pair 2", "B has a partner already, in: Pair 1.")]),
        ("A,B\nC\nD,E,F", [("Line 2", NOT_A_PAIR), ("Line 3", NOT_A_PAIR)]),
        ("first,second\nA,B\nA,C", [("Line 3", "A has a partner already, in: Line 2.")]),
        ('"two\nlines",B\nC', [("Line 3", NOT_A_PAIR)]),
        ("A, ", [("Line 1", "A SKU is missing.")]),
        (f"A,{'B' * 256}", [("Line 1", "A SKU has 255 characters at most.")]),
        ("A,B\x00", [("Line 1", "A SKU holds a character that cannot be stored.")]),
        ("A,B\ud800", [("Line 1", "A SKU holds a character that cannot be stored.")]),
        ("A,B\n" + "C" * 200_000 + ",D", [("Line 2", NOT_A_PAIR)]),
        ('["A"]', [("pairs[0]", NOT_A_PAIR)]),
        ('[["A", 1]]', [("pairs[0]", "A SKU is a text.")]),
        ('[{"first": "A"}]', [("pairs[0]", NOT_A_PAIR)]),
    ],
)
def test_every_wrong_line_is_named_with_its_reason(text, wrong):
    assert refused(pairs.read, text) == wrong


def test_no_file_in_another_encoding_is_read():
    assert refused(pairs.from_file, "ä,b".encode("latin-1")) == "The file is not in UTF-8. Save it as “CSV UTF-8”."


@pytest.mark.parametrize("value", [None, "A:B", 7, True])
def test_json_that_is_no_list_is_refused(value):
    assert refused(pairs.from_json, value) == [("pairs", "Send a list of pairs.")]


def test_of_very_many_mistakes_the_first_are_named_and_the_rest_counted():
    with pytest.raises(Problem) as caught:
        pairs.read("A:B\n" + "C\n" * 300)
    assert len(caught.value.details) == pairs.MOST_NAMED
    assert caught.value.detail == f"Pair 2: {NOT_A_PAIR} And 299 more."


def test_fifty_thousand_pairs_are_read_and_not_one_more():
    lines = [[f"A{n}", f"B{n}"] for n in range(pairs.MOST + 1)]
    assert len(pairs.from_json(lines[:-1])) == pairs.MOST
    assert refused(pairs.from_json, lines) == "50000 pairs are the most."


@pytest.mark.parametrize("text", ['"' * 100_001, " " * 200_000 + "x", ":" * 100_000, ' "' * 50_000])
def test_nothing_that_can_be_typed_takes_long_to_be_refused(text):
    assert refused(pairs.read, text)
