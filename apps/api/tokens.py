"""Tokens and keys we give out: a prefix that says what it is, 256 random bits, and a checksum.

The checksum lets a scanner of leaked secrets (and us, before asking the database) tell ours from any other text.
"""

import secrets
import zlib

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
RANDOM, CHECK = 43, 6  # characters of base62 that hold 256 bits, and 32

ACCESS, REFRESH, CLIENT_SECRET = "xda", "xdr", "xds"
INTEGRATION_KEY, CONNECTOR_KEY, USER_KEY = "xdi", "xdc", "xdu"
KEY_PREFIXES = (INTEGRATION_KEY, CONNECTOR_KEY, USER_KEY)


def new_token(prefix: str) -> str:
    """A token never seen before, like xdi_ and 49 letters and digits."""
    body = _base62(secrets.randbits(256), RANDOM)
    return f"{prefix}_{body}{_checksum(prefix, body)}"


def is_wellformed(token: str) -> bool:
    """Whether we may have made it. What is not needs no look into the database."""
    prefix, _, rest = token.partition("_")
    body, check = rest[:RANDOM], rest[RANDOM:]
    return len(rest) == RANDOM + CHECK and rest.isascii() and _checksum(prefix, body) == check


def kind_of(token: str) -> str:
    """The prefix, which says what it is."""
    return token.partition("_")[0]


def _checksum(prefix: str, body: str) -> str:
    return _base62(zlib.crc32(f"{prefix}_{body}".encode(errors="replace")), CHECK)


def _base62(number: int, width: int) -> str:
    digits = []
    for _ in range(width):
        number, digit = divmod(number, 62)
        digits.append(ALPHABET[digit])
    return "".join(reversed(digits))
