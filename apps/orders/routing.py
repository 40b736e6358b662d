"""Choosing where an order is shipped from: by the organization's rules, and by what can be reserved there.

Of the rules that fit, the first counts whose location has everything; where none does, the order is divided over those
that may split it. Without a rule it goes to a location of the organization that has everything, its own before the
3PL's, the oldest first. What is reserved is all of it, or nothing (behaviours 73 and 74).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple, Self
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q, prefetch_related_objects
from django.utils import timezone

from apps.catalog import stocking
from apps.catalog.models import Location, Product, StockLevel, StockMovement
from apps.catalog.stocking import By, Change
from apps.integrations.connectors import UnknownConnector
from apps.integrations.connectors.orders import TakesOrders
from apps.integrations.models import Integration
from apps.webhooks.models import Event

from . import changing, ruling, shipping, standing, timeline
from .models import Fulfillment, FulfillmentLine, Hindrance, Order, OrderLine, RoutingRule
from .resolving import Code, Obstacle, Who
from .ringing import HAND_OVER, ring

READ_ALONG = ("lines", "hindrances", "fulfillments__lines")
OWN_FIRST = (F("organization").asc(nulls_last=True), "created_at", "pk")  # then the oldest
TRIES = 3  # to reserve what others take at the same moment

type Pieces = Mapping[int, int]  # by product
type Parts = dict[UUID, dict[int, int]]  # pieces by product, of each location


class Place(NamedTuple):
    location: Location
    may_split: bool


@dataclass(slots=True)
class Case:
    """An order in hand: locked, with all that hangs on it as it is now."""

    order: Order
    lines: list[OrderLine]
    hindrances: list[Hindrance]
    fulfillments: list[Fulfillment]

    @classmethod
    def of(cls, order: Order) -> Self:
        """What was read along with the order is not read again."""
        prefetch_related_objects([order], *READ_ALONG)
        return cls(order, list(order.lines.all()), list(order.hindrances.all()), list(order.fulfillments.all()))

    @property
    def state(self) -> str:
        """The order's, as it follows."""
        facts: dict[str, Any] = {"lines": self.lines, "fulfillments": self.fulfillments, "hindrances": self.hindrances}
        return standing.state_of(self.order, **facts, now=timezone.now())

    @property
    def live(self) -> list[Fulfillment]:
        return [one for one in self.fulfillments if not one.is_final]

    @property
    def open(self) -> list[tuple[OrderLine, int]]:
        """Lines with pieces of which no fulfilment that is at work takes care, and how many."""
        held: Counter[int] = Counter()
        for one in self.live:
            held.update({given.order_line_id: given.open for given in one.lines.all()})
        return [(line, line.wanted - held[line.pk]) for line in self.lines if line.wanted > held[line.pk]]

    @property
    def pieces(self) -> Pieces:
        """What is open, by product."""
        found: Counter[int] = Counter()
        for line, pieces in self.open:
            assert line.product_id
            found[line.product_id] += pieces
        return found


@dataclass
class Desk:
    """What many orders are decided by, read once for all that are looked at together."""

    _rules: dict[UUID, list[RoutingRule]] = field(default_factory=dict)
    _locations: dict[UUID, list[Location]] = field(default_factory=dict)
    _services: dict[tuple[UUID | None, str], shipping.Choice | None] = field(default_factory=dict)

    def rules(self, order: Order) -> list[RoutingRule]:
        """The organization's active ones, in their order."""
        key = order.organization_id
        if key not in self._rules:
            self._rules[key] = [rule for rule in ruling.rules_of(key) if rule.is_active]
        return self._rules[key]

    def locations(self, order: Order) -> list[Location]:
        """Those it could be shipped from, the best first."""
        key = order.organization_id
        if key not in self._locations:
            self._locations[key] = shipping_from(key)
        return self._locations[key]

    def service(self, integration: Integration | None, name: str) -> shipping.Choice | None:
        key = integration.pk if integration else None, name
        if key not in self._services:
            self._services[key] = shipping.service_for(integration, name)
        return self._services[key]


def shipping_from(organization: Any) -> list[Location]:
    """Where anything of an organization (by id) can be shipped from now: its own places first, then the oldest."""
    usable = Location.objects.counted().filter(Q(organization=organization) | Q(organization=None), is_paused=False)
    found = usable.select_related("integration__partner").order_by(*OWN_FIRST)
    return [one for one in found if can_ship(one)]


def can_ship(location: Location) -> bool:
    """Whether somebody fulfils from it: people, or an integration that is connected."""
    one = location.integration
    if one is None:
        return location.is_manual
    try:
        return one.is_connected and one.deleted_at is None and bool(one.kind)
    except UnknownConnector:
        return False


def places(case: Case, desk: Desk) -> list[Place]:
    """Those that come into question, in the order in which they are asked."""
    taken = {one.location_id for one in case.live}
    usable = {one.pk: one for one in desk.locations(case.order) if one.pk not in taken}
    rules = ruling.fitting(desk.rules(case.order), case.order, kind=RoutingRule.Kind.ROUTE)
    if not rules:
        return [Place(location, False) for location in usable.values()]
    return [Place(usable[rule.location_id], rule.may_split) for rule in rules if rule.location_id in usable]


def route(case: Case, desk: Desk) -> list[Obstacle]:
    """Reserve what is open of the order, and make the fulfilments that ship it. What stands in the way, if anything."""
    chosen = places(case, desk)
    if not chosen:
        return [Obstacle(Code.NO_LOCATION, Who.OPERATOR)]
    wanted = case.pieces
    for _ in range(TRIES):
        free = available(case.order.organization_id, wanted, chosen)
        parts = divide(wanted, chosen, free)
        if not parts:
            break
        fresh = _drafts(case, desk, parts, chosen)
        if unmapped := [one for one in fresh if one.service is None]:
            return _unmapped(case.order, unmapped)
        if _reserve(case.order, parts):
            _make(case, fresh)
            return []
    return _short(case.order, wanted, chosen, free)


def available(organization: Any, wanted: Iterable[int], chosen: Sequence[Place]) -> dict[tuple[UUID, int], int]:
    """Pieces of each product that may be promised at each place."""
    levels = StockLevel.objects.filter(
        organization=organization, product__in=list(wanted), location__in=[place.location.pk for place in chosen]
    )
    rows = levels.order_by().values_list("location", "product", F("on_hand") - F("reserved"))
    return {(location, product): max(pieces, 0) for location, product, pieces in rows}


def divide(wanted: Pieces, chosen: Sequence[Place], free: Mapping[tuple[UUID, int], int]) -> Parts:
    """How many pieces go from where; nothing when it cannot be done."""
    for location, _may_split in chosen:
        if all(free.get((location.pk, product), 0) >= pieces for product, pieces in wanted.items()):
            return {location.pk: dict(wanted)}
    return _split(wanted, [place.location for place in chosen if place.may_split], free)


def _split(wanted: Pieces, locations: Iterable[Location], free: Mapping[tuple[UUID, int], int]) -> Parts:
    """Each place gives what it has, in turn."""
    missing = dict(wanted)
    parts: Parts = {}
    for location in dict.fromkeys(locations):
        given = {product: min(left, free.get((location.pk, product), 0)) for product, left in missing.items()}
        for product, pieces in given.items():
            missing[product] -= pieces
        if any(given.values()):
            parts[location.pk] = {product: pieces for product, pieces in given.items() if pieces}
    return {} if any(missing.values()) else parts


class Draft(NamedTuple):
    """A fulfilment to be made, once its pieces are reserved. No `service`: nobody has said what the method means."""

    location: Location
    service: shipping.Choice | None
    lines: list[tuple[OrderLine, int]]


def _drafts(case: Case, desk: Desk, parts: Parts, chosen: Sequence[Place]) -> list[Draft]:
    """The lines of the order dealt out, in their order, to the places that ship their products."""
    locations = {place.location.pk: place.location for place in chosen}
    dealt: dict[UUID, list[tuple[OrderLine, int]]] = defaultdict(list)
    left = {place: dict(pieces) for place, pieces in parts.items()}
    for line, pieces in case.open:
        for place, there in left.items():
            given = min(pieces, there.get(line.product_id or 0, 0))
            if given:
                dealt[place].append((line, given))
                there[line.product_id or 0] -= given
                pieces -= given
    method = case.order.shipping_method
    return [
        Draft(locations[place], desk.service(locations[place].integration, method), lines)
        for place, lines in dealt.items()
    ]


def _unmapped(order: Order, drafts: Iterable[Draft]) -> list[Obstacle]:
    places = [draft.location.name for draft in drafts]
    return [Obstacle(Code.UNMAPPED_METHOD, Who.OPERATOR, order.shipping_method, {"locations": places})]


def _short(
    order: Order, wanted: Pieces, chosen: Sequence[Place], free: Mapping[tuple[UUID, int], int]
) -> list[Obstacle]:
    """One for each product of which some place has too few; for all of them when others were quicker."""
    places = [place.location.pk for place in chosen]
    short = [
        product for product, pieces in wanted.items() if any(free.get((place, product), 0) < pieces for place in places)
    ]
    products = Product.objects.filter(organization=order.organization_id, pk__in=short or wanted).order_by("sku")
    return [
        Obstacle(Code.OUT_OF_STOCK, Who.NOBODY, str(pk), {"sku": sku, "pieces": wanted[pk]})
        for pk, sku in products.values_list("pk", "sku")
    ]


def changes_of(parts: Parts) -> list[Change]:
    """The reservations of these parts."""
    return [
        Change(product, place, reserved=pieces)
        for place, there in parts.items()
        for product, pieces in sorted(there.items())
    ]


def _reserve(order: Order, parts: Parts) -> bool:
    by = By(StockMovement.Cause.ORDER, timeline.ITSELF.text, reference=str(order.pk))
    return stocking.reserve(order.organization, changes_of(parts), by=by)


def _make(case: Case, drafts: Sequence[Draft]) -> None:
    """A fulfilment for each, which its warehouse is owed, if it takes orders by itself."""
    order = case.order
    made = [_fulfillment(order, draft) for draft in drafts]
    Fulfillment.objects.bulk_create(made)
    FulfillmentLine.objects.bulk_create(
        FulfillmentLine(
            organization_id=order.organization_id,
            fulfillment=one,
            order_line=line,
            product_id=line.product_id,  # type: ignore[misc]
            quantity=pieces,
        )
        for one, draft in zip(made, drafts, strict=True)
        for line, pieces in draft.lines
    )
    case.fulfillments += made
    changing.announce(made, Event.Type.FULFILLMENT_CREATED)
    for one, draft in zip(made, drafts, strict=True):
        pieces = sum(pieces for _line, pieces in draft.lines)
        data: dict[str, Any] = {
            "location": draft.location.name,
            "pieces": pieces,
            "fulfillment": str(one.pk),
            "service": one.service,
        }
        timeline.record(order, "routed", by=timeline.ITSELF, **data)
    if any(one.owes for one in made):
        transaction.on_commit(partial(ring, HAND_OVER), robust=True)


def _fulfillment(order: Order, draft: Draft) -> Fulfillment:
    location, service = draft.location, draft.service
    assert service
    is_owed = location.integration is not None and location.integration.kind.can(TakesOrders)
    return Fulfillment(
        organization_id=order.organization_id,
        order=order,
        location=location,
        integration=location.integration,
        priority=order.priority,
        service=service.code,
        service_name=service.name,
        is_fallback=service.is_fallback,
        owes=Fulfillment.Owes.SEND if is_owed else Fulfillment.Owes.NOTHING,
        due_at=timezone.now() if is_owed else None,
    )
