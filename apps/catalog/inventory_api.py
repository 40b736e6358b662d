"""Stock over the API: how much of what lies where, why, and what a warehouse reports (behaviours 60, 62 and 64)."""

from typing import Any

from django.db.models import Exists, OuterRef
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.response import Response

from apps.api.bodies import Text, checked
from apps.api.errors import Problem
from apps.api.paging import LINKED_QUERY, linked_page
from apps.api.principals import Call
from apps.api.routes import operation
from apps.audit.trail import record
from apps.integrations.connectors.base import LONGEST_ID, Category
from apps.integrations.definitions import category_of
from apps.integrations.org_api import Moment

from .models import Location, Product, StockLevel, StockMovement
from .models.stock import StockLevelQuerySet
from .product_bodies import LARGEST_ID
from .report_bodies import ReportOutcome, StockReport, take_report
from .stocking import Outcome

TAG = "Inventory"
FILTERS = [
    OpenApiParameter("sku", {"type": "string", "minLength": 1, "maxLength": LONGEST_ID}, description="Exactly this."),
    OpenApiParameter("product_id", int),
    OpenApiParameter("location_id", OpenApiTypes.UUID),
    OpenApiParameter("updated_since", OpenApiTypes.DATETIME, description="Changed then or later."),
]


class InventoryQuery(serializers.Serializer):
    sku = Text(max_length=LONGEST_ID, trim_whitespace=False, required=False, source="product__sku")
    product_id = serializers.IntegerField(min_value=1, max_value=LARGEST_ID, required=False)
    location_id = serializers.UUIDField(required=False)
    updated_since = serializers.DateTimeField(required=False, source="updated_at__gte")


class NumbersBody(serializers.Serializer):
    """In pieces; available = in_stock - reserved, below zero when more is promised than there is."""

    in_stock = serializers.IntegerField(source="on_hand")
    reserved = serializers.IntegerField()
    available = serializers.IntegerField()
    incoming = serializers.IntegerField()


class LevelBody(NumbersBody):
    """`version` counts the changes. `counted_at` is when the count that is believed was taken, if there was one."""

    product_id = serializers.IntegerField()
    sku = serializers.CharField(source="product.sku")
    location_id = serializers.UUIDField()
    version = serializers.IntegerField()
    counted_at = serializers.SerializerMethodField()
    updated_at = Moment()

    def get_counted_at(self, level: StockLevel) -> str | None:
        counts = [at for at in (level.counted_at, level.location.counted_at) if at]
        return Moment().to_representation(max(counts)) if counts else None


class LevelPage(serializers.Serializer):
    data = LevelBody(many=True)  # type: ignore[assignment]
    prev = serializers.URLField(allow_null=True)
    next = serializers.URLField(allow_null=True)
    per_page = serializers.IntegerField()


class ProductStock(NumbersBody):
    """The totals are of locations whose stock may be sold, `is_counted`. Those with none of it are left out."""

    product_id = serializers.IntegerField()
    sku = serializers.CharField()
    locations = serializers.ListField(child=serializers.DictField())


class LocationStock(LevelBody):
    location_name = serializers.CharField(source="location.name")
    is_counted = serializers.BooleanField(source="location.is_counted")


class MovementBody(serializers.Serializer):
    """One change: by how much, and the numbers after it. What they were before is the one less the other.

    `reference` names the cause: an order, a sync run, or what a report gave. `occurred_at` is when it was so where the
    goods are, `created_at` when we heard of it.
    """

    location_id = serializers.UUIDField(source="level.location_id")
    sequence = serializers.IntegerField()
    cause = serializers.ChoiceField(choices=StockMovement.Cause.values)
    reference = serializers.CharField()
    entry = serializers.CharField()
    actor = serializers.CharField()
    note = serializers.CharField()
    before = serializers.SerializerMethodField()
    change = serializers.SerializerMethodField()
    after = serializers.SerializerMethodField()
    occurred_at = Moment()
    created_at = Moment()

    def get_before(self, line: StockMovement) -> dict[str, int]:
        after, change = self.get_after(line), self.get_change(line)
        return {name: after[name] - change[name] for name in after}

    def get_change(self, line: StockMovement) -> dict[str, int]:
        return _numbers(line.on_hand_change, line.reserved_change, line.incoming_change)

    def get_after(self, line: StockMovement) -> dict[str, int]:
        return _numbers(line.on_hand, line.reserved, line.incoming)


def _numbers(on_hand: int, reserved: int, incoming: int) -> dict[str, int]:
    return {"in_stock": on_hand, "reserved": reserved, "available": on_hand - reserved, "incoming": incoming}


class LedgerPage(serializers.Serializer):
    data = MovementBody(many=True)  # type: ignore[assignment]
    prev = serializers.URLField(allow_null=True)
    next = serializers.URLField(allow_null=True)
    per_page = serializers.IntegerField()


class Outcomes(serializers.Serializer):
    """One for each row, in their order."""

    results = ReportOutcome(many=True)


@operation(
    "List stock",
    tag=TAG,
    answers={200: LevelPage},
    query=[*LINKED_QUERY, *FILTERS],
)
def list_inventory(request: Call) -> Response:
    """By product and location. A shop's token sees what its shop lists, a warehouse's key what lies in its own
    locations, a key that sees its organization all of it.
    """
    asked = checked(InventoryQuery, request.query_params.dict())
    levels = StockLevel.objects.for_principal(request).filter(**asked).select_related("product", "location")
    return linked_page(request, levels.order_by("product_id", "location_id"), shape=lambda one: LevelBody(one).data)


def _levels(request: Call, product_id: int) -> tuple[Product, StockLevelQuerySet]:
    """A product with the levels of it that the caller may see. Raises Problem product_not_found."""
    levels = StockLevel.objects.for_principal(request).filter(product_id=product_id)
    products = Product.objects.filter(organization=request.user.organization, pk=min(product_id, LARGEST_ID))
    mine = Product.objects.for_principal(request).filter(pk=OuterRef("pk"))
    found = products.filter(Exists(mine) | Exists(levels)).first()
    if found is None:
        raise Problem("product_not_found")
    return found, levels


@operation("Read a product's stock", tag=TAG, answers={200: ProductStock}, errors=["product_not_found"])
def read_inventory(request: Call, product_id: int) -> Response:
    """The totals, and what lies at each location."""
    product, levels = _levels(request, product_id)
    rows = levels.select_related("product", "location").order_by("location__name", "pk")
    shown = [LocationStock(row).data for row in rows]
    totals = levels.counted().totals()
    numbers = _numbers(totals["on_hand"], totals["reserved"], totals["incoming"])
    return Response({"product_id": product.pk, "sku": product.sku} | numbers | {"locations": shown})


@operation(
    "List what changed a product's stock",
    tag=TAG,
    answers={200: LedgerPage},
    query=LINKED_QUERY,
    errors=["product_not_found"],
)
def list_ledger(request: Call, product_id: int) -> Response:
    """Every change with its cause, newest first. The changes of a location add up to its numbers."""
    _product, levels = _levels(request, product_id)
    own = levels.order_by().values("pk")
    lines = StockMovement.objects.filter(organization=request.user.organization, level__in=own).select_related("level")
    # Not by the id alone: the planner would look for a product's few lines through everybody's.
    return linked_page(request, lines.order_by("-created_at", "-id"), shape=lambda one: MovementBody(one).data)


@operation(
    "Report stock",
    tag=TAG,
    body=StockReport,
    answers={200: Outcomes},
    errors=["stock_is_read_only", "location_not_found", "location_of_another", "location_not_active"],
    writes=True,
)
def report_inventory(request: Call) -> Response:
    """For a warehouse's key, and its own locations: up to 5,000 rows, with an outcome for each. One that is wrong is
    refused alone. Reports may come in any order and more than once: a higher version is believed, then a later
    `observed_at`, then the smaller number. The count of a SKU that we do not know is held until somebody says whose.
    """
    integration = request.user.integration
    if category_of(integration) != Category.LOGISTICS:
        raise Problem("stock_is_read_only")
    asked = checked(StockReport, request.data)
    location = _location(request, asked["location_id"])
    told = take_report(integration, asked, location=location)
    _enter(request, location, [outcome for _row, outcome in told])
    return Response({"results": [_told(index, row.sku, outcome) for index, (row, outcome) in enumerate(told)]})


def _location(request: Call, location_id: Any) -> Location:
    """One that the caller may know of, or an external one that names nobody. Raises Problem location_not_found."""
    free = Location.objects.filter(
        organization=request.user.organization, integration=None, kind=Location.Kind.EXTERNAL
    )
    for places in (Location.objects.for_principal(request), free):
        if found := places.filter(pk=location_id).first():
            return found
    raise Problem("location_not_found")


def _enter(request: Call, location: Location, outcomes: list[Outcome]) -> None:
    """Into the audit trail, how many rows came to what."""
    results = [str(outcome.result) for outcome in outcomes]
    told = {result: results.count(result) for result in sorted(set(results))}
    record(request.user.actor, "inventory.report", on=location, after=told)


def _told(index: int, sku: str, outcome: Outcome) -> dict[str, Any]:
    return {"index": index, "sku": sku, "result": str(outcome.result), "code": outcome.error}
