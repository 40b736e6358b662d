"""Orders at a warehouse whose stock has come, and was reserved, as the ledger has it."""

from datetime import UTC, datetime
from typing import Any

from apps.catalog import stocking
from apps.catalog.models import Location, Product, StockLevel
from apps.catalog.stocking import By, Change
from apps.orders.models import Fulfillment
from apps.shops.models import Shop
from tests.factories import (
    make_custom_integration,
    make_fulfillment,
    make_location,
    make_order,
    make_product,
    make_shop,
)

HERE = 10  # pieces of each product
CAME = datetime(2026, 11, 1, tzinfo=UTC)


def make_place(shop: Shop, *, by_hand: bool) -> Location:
    """Where people pick, or one that a warehouse's integration fulfils from."""
    if by_hand:
        return make_location(organization=shop.organization)
    wms = make_custom_integration(organization=shop.organization)
    return make_location(integration=wms, kind=Location.Kind.EXTERNAL, ext_location_id="W1")


def handed(*quantities: int, by_hand: bool = False, place: Location | None = None, **fields: Any) -> Fulfillment:
    """A fulfilment of so many pieces of a product each, of which HERE have come."""
    organization = place.organization if place else None
    shop = make_shop(integration=make_custom_integration(organization=organization, category="shop"))
    place = place or make_place(shop, by_hand=by_hand)
    products = [make_product(organization=shop.organization) for _ in quantities]
    _reserve(place, list(zip(products, quantities, strict=True)))
    lines = [{"sku": one.sku, "product": one, "quantity": n} for one, n in zip(products, quantities, strict=True)]
    order = make_order(shop=shop, lines=lines, **fields.pop("order", {}))
    levels = list(StockLevel.objects.filter(location=place))
    made = make_fulfillment(order=order, location=place, **fields)
    for level in levels:
        level.save()  # the factory has reserved what the ledger holds already
    return made


def _reserve(place: Location, wanted: list[tuple[Product, int]]) -> None:
    by, organization = By("order", "orders"), wanted[0][0].organization
    came = [Change(product.pk, place.pk, on_hand=HERE, occurred_at=CAME) for product, _ in wanted]
    stocking.change(organization, came, by=by)
    assert stocking.reserve(organization, [Change(p.pk, place.pk, reserved=n) for p, n in wanted], by=by)


def stock(fulfillment: Fulfillment) -> list[tuple[int, int]]:
    """On hand and reserved of each of its products."""
    levels = StockLevel.objects.filter(location=fulfillment.location_id, organization=fulfillment.organization_id)
    return list(levels.order_by("product").values_list("on_hand", "reserved"))


def line_ids(fulfillment: Fulfillment) -> list[int]:
    return list(fulfillment.lines.values_list("order_line_id", flat=True))
