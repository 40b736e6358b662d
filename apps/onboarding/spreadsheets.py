"""What others wrote, as a cell of a file that people open in a spreadsheet."""

import re

# What a spreadsheet takes for a formula at the beginning of a cell (OWASP), also in its wide form. Where lists are
# separated by semicolons, as in Dutch Excel, a cell begins after each of those, too, whatever stands in quotes; and the
# quotes there are no part of it.
BEGINNING = re.compile(r"(^|[;\t\r\n])([\s\"]*)([=+\-@＝＋－＠]?)")
TABS = {"\t", "\r", "\n"}
NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?")


def harmless(text: str) -> str:
    """A number stays one; any other text that would be calculated begins with an apostrophe."""
    return text if NUMBER.fullmatch(text) else BEGINNING.sub(_marked, text)


def _marked(begun: re.Match[str]) -> str:
    before, quotes, sign = begun.groups()
    if sign:
        return f"{before}{quotes}'{sign}"
    return f"'{begun[0]}" if begun.start() == 0 and begun[0][:1] in TABS else begun[0]
