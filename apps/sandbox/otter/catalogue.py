"""Making catalogues: the same store, seed and place always give the same product, on any machine."""

import hashlib
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

from django.db import transaction
from django.utils.text import slugify

from apps.sandbox.otter.models import Product, Store
from apps.sandbox.otter.words import COLOURS, EDGY_NAMES, LINES, MATERIALS, SIZES, STYLES

EDGY_EVERY = 3


@dataclass
class Dice:
    """Numbers that look random and depend on `seed` only (a hash: random's sequences may change with Python)."""

    seed: str

    def __post_init__(self) -> None:
        self.left = int.from_bytes(hashlib.blake2b(self.seed.encode(), digest_size=32).digest())
        self.uuid = uuid.UUID(int=self.left & (2**128 - 1), version=4)

    def below(self, sides: int) -> int:
        """The next number from 0 to `sides` - 1."""
        self.left, number = divmod(self.left, sides)
        return number

    def one_of(self, choices: list) -> object:
        return choices[self.below(len(choices))]


def regenerate(store: Store, *, products: int, seed: int = 0) -> None:
    """Replace the store's catalogue by `products` products.

    The same numbers give the same products and ids.
    """
    with transaction.atomic():
        Product.objects.filter(store=store).delete()
        Product.objects.bulk_create(generated(store, products=products, seed=seed), batch_size=2000)


def generated(store: Store, *, products: int, seed: int) -> Iterator[Product]:
    """The products of a catalogue, in order, unsaved; `products` below a million."""
    goods = store.brand.organization.goods
    for index in range(products):
        yield made(store, goods=goods, index=index, dice=Dice(f"{store.id}/{seed}/{index}"))


def made(store: Store, *, goods: str, index: int, dice: Dice) -> Product:
    """One product. About 1 in 12 is out of stock, 1 in 10 has no picture, 1 in 40 has no GTIN or no price."""
    identity = dice.uuid
    style, noun, base_price = dice.one_of(STYLES[goods])
    colour, shade = dice.one_of(COLOURS)
    size = dice.one_of(SIZES[goods])
    name = f"{dice.one_of(LINES)} {dice.one_of(MATERIALS[goods])} {noun}, {shade}, {size}"
    return Product(
        id=identity,
        store=store,
        name=edgy_name(index) or name,
        sku=f"{style}-{colour}-{size.replace(' ', '').upper()}-{store.number:02}{index:05}",
        gtin=gtin_13(f"2{store.number % 100_000:05}{index:06}") if dice.below(40) else "",
        slug=f"{slugify(name)}-{store.number}-{index}",
        sellable=dice.below(400) if dice.below(12) else 0,
        unsellable=dice.below(9) if not dice.below(4) else 0,
        inbound=12 * dice.below(20) if not dice.below(3) else 0,
        price=base_price + 100 * dice.below(40) - 5 if dice.below(40) else None,
        currency=currency_of(store),
        picture=goods if dice.below(10) else "",
    )


def edgy_name(index: int) -> str | None:
    """The awkward name for this place, if it has one."""
    place, rest = divmod(index, EDGY_EVERY)
    return EDGY_NAMES[place] if rest == EDGY_EVERY - 1 and place < len(EDGY_NAMES) else None


def currency_of(store: Store) -> str:
    country = (store.address or {}).get("countryCode")
    return {"GB": "GBP", "NO": "NOK", "SE": "SEK"}.get(country, "EUR")


def gtin_13(first_twelve: str) -> str:
    """The twelve digits with their check digit (GS1 General Specifications, part 7.9).

    Numbers that begin with 2 are for use inside a company, so none of ours is a real product's.
    """
    total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(first_twelve))
    return first_twelve + str(-total % 10)
