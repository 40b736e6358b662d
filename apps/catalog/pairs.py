"""How pairs of SKUs are written down, and read again: typed, as a file, or in JSON. SKUs are kept to the letter.

Typed is Pipe17's one line `A:B,C:D` (contracts 2.11), or a pair on each line. A SKU that holds a colon, a comma, a
quotation mark or a line break, or begins or ends with a space, stands in quotation marks, each inside it doubled:
`"5:1 mix":MIX-51`. A file is CSV of two columns, with the line `first,second` above or without; what a spreadsheet
would run as a formula has an apostrophe before it. In JSON it is `[["A", "B"]]` or `{"A": "B"}`.

`written`, `as_csv` and the JSON list are read as the pairs they were made from.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from apps.api import bodies
from apps.api.bodies import is_storable
from apps.api.errors import Problem
from apps.integrations.connectors.base import LONGEST_ID

MOST = 50_000
MOST_NAMED = 100  # mistakes that an answer names
HEADER = ["first", "second"]
DELIMITERS = ",;\t"

QUOTED = r'"(?:[^"]|"")*"'
TYPED_PAIR = re.compile(rf'(?:{QUOTED}|[^",\r\n])+|"[^\r\n]*')
TYPED_PART = re.compile(rf'{QUOTED}|:|[^":]+|"')
NEEDS_QUOTES = re.compile(r'[":,\s\ufeff]|^[\[{]')
FORMULA = re.compile(r"'*[=+\-@\t\r]|'+[0-9]")  # of which a spreadsheet needs an apostrophe to keep the text
APOSTROPHE = re.compile(r"^'(?='*[=+\-@\t\r0-9])")


class Pair(NamedTuple):
    first: str
    second: str


class Line(NamedTuple):
    """A pair where it stands: `place` names it to people. What is no pair has more `cells`, or fewer."""

    place: str
    cells: Sequence[Any]


def read(text: str) -> list[Pair]:
    """Pairs in any of the forms; which one, the text itself shows. Raises Problem validation_error.

    JSON begins with a bracket. Where the first line has a colon outside quotation marks it was typed; else it is CSV.
    """
    text = text.removeprefix("\ufeff")
    if text.lstrip()[:1] in {"[", "{"} and (value := _json(text)) is not None:
        return from_json(value)
    first_line = re.sub(QUOTED, "", text).strip().partition("\n")[0]
    return typed(text) if ":" in first_line else from_csv(text)


def _json(text: str) -> Any:
    """None when it is none: a SKU may begin with a bracket."""
    try:
        return bodies.read(text.encode(errors="surrogatepass"))
    except Problem:
        return None


def typed(text: str) -> list[Pair]:
    """`A:B,C:D`, on one line or several. Raises Problem validation_error."""
    return checked(_typed_lines(text))


def _typed_lines(text: str) -> Iterator[Line]:
    parts = (part for part in TYPED_PAIR.findall(text) if part.strip())
    for number, part in enumerate(parts, start=1):
        yield Line(_("Pair %(n)d") % {"n": number}, _typed_cells(part))


def _typed_cells(part: str) -> list[str]:
    """What stands between the colons; nothing at all where quotation marks are not in pairs."""
    cells = [""]
    for piece in TYPED_PART.findall(part):
        if piece == ":":
            cells.append("")
        else:
            cells[-1] += piece
    skus = [cell.strip() for cell in cells]
    return [_unquoted(sku) for sku in skus] if all('"' not in sku or re.fullmatch(QUOTED, sku) for sku in skus) else []


def _unquoted(sku: str) -> str:
    return sku[1:-1].replace('""', '"') if sku.startswith('"') else sku


def from_file(content: bytes) -> list[Pair]:
    """What a file of a spreadsheet or a program holds: UTF-8, or UTF-16 with its mark. Raises Problem."""
    encoding = "utf-16" if content[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig"
    try:
        return read(content.decode(encoding))
    except UnicodeDecodeError:
        raise Problem("validation_error", _("The file is not in UTF-8. Save it as “CSV UTF-8”.")) from None


def from_csv(text: str) -> list[Pair]:
    """Two columns, parted by comma, semicolon or tab as in the first line. Raises Problem validation_error."""
    return checked(_csv_lines(text.removeprefix("\ufeff")))


def _csv_lines(text: str) -> Iterator[Line]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
    before = 0
    try:
        for cells in reader:
            number, before = before + 1, reader.line_num
            is_blank = len(cells) < len(HEADER) and not "".join(cells).strip()
            if not is_blank and not (number == 1 and [cell.strip().lower() for cell in cells] == HEADER):
                yield Line(_("Line %(n)d") % {"n": number}, [APOSTROPHE.sub("", cell) for cell in cells])
    except csv.Error:
        yield Line(_("Line %(n)d") % {"n": before + 1}, [])


def _delimiter(text: str) -> str:
    """The one by which the first line has two cells."""
    with suppress(csv.Error):
        for delimiter in DELIMITERS:
            if len(next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), [])) == len(HEADER):
                return delimiter
    return ","


def from_json(value: Any) -> list[Pair]:
    """A list of pairs, each a list or an object of `first` and `second`; or one object. Raises Problem."""
    found = list(value.items()) if isinstance(value, dict) else value
    if not isinstance(found, list):
        raise Problem("validation_error", _("Send a list of pairs."), details=[("pairs", _("Send a list of pairs."))])
    return checked(Line(f"pairs[{number}]", _cells(item)) for number, item in enumerate(found))


def _cells(item: Any) -> Sequence[Any]:
    if isinstance(item, dict):
        return [item[name] for name in HEADER] if sorted(item) == HEADER else []
    return item if isinstance(item, list | tuple) else []


def checked(lines: Iterable[Line]) -> list[Pair]:
    """The pairs, or every line that is wrong with its reason.

    Each SKU has one partner, either way. Raises Problem validation_error.
    """
    pairs, wrong = [], []
    seen: tuple[dict[str, str], dict[str, str]] = ({}, {})
    for number, line in enumerate(lines):
        if number == MOST:
            raise Problem("validation_error", _("%(n)d pairs are the most.") % {"n": MOST})
        if reason := _reason(line, seen):
            wrong.append((line.place, reason))
        else:
            pairs.append(Pair(*line.cells))
    if wrong:
        raise Problem("validation_error", _told(wrong), details=wrong[:MOST_NAMED])
    return pairs


def _reason(line: Line, seen: tuple[dict[str, str], dict[str, str]]) -> str:
    """Why this is no pair; empty when it is one, whose SKUs are `seen` from now on."""
    if len(line.cells) != len(HEADER):
        return _("This is not a pair of two SKUs.")
    for sku in line.cells:
        if problem := _problem(sku):
            return problem
    for sku, known in zip(line.cells, seen, strict=True):
        if sku in known:
            return _("%(sku)s has a partner already, in: %(place)s.") % {"sku": sku, "place": known[sku]}
    for sku, known in zip(line.cells, seen, strict=True):
        known[sku] = line.place
    return ""


def _problem(sku: Any) -> str:
    if not isinstance(sku, str):
        return _("A SKU is a text.")
    if not sku.strip():
        return _("A SKU is missing.")
    if len(sku) > LONGEST_ID:
        return _("A SKU has %(n)d characters at most.") % {"n": LONGEST_ID}
    return "" if is_storable(sku) else _("A SKU holds a character that cannot be stored.")


def _told(wrong: Sequence[tuple[str, str]]) -> str:
    place, reason = wrong[0]
    others = _(" And %(n)d more.") % {"n": len(wrong) - 1} if len(wrong) > 1 else ""
    return f"{place}: {reason}{others}"


def written(pairs: Iterable[Pair]) -> str:
    """One line each, as people type them."""
    return "\n".join(f"{_quoted(first)}:{_quoted(second)}" for first, second in pairs)


def _quoted(sku: str) -> str:
    return '"{}"'.format(sku.replace('"', '""')) if NEEDS_QUOTES.search(sku) else sku


def as_csv(pairs: Iterable[Pair]) -> Iterator[str]:
    """A file, line by line, that a spreadsheet opens without running anything in it."""
    for pair in [HEADER, *pairs]:
        line = io.StringIO()
        csv.writer(line).writerow([_harmless(sku) for sku in pair])
        yield line.getvalue()


def _harmless(sku: str) -> str:
    return f"'{sku}" if FORMULA.match(sku) else sku
