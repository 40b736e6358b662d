"""Cells are read back as each kind of spreadsheet reads them: separated by commas, by semicolons, by tabs."""

import csv
import io

import pytest

from apps.onboarding.spreadsheets import harmless


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("hats", "hats"),
        ("a=b", "a=b"),
        ("-5", "-5"),
        ("+4,50", "+4,50"),
        ("-5 hats", "'-5 hats"),
        ("@hats", "'@hats"),
        ("\ttext", "'\ttext"),
        ("\t=1+1", "\t'=1+1"),
        ("hats;=1+1", "hats;'=1+1"),
        ('hats;"=1+1;', "hats;\"'=1+1;"),
        ('hats; "" =1+1', 'hats; "" \'=1+1'),
        ('"=1+1"', '"\'=1+1"'),
        ('hats\n"＝1+1', "hats\n\"'＝1+1"),
        ('say "a=b"', 'say "a=b"'),
    ],
)
def test_what_would_be_calculated_begins_with_an_apostrophe(text, cell):
    assert harmless(text) == cell


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("text", ["=1+1", 'x;"=1+1;', 'x;""=1+1', 'x\t"=1+1\t', 'x;" "=1+1', 'x\r\n"=1+1'])
def test_in_07_no_cell_is_a_formula_wherever_it_is_opened(text, separator):
    written = io.StringIO()
    csv.writer(written).writerow([5, harmless(text)])
    cells = [
        cell for row in csv.reader(io.StringIO(written.getvalue(), newline=""), delimiter=separator) for cell in row
    ]
    assert [cell for cell in cells if cell.lstrip(' \t\r\n"').startswith("=")] == []


def test_a_text_of_empty_lines_is_read_once():
    """Pairs of them were, which for this one took a quarter of an hour."""
    assert harmless("x" + "\n" * 400_000) == "x" + "\n" * 400_000
