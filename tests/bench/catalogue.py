"""A catalogue of any size, as a platform would send it: the same numbers always give the same products.

Every field that a product can have is there, so that nothing is measured that is easier than the real thing.
"""

import json
import uuid
from decimal import Decimal
from typing import Any

from apps.integrations.connectors.base import Page, RemoteProduct

PAGE = 250
MATERIALS = ("felt", "straw", "wool", "cotton", "leather", "linen", "corduroy", "tweed")
KINDS = ("fedora", "beret", "trilby", "bowler", "panama", "beanie", "bucket hat", "flat cap", "sun hat")
COUNTRIES = ("NL", "IT", "PT", "EC")


def item(number: int, *, revision: int = 0) -> dict[str, Any]:
    """One product as its platform says it. Another revision differs in name, price and quantity."""
    material, kind = MATERIALS[number % len(MATERIALS)], KINDS[number % len(KINDS)]
    return {
        "id": str(uuid.UUID(int=number + 1)),
        "sku": f"HAT-{number:07}",
        "name": f"{material.capitalize()} {kind} no. {number}, lined, with a band, edition {revision}",
        "gtin": f"{8_700_000_000_000 + number:014}",
        "price": {"currency": "EUR", "amount": str(Decimal(number * 37 % 20_000 + 500 + 100 * revision) / 100)},
        "image": f"https://pictures.example.com/hats/{number:07}/front.jpg?width=800",
        "grams": number % 400 + 80,
        "millimetres": [300, 280, number % 150 + 90],
        "hsCode": f"6505.00.{number % 90 + 10}",
        "origin": COUNTRIES[number % len(COUNTRIES)],
        "brand": "Great Hats",
        "type": kind,
        "tags": [material, kind],
        "available": (number * 7 + revision) % 300,
    }


def page(first: int, *, of: int, revision: int = 0) -> bytes:
    """The page that starts at number `first` of a catalogue of so many products, as it comes over the wire."""
    last = min(first + PAGE, of)
    more = {"next": str(last)} if last < of else {}
    return json.dumps({"items": [item(n, revision=revision) for n in range(first, last)]} | more).encode()


def pages(rows: int, *, revision: int = 0) -> dict[int, bytes]:
    """Every page, by the number it starts at."""
    return {first: page(first, of=rows, revision=revision) for first in range(0, rows, PAGE)}


def products(body: bytes) -> Page[RemoteProduct]:
    """A page as a connector's mapping gives it."""
    data = json.loads(body)
    return Page([product(one) for one in data["items"]], next_cursor=data.get("next", ""))


def product(data: dict[str, Any]) -> RemoteProduct:
    price, (length, width, height) = data["price"], data["millimetres"]
    return RemoteProduct(
        ext_product_id=data["id"],
        sku=data["sku"],
        name=data["name"],
        barcodes=(data["gtin"],),
        price=Decimal(price["amount"]),
        currency=price["currency"],
        image_src=data["image"],
        weight=Decimal(data["grams"]),
        length=Decimal(length),
        width=Decimal(width),
        height=Decimal(height),
        hs_code=data["hsCode"],
        country_of_origin=data["origin"],
        brand=data["brand"],
        type=data["type"],
        tags=tuple(data["tags"]),
        quantity=data["available"],
    )
