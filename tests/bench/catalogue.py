"""A catalogue of any size in Otter's words: the same numbers always give the same products."""

import json
import uuid
from typing import Any

PAGE = 250
MATERIALS = ("felt", "straw", "wool", "cotton", "leather", "linen", "corduroy", "tweed")
KINDS = ("fedora", "beret", "trilby", "bowler", "panama", "beanie", "bucket hat", "flat cap", "sun hat")


def summary(number: int, *, revision: int = 0) -> dict[str, Any]:
    """One inventory summary. Another revision differs in name, price and quantity."""
    material, kind = MATERIALS[number % len(MATERIALS)], KINDS[number % len(KINDS)]
    return {
        "id": str(uuid.UUID(int=number + 1)),
        "gtin": f"{8_700_000_000_000 + number:014}",
        "name": f"{material.capitalize()} {kind} no. {number}, lined, with a band, edition {revision}",
        "slug": f"{material}-{kind}-{number}",
        "externalId": f"HAT-{number:07}",
        "sellableQuantity": (number * 7 + revision) % 300,
        "unsellableQuantity": number % 4,
        "inboundQuantity": number % 50,
        "price": {"currencyCode": "EUR", "amount": (number * 37 % 20_000) / 100 + 5 + revision},
        "imageUrl": f"https://pictures.example.com/hats/{number:07}/front.jpg?width=800",
    }


def page(first: int, *, of: int, revision: int = 0) -> bytes:
    """The page that starts at number `first` of a catalogue of so many products, as it comes over the wire."""
    last = min(first + PAGE, of)
    more = {"offsetToken": str(last)} if last < of else {}
    return json.dumps({"items": [summary(n, revision=revision) for n in range(first, last)]} | more).encode()


def pages(rows: int, *, revision: int = 0) -> dict[int, bytes]:
    """Every page, by the number it starts at."""
    return {first: page(first, of=rows, revision=revision) for first in range(0, rows, PAGE)}
