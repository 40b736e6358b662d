"""What a mapping would change if it were saved, over what is really there. Nothing is written.

Listings, the counts that wait, and what platforms were told are looked at; each kind of subject is one function of
SUBJECTS, and orders will be another.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.db.models import Exists, OuterRef, Q, Sum

from apps.integrations.models import Integration
from apps.shops.models import Shop

from . import mapping
from .models import HeldReport, Listing, Product, Publication, StockLevel
from .pairs import Pair
from .promising import PROMISED
from .relinking import Move, Wanted, moves
from .remapping import newest, pairs_of, wanted

SHOWN = 100  # of each kind of change

type Change = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Changes:
    count: int
    first: list[Change]


@dataclass(frozen=True)
class Preview:
    """`changes` by kind; `based_on` is the version that holds now, 0 for none."""

    based_on: int
    added: int
    removed: int
    changes: dict[str, Changes]

    @property
    def is_empty(self) -> bool:
        """Whether these are the pairs that hold anyway."""
        return not (self.added or self.removed)

    @property
    def has_changes(self) -> bool:
        return any(changes.count for changes in self.changes.values())


@dataclass(frozen=True)
class Case:
    """The mapping that is looked at, and what several subjects need to know of it."""

    integration: Integration
    meaning: Wanted
    moves: list[Move] = field(default_factory=list)

    @property
    def organization(self) -> Any:
        return self.integration.organization_id

    @cached_property
    def skus(self) -> dict[int | None, str]:
        """Of every product that listings leave or join."""
        asked = {product for move in self.moves for product in (move.before, move.after) if product}
        return dict(Product.objects.filter(organization=self.organization, pk__in=asked).values_list("pk", "sku"))

    @cached_property
    def shops(self) -> dict[Any, str]:
        return dict(Shop.objects.filter(integration=self.integration).values_list("pk", "name"))

    @cached_property
    def created(self) -> list[str]:
        return sorted({move.ours for move in self.moves if move.becomes_product})

    @cached_property
    def released(self) -> list[tuple[HeldReport, str]]:
        """Counts that wait and would not any more, each with our SKU for it."""
        waiting = HeldReport.objects.filter(organization=self.organization).select_related(
            "location", "integration__partner"
        )
        own = Q(integration=self.integration, sku__in=list(self.meaning))
        found = list(waiting if self.created else waiting.filter(own))
        ours = self._ours(found)
        known = set(self.created) | self._known(set(ours.values()))
        return [(report, ours[report.pk]) for report in found if ours[report.pk] in known]

    def _ours(self, reports: Sequence[HeldReport]) -> dict[int, str]:
        """Our SKU of each report, as it would be."""
        by_integration = defaultdict(list)
        for report in reports:
            by_integration[report.integration].append(report)
        found: dict[int, str] = {}
        for integration, rows in by_integration.items():
            ours = mapping.ours(integration, {row.sku for row in rows})
            if integration == self.integration:
                ours |= self.meaning
            found |= {row.pk: ours[row.sku] for row in rows}
        return found

    def _known(self, skus: Collection[str]) -> set[str]:
        known = Product.objects.filter(organization=self.organization, sku__in=skus)
        return set(known.values_list("sku", flat=True))


def preview(integration: Integration, pairs: Sequence[Pair]) -> Preview:
    """What saving these pairs would do: how many changes of each kind, and the first hundred. O(1) statements."""
    before, had = newest(integration), pairs_of(integration)
    meaning = wanted(integration, had, pairs)
    case = Case(integration, meaning, moves(integration, meaning))
    added, removed = set(pairs) - set(had), set(had) - set(pairs)
    changes = {kind: _first(subjects(case)) for kind, subjects in SUBJECTS.items()}
    return Preview(before.number if before else 0, len(added), len(removed), changes)


def _first(found: Iterable[Change]) -> Changes:
    rows = list(found)
    return Changes(len(rows), rows[:SHOWN])


def _moved(case: Case) -> Iterable[Change]:
    """Listings that would stand for another product than now."""
    return [_as_row(case, move) for move in case.moves if move.before and (move.after or move.creates)]


def _linked(case: Case) -> Iterable[Change]:
    return [_as_row(case, move) for move in case.moves if not move.before and (move.after or move.creates)]


def _unlinked(case: Case) -> Iterable[Change]:
    return [_as_row(case, move) for move in case.moves if move.before and not (move.after or move.creates)]


def _as_row(case: Case, move: Move) -> Change:
    joins = move.ours if move.after or move.creates else None
    return {"sku": move.sku, "shop": case.shops[move.shop], "before": case.skus.get(move.before), "after": joins}


def _created(case: Case) -> Iterable[Change]:
    return [{"sku": sku} for sku in case.created]


def _archived(case: Case) -> Iterable[Change]:
    """Products that no listing would stand for any more."""
    left = {move.before for move in case.moves if move.before} - {move.after for move in case.moves}
    staying = Listing.objects.current().filter(product=OuterRef("pk")).exclude(pk__in=[m.listing for m in case.moves])
    products = Product.objects.current().filter(organization=case.organization, pk__in=left)
    return [{"sku": sku} for sku in products.filter(~Exists(staying)).order_by("sku").values_list("sku", flat=True)]


def _released(case: Case) -> Iterable[Change]:
    return [
        {"sku": report.sku, "ours": ours, "location": report.location.name, "on_hand": report.on_hand}
        for report, ours in case.released
    ]


def _published(case: Case) -> Iterable[Change]:
    """Listings whose platform would be told another number than it was told last."""
    joins = {move.listing: move.after for move in case.moves}
    counted = _counted(case)
    told = Publication.objects.filter(organization=case.organization).select_related("listing", "shop__integration")
    touched = Q(listing__in=list(joins)) | Q(product__in=list(counted))
    rows = list(told.filter(touched).order_by("listing__sku", "pk"))
    products = {row.pk: joins.get(row.listing_id, row.product_id) for row in rows}
    pieces = _pieces(case, {product for product in products.values() if product})
    found = []
    for row in rows:
        product = products[row.pk]
        after = (
            max(0, pieces.get(product, 0) + counted.get(product, 0) - row.shop.integration.stock_buffer)
            if product
            else None
        )
        if after != row.quantity:
            change = {"sku": row.listing.sku, "shop": row.shop.name, "before": row.quantity, "after": after}
            found.append(change)
    return found


def _pieces(case: Case, products: Collection[int]) -> Mapping[int | None, int]:
    """What may be promised of each product now, before any buffer."""
    levels = StockLevel.objects.filter(organization=case.organization, product__in=products).counted()
    return dict(levels.order_by().values_list("product").annotate(pieces=Sum(PROMISED)))


def _counted(case: Case) -> dict[int | None, int]:
    """By how many pieces the released counts would change what is on hand of each product, where it may be sold."""
    sold = [(report, ours) for report, ours in case.released if _may_be_sold(report)]
    skus = {ours for _report, ours in sold}
    products = dict(Product.objects.filter(organization=case.organization, sku__in=skus).values_list("sku", "pk"))
    levels = StockLevel.objects.filter(organization=case.organization, product__in=products.values())
    had = {
        (product, location): pieces
        for product, location, pieces in levels.values_list("product", "location", "on_hand")
    }
    change: dict[int | None, int] = defaultdict(int)
    for report, ours in sold:
        if product := products.get(ours):
            change[product] += report.on_hand - had.get((product, report.location_id), 0)
    return change


def _may_be_sold(report: HeldReport) -> bool:
    return report.location.is_active and not report.location.excluded_from_totals


SUBJECTS: dict[str, Callable[[Case], Iterable[Change]]] = {
    "moved": _moved,
    "linked": _linked,
    "unlinked": _unlinked,
    "created": _created,
    "archived": _archived,
    "released": _released,
    "published": _published,
}
