"""IN-04 of the threat model: SKUs that come back as they were sent, each a SKU of its own, and those that are refused.

Any text that a platform or a partner calls a thing by; tests of the API and of each connector's mapping use them.
"""

import unicodedata

LONGEST = 255

KEPT = [
    "007",
    "7",
    "1e5",
    "100000",
    "0x10",
    "-1",
    "TRUE",
    "null",
    "NaN",
    "hat-1",
    "HAT-1",
    " HAT-1",
    "HAT-1 ",
    "HAT-1\t",
    "HAT\n1",
    "HAT 1",
    "HAT\N{NO-BREAK SPACE}1",
    "HAT\N{ZERO WIDTH SPACE}1",
    unicodedata.normalize("NFC", "Café"),
    unicodedata.normalize("NFD", "Café"),
    "\N{KELVIN SIGN}",
    "K",
    "\N{HEBREW LETTER ALEF}\N{HEBREW LETTER BET}-1",
    "\N{RIGHT-TO-LEFT OVERRIDE}1-TAH",
    "\N{TOP HAT}",
    "\N{FAMILY}\N{EMOJI MODIFIER FITZPATRICK TYPE-4}",
    "=1+1",
    "'; DROP TABLE catalog_product; --",
    "<b>hat</b>",
    "{{ 7 * 7 }}",
    "a\\b",
    '"quoted"',
    "a,b;c:d/e?f&g=h#i%20",
    "\\N",
    "\x01",
    "x" * LONGEST,
    "\N{TOP HAT}" * LONGEST,
]

# What PostgreSQL cannot hold, what is nothing, and what is too long.
REFUSED = ["HAT\x001", "\x00", "HAT\ud83c", "\udc00", "", " ", "\t\n", "x" * (LONGEST + 1)]
