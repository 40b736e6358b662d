"""Random messages, and each of them with one bit of it turned over."""

import base64
import binascii
from collections.abc import Iterator
from random import Random

type Headers = dict[str, str]
type Signed = tuple[Headers, bytes]

SIGNATURE = "webhook-signature"
LONGEST = 3_000  # characters


def alphabet(random: Random) -> str:
    """Letters, signs and what else UTF-8 can say, of one byte to four."""
    ranges = ((0x00, 0x80), (0x80, 0x800), (0x800, 0xD800), (0xE000, 0x10000), (0x10000, 0x110000))
    return "".join(chr(random.randrange(*limits)) for limits in ranges for _ in range(200))


def bodies(random: Random, *, many: int) -> Iterator[bytes]:
    """Of any length, most of them short; the first says nothing at all."""
    letters = alphabet(random)
    for number in range(many):
        length = int(LONGEST * random.random() ** 4) if number else 0
        yield "".join(random.choices(letters, k=length)).encode()


def turned(text: str, bit: int) -> str:
    return turned_bytes(text.encode("latin-1"), bit).decode("latin-1")


def turned_bytes(body: bytes, bit: int) -> bytes:
    return body[: bit // 8] + bytes([body[bit // 8] ^ 1 << bit % 8]) + body[bit // 8 + 1 :]


def every_bit(headers: Headers, body: bytes) -> Iterator[Signed]:
    """Once with each bit of the body and of each header's value turned over, but for those that mean nothing."""
    for bit in range(8 * len(body)):
        yield headers, turned_bytes(body, bit)
    for name, value in headers.items():
        for bit in range(8 * len(value)):
            if not (name == SIGNATURE and is_the_same(turned(value, bit), value)):
                yield headers | {name: turned(value, bit)}, body


def some_bit(random: Random, headers: Headers, body: bytes) -> Signed:
    """With one of them."""
    name = random.choice(["", *headers])
    if not name and body:
        return headers, turned_bytes(body, random.randrange(8 * len(body)))
    name = name or next(iter(headers))
    changed = headers[name]
    while is_the_same(changed, headers[name]):
        changed = turned(headers[name], random.randrange(8 * len(headers[name])))
    return headers | {name: changed}, body


def is_the_same(one: str, other: str) -> bool:
    """Base64 of 32 bytes ends with two bits that stand for nothing: with these turned it is the same signature."""
    try:
        return one == other or (one[:3] == other[:3] == "v1," and _bytes(one) == _bytes(other))
    except (binascii.Error, ValueError):
        return False


def _bytes(signature: str) -> bytes:
    return base64.b64decode(signature[3:])
