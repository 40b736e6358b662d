"""Fulfilments in the words of the warehouse that is handed them, looked up for many at once."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from django.db.models import Prefetch, prefetch_related_objects

from apps.catalog import mapping
from apps.catalog.models import Handover
from apps.integrations.connectors.base import TakesProducts
from apps.integrations.connectors.orders import Address, HandedLine, HandedOrder
from apps.integrations.models import Integration
from apps.orders.models import Fulfillment, FulfillmentLine, Order

type Words = tuple[tuple[str, ...], str, Address]

ADDRESS = [field.name for field in fields(Address)]


@dataclass(frozen=True, slots=True)
class Errand:
    """What is to be told of one claimed fulfilment, and the order in the warehouse's words.

    `may_be_there`: somebody before us may have sent it, and not have written that down. `missing` is a SKU that the
    warehouse has not been told of yet, if any.
    """

    fulfillment: Fulfillment
    owes: str
    order: HandedOrder
    may_be_there: bool = False
    missing: str = ""


def errands(integration: Integration, claimed: Sequence[Fulfillment]) -> list[Errand]:
    """One for each of these fulfilments, all of this integration, in as many statements as for one."""
    lines = FulfillmentLine.objects.select_related("order_line", "product")
    prefetch_related_objects(claimed, "order", Prefetch("lines", lines))
    products = {line.product for one in claimed for line in one.lines.all()}
    skus = mapping.theirs(integration, {product.sku for product in products})
    unknown = _unknown(integration, products, skus)
    return [_errand(one, skus, unknown) for one in claimed]


def _unknown(integration: Integration, products: set[Any], skus: dict[str, str]) -> set[int]:
    """Those of these products that the warehouse does not know under this SKU; none where it is told of none."""
    if not integration.product_sync_enabled or not integration.kind.can(TakesProducts):
        return set()
    told = Handover.objects.filter(integration=integration, product__in=products).exclude(remote_id="")
    known = set(told.values_list("product", "sku"))
    return {product.pk for product in products if (product.pk, skus[product.sku]) not in known}


def _errand(claimed: Fulfillment, skus: dict[str, str], unknown: set[int]) -> Errand:
    missing = (line.product.sku for line in claimed.lines.all() if line.product_id in unknown)
    return Errand(
        claimed,
        claimed.owes,
        _handed(claimed, skus),
        may_be_there=claimed.fence > 1,  # claimed before: who did may have died after the call
        missing=next(missing, ""),
    )


def _handed(claimed: Fulfillment, skus: dict[str, str]) -> HandedOrder:
    order = claimed.order
    tags, notes, destination = words_of(order)
    return HandedOrder(
        reference=str(claimed.pk),
        ext_order_id=order.ext_order_id,
        number=order.number,
        lines=tuple(_line(line, skus) for line in claimed.lines.all()),
        destination=destination,
        shipping_method=claimed.service,
        tags=tags,
        notes=notes,
        priority=claimed.priority,
        placed_at=order.placed_at,
        remote_id=claimed.remote_id,
    )


def _line(line: FulfillmentLine, skus: dict[str, str]) -> HandedLine:
    product = line.product
    return HandedLine(
        line_id=str(line.order_line_id),
        sku=skus[product.sku],
        quantity=line.quantity,
        name=line.order_line.name or product.name,
        ext_product_id=str(product.pk),
    )


def words_of(order: Order) -> Words:
    """What of an order may still change once a warehouse has it (contracts 1.7)."""
    known = {name: str(order.destination.get(name) or "") for name in ADDRESS}
    return tuple(order.tags), order.notes, Address(**known)
