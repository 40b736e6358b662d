"""Why a product's stock is the number it is: what lies where, what is promised, what happened, and who was told."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q, Sum, prefetch_related_objects

from apps.accounts.models import Organization

from . import sentences
from .models import HeldReport, Listing, Product, StockLevel, StockMovement
from .models.stock import NUMBERS

LINES = 50  # of the ledger, on a page
SHOWN = 50  # reservations, stores and held reports at most
NEWEST = 10**18 - 1  # above every sequence
LATER = timedelta(minutes=1)  # than it happened, before a page says when we heard of it
CURSOR = re.compile(r"\d{1,18}\.\d{1,18}(-\d{1,18}\.\d{1,18})*", re.ASCII)
LEDGER = """
SELECT line.* FROM unnest(%s::bigint[], %s::bigint[]) AS of (level, before) CROSS JOIN LATERAL (
    SELECT * FROM catalog_stockmovement
    WHERE organization_id = %s AND level_id = of.level AND sequence < of.before ORDER BY sequence DESC LIMIT %s
) line ORDER BY line.id DESC LIMIT %s
"""


@dataclass(frozen=True, slots=True)
class Stock:
    """Pieces, over all places whose stock may be sold."""

    on_hand: int = 0
    reserved: int = 0
    incoming: int = 0
    reserved_incoming: int = 0

    @property
    def available(self) -> int:
        return self.on_hand - self.reserved

    @property
    def promised(self) -> int:
        """What platforms may be told, before the buffer of each (behaviour 67); below zero, too much is promised."""
        return self.available + self.incoming - self.reserved_incoming


def totals(organization: Organization, products: Iterable[int]) -> dict[int, Stock]:
    """What there is of each of these; of those that were never anywhere, nothing is said."""
    levels = StockLevel.objects.filter(organization=organization, product__in=list(products)).counted()
    sums = levels.order_by().values_list("product").annotate(*(Sum(name) for name in NUMBERS))
    return {product: Stock(*map(int, numbers)) for product, *numbers in sums}


def levels_of(organization: Organization, products: Iterable[int]) -> list[StockLevel]:
    """Where pieces of these are, or were, by the name of the place."""
    found = StockLevel.objects.filter(organization=organization, product__in=list(products))
    return list(found.select_related("location__integration").order_by("location__name", "pk"))


@dataclass(frozen=True, slots=True)
class Told:
    """What one store may sell, how that came about, and what its platform was told."""

    listing: Listing
    buffer: int
    may_sell: int

    @property
    def publication(self) -> object:
        """None where its platform is told nothing."""
        return getattr(self.listing, "publication", None)


def told(product: Product, stock: Stock) -> list[Told]:
    """Of each store that lists it. A platform is told the promise less its buffer, and never less than zero."""
    listings = product.listings.current().filter(status=Listing.Status.LINKED)
    found = listings.select_related("shop__integration__partner", "publication").order_by("shop__name", "pk")[:SHOWN]
    buffers = [(listing, listing.shop.integration.stock_buffer) for listing in found]
    return [Told(listing, buffer, max(0, stock.promised - buffer)) for listing, buffer in buffers]


def reservations(levels: Sequence[StockLevel]) -> list[tuple[str, int]]:
    """Which orders hold how many of what is reserved, most first."""
    holding = [level.pk for level in levels if level.reserved or level.reserved_incoming]
    if not holding:
        return []
    lines = StockMovement.objects.filter(organization=levels[0].organization_id, level__in=holding)
    sums = lines.order_by().values_list("reference").annotate(pieces=Sum("reserved_change"))
    return list(sums.filter(pieces__gt=0).order_by("-pieces", "reference")[:SHOWN])


def held_for(product: Product) -> list[HeldReport]:
    """Counts of a warehouse that wait because their SKU is nobody's, and look as if they meant this product."""
    same = Q(sku__iexact=product.sku) | Q(sku__in=product.barcodes)
    held = HeldReport.objects.filter(same, organization=product.organization_id)
    return list(held.select_related("integration", "location")[:SHOWN])


@dataclass(frozen=True, slots=True)
class Line:
    """One change, and the level that it was of."""

    movement: StockMovement
    level: StockLevel

    @property
    def story(self) -> str:
        return sentences.of(self.movement)

    @property
    def was_heard_later(self) -> bool:
        return self.movement.created_at - self.movement.occurred_at >= LATER


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the ledger; `older` is the cursor of the next, empty at the end."""

    lines: list[Line]
    older: str


def ledger(levels: Sequence[StockLevel], *, before: str = "") -> Page:
    """What happened at these levels, newest first. A cursor that makes no sense begins at the newest."""
    bounds = {level.pk: NEWEST for level in levels} | _read(before)
    by_id = {level.pk: level for level in levels}
    asked = [(level, bounds[level]) for level in by_id]
    if not asked:
        return Page([], "")
    names = [[level for level, _ in asked], [bound for _, bound in asked], levels[0].organization_id]
    found = list(StockMovement.objects.raw(LEDGER, [*names, LINES + 1, LINES + 1]))
    shown = found[:LINES]
    prefetch_related_objects(shown, "integration")
    bounds |= {movement.level_id: movement.sequence for movement in shown}
    older = "-".join(f"{level}.{bounds[level]}" for level in by_id)
    lines = [Line(movement, by_id[movement.level_id]) for movement in shown]
    return Page(lines, older if len(found) > LINES else "")


def _read(cursor: str) -> dict[int, int]:
    """Where each level's page ended: "level.sequence", joined by dashes."""
    if not CURSOR.fullmatch(cursor):
        return {}
    return {int(level): int(sequence) for level, sequence in (pair.split(".") for pair in cursor.split("-"))}


@dataclass(frozen=True, slots=True)
class Explanation:
    """All of it, for one page. `heard_at` is when anything was said of it last."""

    product: Product
    stock: Stock
    levels: list[StockLevel]
    reserved_for: list[tuple[str, int]]
    told: list[Told]
    held: list[HeldReport]
    ledger: Page
    heard_at: datetime | None


def explain(product: Product, *, before: str = "") -> Explanation:
    """Everything that explains this product's stock, in as many statements for one place as for many."""
    organization = product.organization
    stock = totals(organization, [product.pk]).get(product.pk, Stock())
    levels = levels_of(organization, [product.pk])
    return Explanation(
        product=product,
        stock=stock,
        levels=levels,
        reserved_for=reservations(levels),
        told=told(product, stock),
        held=held_for(product),
        ledger=ledger(levels, before=before),
        heard_at=max((level.updated_at for level in levels), default=None),
    )
